"""Results as one file, on this machine or elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ocrbatch.data.places import Place, Stat
from ocrbatch.errors import OutputError
from ocrbatch.outputs.formats import ONE_PAGE
from ocrbatch.outputs.storing import check_store, marked, on_its_way, refusals

WriteFile = Callable[[Path, Iterable[Any]], None]
"""Writes rows as one file of this machine; none when there is nothing that could stand in it."""


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file on this machine."""

    path: Path
    form: str

    @property
    def name(self) -> str:
        """The path."""
        return str(self.path)

    @property
    def journal(self) -> Path:
        """Beside the file."""
        return self.path.parent / f"{self.path.name}.journal"

    @property
    def most_pages(self) -> int | None:
        """How many pages the format has room for."""
        return 1 if self.form in ONE_PAGE else None

    def check(self) -> None:
        """Raises OutputError for a folder that is in the way, or not there."""
        if self.path.is_dir():
            raise OutputError(f"Cannot write {self.path}: there is a folder of that name.")
        if not self.path.absolute().parent.is_dir():
            raise OutputError(f"Cannot write {self.path}: there is no folder {self.path.absolute().parent}.")

    def mark(self) -> dict[str, Any]:
        """Size and time of change."""
        if not self.path.exists():
            return {}
        status = self.path.stat()
        return {"size": status.st_size, "mtime_ns": status.st_mtime_ns}

    def write(self, write: WriteFile, rows: Iterable[Any], work: Path) -> None:  # noqa: ARG002
        """Raises OutputError."""
        write(self.path, rows)


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file elsewhere. It is put together on this machine and uploaded at the end."""

    place: Place
    form: str
    journal: Path

    @property
    def name(self) -> str:
        """The URI without its query."""
        return self.place.name

    @property
    def most_pages(self) -> int | None:
        """How many pages the format has room for."""
        return 1 if self.form in ONE_PAGE else None

    def check(self) -> None:
        """Raises OutputError for a store that cannot be reached."""
        check_store(self.place)

    def mark(self) -> dict[str, Any]:
        """Size and time of change."""
        with refusals(self.name):
            stat = _stat(self.place)
        return {} if stat is None else marked(stat)

    def write(self, write: WriteFile, rows: Iterable[Any], work: Path) -> None:
        """Raises OutputError."""
        with on_its_way(work) as path:
            write(path, rows)
            with refusals(self.name):
                if path.exists():
                    self.place.put(path)
                elif _stat(self.place) is not None:
                    self.place.delete()


def _stat(place: Place) -> Stat | None:
    try:
        return place.stat()
    except FileNotFoundError:
        return None
