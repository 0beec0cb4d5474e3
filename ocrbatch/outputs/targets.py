"""Where results go: a file or a folder of part files, on this machine or elsewhere."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from ocrbatch.data.places import Place, Stat, is_uri, reason
from ocrbatch.errors import OutputError
from ocrbatch.outputs.parts import divided, is_part, part_name
from ocrbatch.outputs.writers import writer_for

WriteFile = Callable[[Path, Iterable[pa.RecordBatch]], None]
"""Writes rows as one file of this machine."""

COMPLETE = "_SUCCESS"
"""The file that says that all part files are there, as Spark and Hadoop have it; readers of Parquet pass over it."""


class Target(Protocol):
    """A place for results, which appear there whole."""

    @property
    def name(self) -> str:
        """How messages call it."""
        ...

    @property
    def suffix(self) -> str:
        """Which format: ``.parquet``, ``.jsonl``, ``.json`` or ``.csv``."""
        ...

    @property
    def journal(self) -> Path:
        """Folder of the journal when no other is named."""
        ...

    def check(self) -> None:
        """Raises OutputError when nothing can be written there: better now than after hours."""
        ...

    def mark(self) -> dict[str, Any]:
        """What changes when somebody changes what is there; empty when nothing is. Raises OutputError."""
        ...

    def write(self, write: WriteFile, batches: Iterable[pa.RecordBatch], work: Path) -> None:
        """Put rows there; ``work`` is a folder for what is on its way. Raises OutputError."""
        ...


def target_of(out: str | Path) -> Target:
    """The target that a path or URI means; one that ends in a slash is a folder of part files. Raises InputError
    for what is no URI, OutputError for what is no place for results."""
    text = os.fspath(out)
    if not is_uri(text):
        if text.endswith("/"):
            folder = Path(text)
            if folder.name in ("", ".."):
                raise OutputError(
                    f"Cannot write {text}: name a folder of its own for the part files, such as results/."
                )
            return Parts(Place.of_path(folder), f"{folder}/", folder.with_name(f"{folder.name}.journal"))
        return LocalFile(Path(text))
    place, is_folder = Place.parse(text), text.partition("?")[0].endswith("/")
    if place.local is not None:
        return target_of(f"{place.local}/" if is_folder else place.local)
    return Parts(place, f"{place.name}/", state_folder(place)) if is_folder else RemoteFile(place)


def state_folder(place: Place) -> Path:
    """Where this machine keeps the journal of an output that is elsewhere: in ``$XDG_STATE_HOME/ocrbatch``, or else
    ``~/.local/state/ocrbatch``, under the last part of the URI and a hash of all of it but user and password."""
    home = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    key = hashlib.sha256(f"{place.name}?{place.query}".encode()).hexdigest()[:12]
    last = "".join(letter if letter.isalnum() or letter in "._-" else "_" for letter in place.key.rpartition("/")[2])
    return home / "ocrbatch" / f"{last[:60] or place.netloc}-{key}.journal"


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file on this machine."""

    path: Path

    @property
    def name(self) -> str:
        """The path."""
        return str(self.path)

    @property
    def suffix(self) -> str:
        """Of the path."""
        return self.path.suffix.lower()

    @property
    def journal(self) -> Path:
        """Beside the file."""
        return self.path.parent / f"{self.path.name}.journal"

    def check(self) -> None:
        """Raises OutputError for an unknown suffix or a folder that is not there."""
        writer_for(self.path)

    def mark(self) -> dict[str, Any]:
        """Size and time of change."""
        if not self.path.exists():
            return {}
        status = self.path.stat()
        return {"size": status.st_size, "mtime_ns": status.st_mtime_ns}

    def write(self, write: WriteFile, batches: Iterable[pa.RecordBatch], work: Path) -> None:  # noqa: ARG002
        """Raises OutputError."""
        write(self.path, batches)


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file elsewhere. It is put together on this machine and uploaded at the end."""

    place: Place

    @property
    def name(self) -> str:
        """The URI without its query."""
        return self.place.name

    @property
    def suffix(self) -> str:
        """Of the URI."""
        return Path(self.place.key).suffix.lower()

    @property
    def journal(self) -> Path:
        """On this machine."""
        return state_folder(self.place)

    def check(self) -> None:
        """Raises OutputError for an unknown suffix or a store that cannot be reached."""
        writer_for(Path(self.name), self.suffix, there=True)
        _check_store(self.place)

    def mark(self) -> dict[str, Any]:
        """Size and time of change."""
        with _refusals(self.name):
            stat = _stat(self.place)
        return {} if stat is None else _marked(stat)

    def write(self, write: WriteFile, batches: Iterable[pa.RecordBatch], work: Path) -> None:
        """Raises OutputError."""
        with _on_its_way(work) as path:
            write(path, batches)
            with _refusals(self.name):
                self.place.put(path)


@dataclass(frozen=True, slots=True)
class Parts:
    """A folder of Parquet files of bounded size, which read as one table, in the order of their names."""

    place: Place
    name: str
    journal: Path

    @property
    def suffix(self) -> str:
        """Always Parquet."""
        return ".parquet"

    def check(self) -> None:
        """Raises OutputError for a store that cannot be reached, or a file in the way."""
        local = self.place.local
        if local is None:
            _check_store(self.place)
        elif local.exists() and not local.is_dir():
            raise OutputError(f"Cannot write {self.name}: there is a file of that name.")
        elif not local.absolute().parent.is_dir():
            raise OutputError(f"Cannot write {self.name}: there is no folder {local.absolute().parent}.")

    def mark(self) -> dict[str, Any]:
        """Size and time of change of all parts."""
        with _refusals(self.name):
            return {name: _marked(stat) for name, stat in sorted(self._files().items()) if is_part(name)}

    def write(self, write: WriteFile, batches: Iterable[pa.RecordBatch], work: Path) -> None:
        """Parts of an earlier run are replaced one by one, other files left alone. Raises OutputError."""
        with _refusals(self.name), _on_its_way(work) as path:
            if self.place.local is not None:
                self.place.local.mkdir(exist_ok=True)
            before = self._files()
            if COMPLETE in before:
                self.place.child(COMPLETE).delete()
            written = set()
            for number, rows in enumerate(divided(batches)):
                write(path, rows)
                self.place.child(part_name(number)).put(path)
                written.add(part_name(number))
            for name in sorted(before.keys() - written):
                if is_part(name):
                    self.place.child(name).delete()
            path.write_bytes(b"")
            self.place.child(COMPLETE).put(path)

    def _files(self) -> dict[str, Stat]:
        try:
            return {name: stat for name, stat in self.place.entries() if stat is not None}
        except FileNotFoundError:
            return {}


def _stat(place: Place) -> Stat | None:
    try:
        return place.stat()
    except FileNotFoundError:
        return None


def _marked(stat: Stat) -> dict[str, Any]:
    return {"size": stat.size, "mtime_ns": stat.mtime_ns}


def _check_store(place: Place) -> None:
    """Raises OutputError for a bucket that is not there, credentials that are none, or a network that is down."""
    root = place.root()
    with _refusals(place.name):
        try:
            root.stat()
        except FileNotFoundError as error:
            raise OutputError(f"Cannot write {place.name}: there is no bucket {root.name}.") from error


@contextmanager
def _refusals(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(f"Cannot write {name}: {reason(error)}.") from error


@contextmanager
def _on_its_way(work: Path) -> Iterator[Path]:
    path = work / "upload"
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)
