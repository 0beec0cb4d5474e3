"""Files that come to an end: a pipe may never say a word, a device never stop."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path


def regular(path: Path) -> Path:
    """The path itself. Raises OSError for a pipe, a device or a socket, and where nothing is; a folder tells of itself
    when it is opened."""
    mode = path.stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise OSError(errno.EINVAL, "it is no regular file", str(path))
    return path


def files_in(folder: Path) -> list[Path]:
    """All regular files of a folder and the folders in it, sorted. Links to folders are followed, but no folder is
    visited twice: links may lead round in circles."""
    return sorted(path for path in _walk(folder, set()) if path.is_file())


def _walk(top: Path, seen: set[str]) -> Iterator[Path]:
    links = []
    for place, folders, names in os.walk(top):
        seen.add(os.path.realpath(place))
        folders[:] = [name for name in folders if os.path.realpath(Path(place, name)) not in seen]
        links += [path for name in folders if (path := Path(place, name)).is_symlink()]
        yield from (Path(place, name) for name in names)
    for link in sorted(links):  # after what needs no link: paths stay as they are without it
        if os.path.realpath(link) not in seen:
            yield from _walk(link, seen)
