"""Names of files that are made from pages."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path, PurePath

_LONGEST_NAME = 200  # bytes; file systems end at 255


@dataclass(frozen=True, slots=True)
class Places:
    """Files in ``folder``, under the source's path below ``base``, so that equal names in two folders never meet."""

    folder: Path
    base: str
    suffix: str

    def of_page(self, source: str, page: int, n_pages: int) -> Path:
        """The file of one page, counted from 0."""
        return self._file(source, f".page{page + 1:04d}" if n_pages > 1 else "")

    def of_source(self, source: str) -> Path:
        """The file of all pages of a source."""
        return self._file(source, "")

    def _file(self, source: str, number: str) -> Path:
        path = PurePath(source)
        below = path.relative_to(self.base) if self.base and path.is_relative_to(self.base) else path
        parts = ["__" if part == ".." else part for part in below.parts if part != below.anchor] or ["page"]
        *folders, name = (part.replace("\0", "_") for part in parts)
        if len(name.encode(errors="replace")) > _LONGEST_NAME:
            name = f"{name[:40]}-{hashlib.sha256(name.encode(errors='replace')).hexdigest()[:12]}"
        return self.folder.joinpath(*folders, f"{name}{number}{self.suffix}")


def common_base(sources: Iterable[str]) -> str:
    """The deepest folder that all sources lie in; empty when there is none. Reads them one at a time."""
    base: tuple[str, ...] | None = None
    for source in sources:
        parts = PurePath(source).parts[:-1]
        base = parts if base is None else _common(base, parts)
        if not base:
            return ""
    return str(PurePath(*base)) if base else ""


def _common(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    same = takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    return tuple(part for part, _ in same)
