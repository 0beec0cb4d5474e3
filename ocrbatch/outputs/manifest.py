"""Which documents a run has put into a folder, and in what state it left them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ocrbatch.data.places import Stat

_NAME = "documents.txt"

StatOf = Callable[[str], Stat | None]
"""What is at a name in the folder now; None when nothing is."""


class Manifest:
    """A list in the folder ``work``, with a line for each document: its name, and its size and time of change once it
    is there. Each is on the list before it is in its folder, so that after a kill none is forgotten."""

    def __init__(self, work: Path) -> None:
        self._path = work / _NAME
        self._before = _read(self._path)
        self._now: dict[str, Stat | None] = {}

    def __enter__(self) -> Self:
        self._file = self._path.open("a", encoding="utf-8")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._file.close()
        if kind is None:
            now = self._path.with_suffix(".partial")
            now.write_text("".join(_line(*entry) for entry in self._now.items()), encoding="utf-8")
            now.replace(self._path)

    def add(self, name: str) -> None:
        """A document is going to be written: from now on nobody knows in what state it is."""
        self._now[name] = None
        if self._before.get(name, ...) is not None:
            self._file.write(_line(name, None))
            self._file.flush()

    def written(self, name: str, stat: Stat | None) -> None:
        """It is there."""
        self._now[name] = stat
        self._file.write(_line(name, stat))

    def surplus(self) -> list[str]:
        """Documents of earlier runs that were not written this time."""
        return sorted(self._before.keys() - self._now.keys())

    def changed(self, stat_of: StatOf) -> str | None:
        """A document that somebody has changed since it was written."""
        for name, before in self._before.items():
            if before is not None and (now := stat_of(name)) is not None and now != before:
                return name
        return None


def _line(name: str, stat: Stat | None) -> str:
    return f"{json.dumps([name, stat.size, stat.mtime_ns] if stat else name)}\n"


def _read(path: Path) -> dict[str, Stat | None]:
    """The last that was noted of each document."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    return dict(entry for line in lines if (entry := _entry(line)) is not None)


def _entry(line: str) -> tuple[str, Stat | None] | None:
    """None for a line that a kill cut off."""
    try:
        noted: Any = json.loads(line)
    except ValueError:
        return None
    return (noted[0], Stat(noted[1], noted[2])) if isinstance(noted, list) else (str(noted), None)
