"""Boxes to lines and columns, by distances relative to a line's typical height: resolution does not matter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple

import numpy as np

_DEEPEST = 4
NARROWEST_COLUMN = 6.0  # typical heights: narrower ones are prices, numbers, marks
_FULL = 0.8  # share of the column's width that the lines of running text fill
_HALF_FULL = 0.5
_ALIGNED = 0.8  # share of lines with a partner on the other side, as in a table


@dataclass(frozen=True, slots=True)
class Box:
    """An upright box of the levelled page; ``number`` says which region it is."""

    number: int
    left: float
    top: float
    right: float
    bottom: float

    @property
    def height(self) -> float:
        """Height in pixels."""
        return self.bottom - self.top


@dataclass(frozen=True, slots=True)
class Rules:
    """Distances in pixels, and what counts as one line; see ReadingOrderConfig."""

    columns: bool
    column_gap: float
    column_lines: int
    narrowest: float
    line_overlap: float


Line = list[Box]


def sections(boxes: Sequence[Box], rules: Rules, depth: int = 0) -> Iterator[list[Line]]:
    """Runs of lines in reading order: a column, or what stands above, between or below columns."""
    if not rules.columns or depth == _DEEPEST:
        if boxes:
            yield lines_of(boxes, rules.line_overlap)
        return
    plain: list[Box] = []
    strips, page_width = _strips(boxes), _width(boxes)
    start = 0
    while start < len(strips):
        end, columns = _column_run(strips[start:], page_width, rules)
        if not columns:
            plain += strips[start]
            start += 1
            continue
        if plain:
            yield lines_of(plain, rules.line_overlap)
            plain = []
        for column in columns:
            yield from sections(column, rules, depth + 1)
        start += end
    if plain:
        yield lines_of(plain, rules.line_overlap)


def lines_of(boxes: Sequence[Box], overlap: float) -> list[Line]:
    """Lines from top to bottom, boxes from left to right. A box joins the line whose middle range it shares most of."""
    growing: list[_Growing] = []
    for box in sorted(boxes, key=lambda box: (box.top + box.bottom, box.left)):
        near = [line for line in growing[-8:] if line.bottom > box.top and line.top < box.bottom]
        best = max(near, key=lambda line: _vertical_share(box, line.top, line.bottom), default=None)
        if best is None or _vertical_share(box, best.top, best.bottom) < overlap:
            best = _Growing()
            growing.append(best)
        best.add(box)
    ordered = sorted(growing, key=lambda line: line.top + line.bottom)
    return [sorted(line.boxes, key=lambda box: box.left) for line in ordered]


@dataclass(slots=True)
class _Growing:
    """A line that boxes join; ``top`` and ``bottom`` are the means of theirs, kept up at each step: this is the inner
    loop of the search for columns."""

    boxes: Line = field(default_factory=list)
    tops: float = 0.0
    bottoms: float = 0.0
    top: float = 0.0
    bottom: float = 0.0

    def add(self, box: Box) -> None:
        self.boxes.append(box)
        self.tops += box.top
        self.bottoms += box.bottom
        self.top, self.bottom = self.tops / len(self.boxes), self.bottoms / len(self.boxes)


def _vertical_share(box: Box, top: float, bottom: float) -> float:
    shared = min(box.bottom, bottom) - max(box.top, top)
    return shared / max(1e-6, min(box.height, bottom - top))


def _strips(boxes: Sequence[Box]) -> list[list[Box]]:
    """Boxes between white bands that run across the whole width, from top to bottom."""
    strips: list[list[Box]] = []
    reach = -np.inf
    for box in sorted(boxes, key=lambda box: box.top):
        # letters of neighbouring lines may touch: a third of a line's height does not bind strips together
        if strips and box.top < reach - 0.3 * box.height:
            strips[-1].append(box)
        else:
            strips.append([box])
        reach = max(reach, box.bottom)
    return strips


def _column_run(strips: Sequence[Sequence[Box]], page_width: float, rules: Rules) -> tuple[int, list[list[Box]]]:
    """How many of the first strips are columns, as many as possible, and the columns (maybe none)."""
    bands: list[_Band] = []
    best: tuple[int, list[list[Box]]] = (0, [])
    for count, strip in enumerate(strips, start=1):
        for box in strip:
            bands = _joined(bands, box, rules.column_gap)
        if len(bands) < 2:
            if best[1] or bands[0].right - bands[0].left > 0.6 * page_width:
                break
        elif all(band.right - band.left >= rules.narrowest and band.boxes >= rules.column_lines for band in bands):
            columns = _columns([box for strip in strips[:count] for box in strip], sorted(bands))
            if (lines := _lines_of_columns(columns, rules)) and not _is_table(columns, lines, rules):
                best = count, columns
    return best


class _Band(NamedTuple):
    """A range of the page's width that ``boxes`` boxes fill, without white bands that run down all of them."""

    left: float
    right: float
    boxes: int


def _joined(bands: Sequence[_Band], box: Box, gap: float) -> list[_Band]:
    """Bands with one box more, which joins all that it comes nearer to than ``gap``: the inner loop of the search."""
    left, right, boxes = box.left, box.right, 1
    apart = []
    for band in bands:
        if box.left < band.right + gap and band.left < box.right + gap:
            left, right, boxes = min(left, band.left), max(right, band.right), boxes + band.boxes
        else:
            apart.append(band)
    apart.append(_Band(left, right, boxes))
    return apart


def _columns(boxes: Sequence[Box], bands: Sequence[_Band]) -> list[list[Box]]:
    """The boxes of each band."""
    return [[box for box in boxes if band.left <= box.left <= band.right] for band in bands]


def _lines_of_columns(columns: Sequence[Sequence[Box]], rules: Rules) -> list[list[Line]]:
    """The lines of each column; none at all when one of them is no column."""
    found = []
    for boxes in columns:
        lines = lines_of(boxes, rules.line_overlap)
        if len(lines) < rules.column_lines or _fullness(lines, _width(boxes)) < _HALF_FULL:
            return []
        found.append(lines)
    return found


def _is_table(columns: Sequence[Sequence[Box]], lines: Sequence[Sequence[Line]], rules: Rules) -> bool:
    """Whether lines stand beside each other as in a table: they have partners and leave the columns ragged."""
    widths = [_width(column) for column in columns]
    if all(_fullness(*column) >= _FULL for column in zip(lines, widths, strict=True)):
        return False
    fewest = min(columns, key=len)
    others = [box for column in columns if column is not fewest for box in column]
    partners = [
        any(_vertical_share(box, other.top, other.bottom) >= rules.line_overlap for other in others) for box in fewest
    ]
    return float(np.mean(partners)) >= _ALIGNED


def _fullness(lines: Sequence[Line], width: float) -> float:
    """Median share of the column's width that its lines fill."""
    return median(map(_width, lines)) / max(1e-6, width)


def _width(boxes: Sequence[Box]) -> float:
    return max([box.right for box in boxes]) - min([box.left for box in boxes])
