"""Boxes to lines and columns, by distances relative to a line's typical height: resolution does not matter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

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
    strips = _strips(boxes)
    start = 0
    while start < len(strips):
        end, columns = _column_run(strips, start, rules)
        if not columns:
            plain += strips[start]
            start += 1
            continue
        if plain:
            yield lines_of(plain, rules.line_overlap)
            plain = []
        for column in columns:
            yield from sections(column, rules, depth + 1)
        start = end
    if plain:
        yield lines_of(plain, rules.line_overlap)


def lines_of(boxes: Sequence[Box], overlap: float) -> list[Line]:
    """Lines from top to bottom, boxes from left to right. A box joins the line whose middle range it shares most of."""
    lines: list[Line] = []
    for box in sorted(boxes, key=lambda box: (box.top + box.bottom, box.left)):
        shares = [_vertical_share(box, line) for line in lines[-8:]]
        best = shares.index(max(shares)) if shares else 0
        if shares and shares[best] >= overlap:
            lines[len(lines) - len(shares) + best].append(box)
        else:
            lines.append([box])
    ordered = sorted(lines, key=lambda line: sum(box.top + box.bottom for box in line) / len(line))
    return [sorted(line, key=lambda box: box.left) for line in ordered]


def _vertical_share(box: Box, line: Line) -> float:
    top = sum(other.top for other in line) / len(line)
    bottom = sum(other.bottom for other in line) / len(line)
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


def _column_run(strips: Sequence[Sequence[Box]], start: int, rules: Rules) -> tuple[int, list[list[Box]]]:
    """The longest run of strips from ``start`` that are columns, as its end and the columns (maybe none)."""
    whole = _extent([box for strip in strips for box in strip])
    run: list[Box] = []
    best: tuple[int, list[list[Box]]] = (start, [])
    for end in range(start, len(strips)):
        run += strips[end]
        columns = _split(run, rules.column_gap)
        if len(columns) < 2:
            low, high = _extent(run)
            if best[1] or high - low > 0.6 * (whole[1] - whole[0]):
                break
        elif all(_is_column(column, rules) for column in columns) and not _is_table(columns, rules):
            best = end + 1, columns
    return best


def _split(boxes: Sequence[Box], gap: float) -> list[list[Box]]:
    """Boxes between white bands at least ``gap`` wide that run down the whole height, from left to right."""
    columns: list[list[Box]] = []
    reach = -np.inf
    for box in sorted(boxes, key=lambda box: box.left):
        if columns and box.left < reach + gap:
            columns[-1].append(box)
        else:
            columns.append([box])
        reach = max(reach, box.right)
    return columns


def _is_column(boxes: Sequence[Box], rules: Rules) -> bool:
    low, high = _extent(boxes)
    if high - low < rules.narrowest or len(boxes) < rules.column_lines:
        return False
    return len(lines_of(boxes, rules.line_overlap)) >= rules.column_lines and _fullness(boxes, rules) >= _HALF_FULL


def _is_table(columns: Sequence[Sequence[Box]], rules: Rules) -> bool:
    """Whether lines stand beside each other as in a table: they have partners and leave the columns ragged."""
    if all(_fullness(column, rules) >= _FULL for column in columns):
        return False
    fewest = min(columns, key=len)
    others = [box for column in columns if column is not fewest for box in column]
    partners = [any(_vertical_share(box, [other]) >= rules.line_overlap for other in others) for box in fewest]
    return float(np.mean(partners)) >= _ALIGNED


def _fullness(boxes: Sequence[Box], rules: Rules) -> float:
    """Median share of the width that lines fill."""
    low, high = _extent(boxes)
    widths = [_extent(line)[1] - _extent(line)[0] for line in lines_of(boxes, rules.line_overlap)]
    return float(np.median(widths)) / max(1e-6, high - low)


def _extent(boxes: Sequence[Box]) -> tuple[float, float]:
    return min(box.left for box in boxes), max(box.right for box in boxes)
