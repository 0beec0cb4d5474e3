"""What label files say, whatever their format."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ocrbatch.types import Polygon

Content = Literal["pages", "lines"]
"""What a data set labels: pages with outlines, or pictures of one line with its text."""


@dataclass(frozen=True, slots=True, eq=False)
class RegionLabel:
    """One labelled outline: ``points`` (n, 2) in pixels of the page, n >= 3; ``text`` NFC, or None when nobody wrote it
    down; ``ignore`` marks what neither counts as found nor as missed."""

    points: Polygon
    text: str | None = None
    ignore: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class PageLabel:
    """All outlines of one page; ``size`` is the picture's (height, width) where the label file says so."""

    image: Path
    regions: tuple[RegionLabel, ...]
    size: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class LineLabel:
    """The text, NFC, of a picture of one line; ``size`` is its (height, width) where the label file says so."""

    image: Path
    text: str
    size: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Flaw:
    """A label that cannot be understood: where it stands, and why, without a full stop."""

    where: str
    reason: str

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}."
