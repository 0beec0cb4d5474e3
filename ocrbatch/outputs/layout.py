"""A row of results as blocks, lines and words, which the formats for documents have in common."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from ocrbatch.types import Polygon, Word

Box = tuple[int, int, int, int]
"""Left, top, right, bottom in whole pixels of the page."""


_ALMOST_LEVEL = 15.0  # degrees


@dataclass(frozen=True, slots=True)
class Line:
    """Regions that stand on one line: their text, outline, score in 0..1, and words."""

    text: str
    outline: Polygon
    score: float
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """What was kept of a page, in reading order."""

    source: str
    page: int
    n_pages: int
    width: int
    height: int
    blocks: tuple[tuple[Line, ...], ...]
    models: tuple[str, ...] = ()

    def box(self, points: Polygon) -> Box:
        """The smallest upright box around ``points``, within the page and at least a pixel wide and high where there
        is room."""
        left, top = np.floor(points.min(axis=0)).tolist()
        right, bottom = np.ceil(points.max(axis=0)).tolist()
        left, top = _within(left, self.width - 1), _within(top, self.height - 1)
        right, bottom = _within(right, self.width), _within(bottom, self.height)
        return left, top, max(right, left + 1), max(bottom, top + 1)

    def corners(self, points: Polygon) -> list[tuple[int, int]]:
        """The outline's corners in whole pixels within the page."""
        return [(_within(x, self.width), _within(y, self.height)) for x, y in points.tolist()]

    def around(self, lines: Iterable[Line]) -> Polygon:
        """The upright box around some lines."""
        return upright(np.concatenate([line.outline for line in lines]))


def layout_of(row: Mapping[str, Any]) -> Layout:
    """The layout of a page that did not fail. Raises ValueError for a row without size, with a damaged outline, or
    without what every region has."""
    try:
        return _layout_of(row)
    except LookupError as error:
        raise ValueError(f"a region or word of the row has no {error}") from error


def _layout_of(row: Mapping[str, Any]) -> Layout:
    width, height = int(row["width"] or 0), int(row["height"] or 0)
    if width < 1 or height < 1:
        raise ValueError("the row says nothing of the page's size")
    kept = [region for region in row["regions"] or () if region["kept"] and region["text"]]
    kept.sort(key=lambda region: region["order"])
    blocks = groupby(kept, key=lambda region: region["block"])
    models = tuple(model for model in (row["det_model"], row["rec_model"]) if model)
    pages = int(row["page"] or 0), int(row["n_pages"] or 1)
    return Layout(row["source"], *pages, width, height, tuple(_lines(block) for _, block in blocks), models)


def upright(points: Polygon) -> Polygon:
    """The upright rectangle (4, 2) around points."""
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


def levelled(points: Polygon) -> Polygon:
    """A word's quadrilateral, turned about its middle so that its letters stand on a level line when they almost do, or
    exactly upright or upside down; further slanted ones stay as they are.

    Readers of PDF take a word apart whose letters do not stand at one height: poppler from half a point on.
    """
    across, down = points[1] - points[0], points[3] - points[0]
    angle = float(np.degrees(np.arctan2(across[1], across[0])))
    right = 90.0 * round(angle / 90.0)
    if abs(angle - right) > _ALMOST_LEVEL:
        return points
    axis = np.array([np.cos(np.radians(right)), np.sin(np.radians(right))], np.float32)
    half_width, half_height = np.linalg.norm(across) / 2 * axis, np.linalg.norm(down) / 2 * axis[::-1] * [-1, 1]
    corners = [-half_width - half_height, half_width - half_height, half_width + half_height, half_height - half_width]
    return (points[:4].mean(axis=0) + np.stack(corners)).astype(np.float32)


def _lines(regions: Iterable[Mapping[str, Any]]) -> tuple[Line, ...]:
    """Regions of one line side by side; one that is on no line, because nothing put it in order, is a line itself."""
    numbered = enumerate(regions)
    lines = groupby(numbered, key=lambda item: item[1]["line"] if item[1]["line"] >= 0 else -1 - item[0])
    return tuple(_line([region for _, region in line]) for _, line in lines)


def _line(regions: list[Mapping[str, Any]]) -> Line:
    outlines = [_points(region["polygon"] or region["points"]) for region in regions]
    outline = outlines[0] if len(outlines) == 1 else upright(np.concatenate(outlines))
    words = tuple(word for region in regions for word in _words(region))
    score = min(float(region["rec_score"] or 0) for region in regions)
    return Line(" ".join(region["text"] for region in regions), outline, _score(score), words)


def _words(region: Mapping[str, Any]) -> list[Word]:
    """The region's words; the region as one word where it has none."""
    words = region["words"] or [
        {"text": region["text"], "points": region["points"], "score": region["rec_score"] or 0.0}
    ]
    return [Word(word["text"], _points(word["points"]), _score(word["score"])) for word in words]


def _points(values: Any) -> Polygon:
    points = np.asarray(values, np.float32).reshape(-1, 2)
    if len(points) < 3 or not np.isfinite(points).all():
        raise ValueError("an outline has too few corners, or a corner that is no number")
    return points


def _score(value: float) -> float:
    return min(1.0, max(0.0, float(value)))


def _within(value: float, limit: int) -> int:
    return min(max(round(value), 0), limit)
