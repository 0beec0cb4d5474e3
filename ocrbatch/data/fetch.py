"""Files as paths on this machine, wherever they are."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ocrbatch.data.places import Place, Stat, is_uri
from ocrbatch.data.problems import ChangedFile, MissingFile
from ocrbatch.data.stores import reason


@dataclass(slots=True)
class Fetcher:
    """Copies of files that are elsewhere, in the folder for temporary files. The last one is kept, for a file of many
    pages is asked for many times; a path on this machine is itself."""

    _uri: str = ""
    _stat: Stat | None = None
    _copy: Path | None = field(default=None)

    def __call__(self, path: str, alive: Callable[[], None] = lambda: None) -> Path:
        """The path of a file or its copy, which has the file's name, size and time of change. ``alive`` is called every
        few megabytes. Raises MissingFile, ChangedFile."""
        if not is_uri(path):
            return Path(path)
        place = Place.parse(path)
        if place.local is not None:
            return place.local
        stat = _stat(place)
        if (path, stat) != (self._uri, self._stat) or self._copy is None:
            self.close()
            self._copy = _copied(place, stat, alive)
            self._uri, self._stat = path, stat
        return self._copy

    def close(self) -> None:
        """Forget the copy."""
        if self._copy is not None:
            shutil.rmtree(self._copy.parent, ignore_errors=True)
            self._copy = None


def _copied(place: Place, stat: Stat, alive: Callable[[], None]) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="ocrbatch-"))
    copy = folder / _short(place.key.rpartition("/")[2])
    try:
        place.get(copy, alive)
        if copy.stat().st_size != stat.size or _stat(place) != stat:
            raise ChangedFile(f"{place.name} was changed while it was being read: start again to read it anew.")
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise MissingFile(f"Cannot read {place.name}: {reason(error)}.") from error
    except ChangedFile:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    os.utime(copy, ns=(stat.mtime_ns, stat.mtime_ns))
    return copy


def _stat(place: Place) -> Stat:
    try:
        stat = place.stat()
    except OSError as error:
        raise MissingFile(f"Cannot open {place.name}: {reason(error)}.") from error
    if stat is None:
        raise MissingFile(f"{place.name} is no regular file.")
    return stat


def _short(name: str) -> str:
    """A name that any file system takes; its end, which tells the kind, stays."""
    return name.replace("\0", "_")[-60:] or "file"
