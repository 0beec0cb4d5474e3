"""The values that travel through a run, all frozen. Coordinates are pixels of the displayed page, origin top left."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Image: TypeAlias = NDArray[np.uint8]
"""Picture, uint8, (height, width, 3), RGB, EXIF orientation applied."""

Polygon: TypeAlias = NDArray[np.float32]
"""Outline, float32, (n, 2) as x, y; quadrilaterals are (4, 2), clockwise from the top left of the text."""


@dataclass(frozen=True, slots=True)
class PageRef:
    """One page of one file; ``page`` counts from 0 within ``n_pages``."""

    source: str
    page: int = 0
    n_pages: int = 1


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a region: its text, its quadrilateral and its score in 0..1."""

    text: str
    points: Polygon
    score: float


@dataclass(frozen=True, slots=True)
class TextRegion:
    """One detected run of text.

    ``det_score`` and ``rec_score`` are in 0..1. ``kept`` is false once a filter has rejected the region: it stays in
    the results all the same. ``order``, ``line`` and ``block`` count from 0 in reading order; -1 means not ordered.
    """

    points: Polygon
    polygon: Polygon | None = None
    text: str = ""
    det_score: float = 1.0
    rec_score: float = 1.0
    kept: bool = True
    order: int = -1
    line: int = -1
    block: int = -1
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class PageResult:
    """What was read on one page; ``seconds`` maps a stage's name to its time."""

    ref: PageRef
    sha256: str
    width: int
    height: int
    regions: tuple[TextRegion, ...]
    text: str = ""
    warnings: tuple[str, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PageFailure:
    """Why one page could not be read. ``kind`` is the error's class, ``stage`` where it happened."""

    ref: PageRef
    kind: str
    stage: str
    message: str
    sha256: str = ""
