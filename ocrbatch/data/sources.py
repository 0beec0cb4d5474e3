"""Which files a run reads: a lazy walk in a stable order that opens none of them."""

# ruff: noqa: PTH110, PTH112, PTH116, PTH117, PTH118, PTH120, PTH122
# (os is several times faster than pathlib on folders of a million files)

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

from ocrbatch.data.places import Place, Stat, is_uri
from ocrbatch.data.stores import reason
from ocrbatch.errors import InputError

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
    Links are followed, but never into a folder that is being walked. ``skip`` are folders that are not entered, and
    files that are passed over in folders.
    ``takes`` is called once for each file, in order, with its name in the results; those that it turns down are left
    out without a question to the file system.
    """
    barred = frozenset(_identity(path) for path in skip if path.is_dir())
    passed = {path.name: _identity(path) for path in skip if path.is_file()}
    for number, (path, source, stat) in enumerate(_files(paths, selection, barred, passed)):
        if takes(source):
            size, mtime_ns = _local_stat(path) if stat is None else (stat.size, stat.mtime_ns)
            yield SourceFile(path, source, size, mtime_ns, number)


def _files(
    paths: Iterable[str],
    selection: Selection,
    barred: frozenset[tuple[int, int]],
    passed: Mapping[str, tuple[int, int]],
) -> Iterator[tuple[str, str, Stat | None]]:
    """Path, name in the results and, for those elsewhere, what the listing said of each file."""
    for path in paths:
        if is_uri(path):
            for place, stat in remote_files(path, selection):
                yield place.uri, place.name, stat
            continue
        path = os.path.normpath(path)
        if not os.path.isdir(path):
            yield path, printable(path), None
            continue
        for file in _walk(path, "", selection, barred | {_identity(path)}):
            known = passed.get(os.path.split(file)[1])  # asking for the identity of each file takes time
            if known is None or known != _identity(file):
                yield file, printable(file), None


def remote_files(uri: str, selection: Selection) -> Iterator[tuple[Place, Stat]]:
    """Files at a URI in the order of a folder on this machine. Raises InputError when a folder cannot be listed."""
    place = Place.parse(uri)
    try:
        stat = place.stat()
        if stat is None:
            yield from _walk_remote(place, "", selection)
        else:
            yield place, stat
    except FileNotFoundError:  # reading it says why
        yield place, Stat(-1, -1)
    except OSError as error:
        raise InputError(f"Cannot list {place.name}: {reason(error)}.") from error


def _walk_remote(folder: Place, below: str, selection: Selection) -> Iterator[tuple[Place, Stat]]:
    for name, stat in sorted(folder.entries(), key=lambda entry: (entry[0] if entry[1] else f"{entry[0]}/").encode()):
        relative = f"{below}{name}"
        if stat is not None:
            if selection.takes(name, relative):
                yield folder.child(name), stat
        elif not name.startswith(".") and not selection.drops(name, relative):
            yield from _walk_remote(folder.child(name), f"{relative}/", selection)


def common_folder(paths: Sequence[str]) -> str:
    """The deepest folder that holds all of ``paths``, as sources are called; empty when there is none."""
    folders = [_folder_of(path) for path in paths]
    if len({(os.path.isabs(folder), is_uri(folder)) for folder in folders}) != 1:
        return ""
    if is_uri(folders[0]):
        scheme, _, first = folders[0].partition("://")
        shared = os.path.commonpath([first, *(folder.partition("://")[2] for folder in folders[1:])])
        return f"{scheme}://{shared}" if all(folder.startswith(f"{scheme}://") for folder in folders) and shared else ""
    return printable(os.path.commonpath(folders))


def _folder_of(path: str) -> str:
    if is_uri(path):
        place = Place.parse(path)
        return place.parent().name if os.path.splitext(place.key)[1].lower() in SUFFIXES else place.name
    path = os.path.normpath(path)
    return path if os.path.isdir(path) else os.path.dirname(path)


def still_there(source: str, paths: Sequence[str]) -> bool:
    """Whether there is a file that results call ``source``; one elsewhere is asked for in the way that ``paths`` are
    reached. When it cannot be found out, there is."""
    if not is_uri(source):
        return os.path.exists(source)
    try:
        as_reached(source, roots_of(paths)).stat()
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True


def roots_of(paths: Iterable[str]) -> dict[str, Place]:
    """The buckets of those of ``paths`` that are URIs, by name, as the first of each is reached."""
    roots: dict[str, Place] = {}
    for path in paths:
        if is_uri(path):
            root = Place.parse(path).root()
            roots.setdefault(root.name, root)
    return roots


def as_reached(source: str, roots: Mapping[str, Place]) -> Place:
    """The place that results call ``source``, with the query and the credentials of its bucket among ``roots``."""
    place = Place.parse(source)
    root = roots.get(place.root().name, place)
    return replace(place, netloc=root.netloc, query=root.query)


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


def _local_stat(path: str) -> tuple[int, int]:
    try:
        status = os.stat(path)
    except OSError:
        return -1, -1
    return status.st_size, status.st_mtime_ns


def _matches(patterns: Sequence[str], name: str, relative: str) -> bool:
    return any(fnmatchcase(name, pattern) or fnmatchcase(relative, pattern) for pattern in patterns)
