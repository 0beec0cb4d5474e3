"""Which files a run reads: a lazy walk in a stable order that opens none of them."""

# ruff: noqa: PTH112, PTH116, PTH117, PTH118, PTH120, PTH122
# (os is several times faster than pathlib on folders of a million files)

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

SUFFIXES = frozenset(
    (
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".tif", ".tiff", ".bmp", ".dib", ".webp", ".gif", ".avif", ".pdf"),
        *(".jp2", ".j2k", ".jpf", ".pbm", ".pgm", ".ppm", ".pnm"),
    )
)
"""Names of files that a folder's walk takes, in lower case; others need ``include`` or their own mention."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to read: its ``path``, how results call it, what the file system says of it (-1 when unreadable), and its
    place in the listing, from 0."""

    path: str
    source: str
    size: int
    mtime_ns: int
    place: int = 0


@dataclass(frozen=True, slots=True)
class Selection:
    """Glob patterns, matched against a file's name and against its path below the folder that was named.

    ``include`` replaces the list of known suffixes; ``exclude`` wins over it, and keeps whole folders out.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def takes(self, name: str, relative: str) -> bool:
        """Whether a file met in a folder belongs to the run. Hidden files do only when a pattern names them."""
        if self.drops(name, relative):
            return False
        if self.include:
            return _matches(self.include, name, relative)
        return not name.startswith(".") and os.path.splitext(name)[1].lower() in SUFFIXES

    def drops(self, name: str, relative: str) -> bool:
        """Whether ``exclude`` names this file or folder."""
        return _matches(self.exclude, name, relative)


def list_sources(
    paths: Iterable[str],
    selection: Selection = Selection(),
    skip: Sequence[Path] = (),
    takes: Callable[[str], bool] = lambda _: True,
) -> Iterator[SourceFile]:
    """Files of ``paths`` in the order given, those of folders sorted by path, recursively and lazily.

    A path that is no folder is taken as it is, whatever its name, even when nothing is there: reading it says why.
    Links are followed, but never into a folder that is being walked. ``skip`` are folders that are not entered.
    ``takes`` is called once for each file, in order, with its name in the results; those that it turns down are left
    out without a question to the file system.
    """
    barred = frozenset(_identity(path) for path in skip if path.is_dir())
    for place, path in enumerate(_files(paths, selection, barred)):
        source = printable(path)
        if takes(source):
            yield _source(path, source, place)


def _files(paths: Iterable[str], selection: Selection, barred: frozenset[tuple[int, int]]) -> Iterator[str]:
    for path in paths:
        path = os.path.normpath(path)
        if os.path.isdir(path):
            yield from _walk(path, "", selection, barred | {_identity(path)})
        else:
            yield path


def common_folder(paths: Sequence[str]) -> str:
    """The deepest folder that holds all of ``paths``, as sources are called; empty when there is none."""
    folders = [path if os.path.isdir(path) else os.path.dirname(path) for path in map(os.path.normpath, paths)]
    if len({os.path.isabs(folder) for folder in folders}) != 1:
        return ""
    return printable(os.path.commonpath(folders))


def printable(path: str) -> str:
    """A file name as text: bytes that are no UTF-8 are written as backslash escapes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _walk(folder: str, below: str, selection: Selection, barred: frozenset[tuple[int, int]]) -> Iterator[str]:
    try:
        entries = _entries(folder)
    except OSError:  # reading it says why
        yield folder
        return
    for name, is_folder in entries:
        path, relative = name if folder == os.curdir else os.path.join(folder, name), f"{below}{name}"
        if not is_folder:
            if selection.takes(name, relative):
                yield path
        elif not name.startswith(".") and not selection.drops(name, relative):
            identity = _identity(path)
            if identity not in barred:
                yield from _walk(path, f"{relative}/", selection, barred | {identity})


def _entries(folder: str) -> list[tuple[str, bool]]:
    """Names of a folder with whether each is a folder; files stand where their name sorts among whole paths."""
    with os.scandir(folder) as entries:
        found = [(entry.name, _is_folder(entry)) for entry in entries]
    return sorted(found, key=lambda entry: os.fsencode(f"{entry[0]}/" if entry[1] else entry[0]))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that points to itself
        return False


def _identity(path: str | Path) -> tuple[int, int]:
    try:
        status = os.stat(path)
    except OSError:
        return (-1, -1)
    return status.st_dev, status.st_ino


def _source(path: str, source: str, place: int) -> SourceFile:
    try:
        status = os.stat(path)
    except OSError:
        return SourceFile(path, source, -1, -1, place)
    return SourceFile(path, source, status.st_size, status.st_mtime_ns, place)


def _matches(patterns: Sequence[str], name: str, relative: str) -> bool:
    return any(fnmatchcase(name, pattern) or fnmatchcase(relative, pattern) for pattern in patterns)
