"""Results as a folder of files, on this machine or elsewhere."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from ocrbatch.data.places import Place, Stat
from ocrbatch.errors import OutputError
from ocrbatch.outputs.formats import BY_PAGE, DOCUMENTS
from ocrbatch.outputs.manifest import Manifest
from ocrbatch.outputs.naming import Places
from ocrbatch.outputs.parts import divided, is_part, part_name
from ocrbatch.outputs.storing import check_store, marked, on_its_way, refusals
from ocrbatch.outputs.target_files import WriteFile

COMPLETE = "_SUCCESS"
"""The file that says that all part files are there, as Spark and Hadoop have it; readers of Parquet pass over it."""


def _check_folder(place: Place, name: str) -> None:
    """Raises OutputError for a store that cannot be reached, or a file in the way."""
    if place.local is None:
        check_store(place)
    elif place.local.exists() and not place.local.is_dir():
        raise OutputError(f"Cannot write into {name}: it is a file; name a folder.")


@dataclass(frozen=True, slots=True)
class Parts:
    """A folder of Parquet files of bounded size, which read as one table, in the order of their names."""

    place: Place
    name: str
    journal: Path

    @property
    def form(self) -> str:
        """Always Parquet."""
        return "parquet"

    @property
    def most_pages(self) -> int | None:
        """Any number."""
        return None

    def check(self) -> None:
        """Raises OutputError for a store that cannot be reached, or a file in the way."""
        _check_folder(self.place, self.name)
        local = self.place.local
        if local is not None and not local.absolute().parent.is_dir():
            raise OutputError(f"Cannot write {self.name}: there is no folder {local.absolute().parent}.")

    def mark(self) -> dict[str, Any]:
        """Size and time of change of all parts."""
        with refusals(self.name):
            return {name: marked(stat) for name, stat in sorted(self._files().items()) if is_part(name)}

    def write(self, write: WriteFile, rows: Iterable[Any], work: Path) -> None:
        """Parts of an earlier run are replaced one by one, other files left alone. Raises OutputError."""
        with refusals(self.name), on_its_way(work) as path:
            if self.place.local is not None:
                self.place.local.mkdir(exist_ok=True)
            before = self._files()
            if COMPLETE in before:
                self.place.child(COMPLETE).delete()
            written = set()
            for number, part in enumerate(divided(rows)):
                write(path, part)
                self.place.child(part_name(number)).put(path)
                written.add(part_name(number))
            for name in sorted(before.keys() - written):
                if is_part(name):
                    self.place.child(name).delete()
            path.write_bytes(b"")
            self.place.child(COMPLETE).put(path)

    def _files(self) -> dict[str, Stat]:
        return {name: stat for name, stat in self.place.entries() if stat is not None}


@dataclass(frozen=True, slots=True)
class Documents:
    """A folder with a document for each page, or for each source, called after the source below ``base``. With
    ``fresh`` nothing was there before, so that a file that is there has been wanted twice."""

    place: Place
    name: str
    journal: Path
    form: str
    base: str = ""
    fresh: bool = False

    @property
    def most_pages(self) -> int | None:
        """Any number."""
        return None

    def check(self) -> None:
        """Raises OutputError for a store that cannot be reached, or a file in the way."""
        _check_folder(self.place, self.name)

    def mark(self) -> dict[str, Any]:
        """How many files are in the folder, and a digest of their names, sizes and times of change."""
        count, digest = 0, hashlib.sha256()
        with refusals(self.name):
            for name, stat in self.place.walk():
                count += 1
                digest.update(f"{name}\0{stat.size}\0{stat.mtime_ns}\n".encode(errors="surrogateescape"))
        return {"files": count, "listing": digest.hexdigest()} if count else {}

    def write(self, write: WriteFile, rows: Iterable[Any], work: Path) -> None:
        """Files are replaced one by one; those of an earlier run that are not wanted any more, which the list in
        ``work`` names, are removed, others left alone. Raises OutputError."""
        with Manifest(work) as manifest:
            for name, pages in self._divided(rows):
                manifest.add(name)
                self._put(write, name, pages, work)
                manifest.written(name, self._stat_here(name))
            for name in manifest.surplus():
                self._remove(name)

    def changed(self, work: Path) -> str | None:
        """A document that somebody has changed since it was written; only those on this machine are asked for."""
        return Manifest(work).changed(self._stat_here)

    def _stat_here(self, name: str) -> Stat | None:
        """Of a document, if the folder is on this machine and has it: elsewhere each question takes time."""
        try:
            return self.place.child(name).stat() if self.place.local else None
        except FileNotFoundError:
            return None

    def _divided(self, rows: Iterable[Any]) -> Iterator[tuple[str, Iterable[Any]]]:
        """The rows of each file, with its path in the folder."""
        places = Places(Path(), self.base, DOCUMENTS[self.form])
        if self.form in BY_PAGE:
            for row in rows:
                yield places.of_page(row["source"], int(row["page"] or 0), int(row["n_pages"] or 1)).as_posix(), (row,)
            return
        for source, pages in groupby(rows, key=lambda row: str(row["source"])):
            yield places.of_source(source).as_posix(), pages

    def _put(self, write: WriteFile, name: str, pages: Iterable[Any], work: Path) -> None:
        local, there = self.place.local, f"{self.name.rstrip('/')}/{name}"
        with refusals(there), on_its_way(work) as path:
            if self.fresh and self._is_there(name):
                raise OutputError(
                    f"{there} is wanted twice: a page or source is in the results more than once, or not in a row."
                )
            if local is not None:
                (local / name).parent.mkdir(parents=True, exist_ok=True)
                write(local / name, pages)
                return
            write(path, pages)
            if path.exists():
                self.place.child(name).put(path)

    def _is_there(self, name: str) -> bool:
        try:
            return self.place.child(name).stat() is not None
        except FileNotFoundError:
            return False

    def _remove(self, name: str) -> None:
        with refusals(f"{self.name.rstrip('/')}/{name}"):
            if self._is_there(name):
                self.place.child(name).delete()
