"""In what order regions are read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ocrbatch.geometry import quad_size
from ocrbatch.types import TextRegion
from ocrbatch_post_text.config import ReadingOrderConfig
from ocrbatch_post_text.layout import NARROWEST_COLUMN, Box, Line, Rules, sections


@dataclass(frozen=True, slots=True)
class ReadingOrder:
    """Numbers the kept regions: ``order`` on the page, ``line`` and ``block``, all from 0; rejected ones get -1."""

    config: ReadingOrderConfig

    def __call__(self, regions: tuple[TextRegion, ...], width: int, height: int) -> tuple[TextRegion, ...]:  # noqa: ARG002
        """The same regions, kept ones first and in reading order."""
        kept = [region for region in regions if region.kept]
        rejected = [replace(region, order=-1, line=-1, block=-1) for region in regions if not region.kept]
        return (*self._ordered(kept), *rejected)

    def _ordered(self, regions: Sequence[TextRegion]) -> Iterator[TextRegion]:
        if not regions:
            return
        typical = float(np.median([min(quad_size(region.points)) for region in regions])) or 1.0
        rules = Rules(
            columns=self.config.columns,
            column_gap=self.config.column_gap * typical,
            column_lines=self.config.column_lines,
            narrowest=NARROWEST_COLUMN * typical,
            line_overlap=self.config.line_overlap,
        )
        order = 0
        numbered = self._blocks(sections(_level(regions), rules), self.config.block_gap * typical)
        for line_number, (block, line) in enumerate(numbered):
            for box in line:
                yield replace(regions[box.number], order=order, line=line_number, block=block)
                order += 1

    def _blocks(self, runs: Iterator[list[Line]], gap: float) -> Iterator[tuple[int, Line]]:
        """Lines with the number of their block: a new one with each run, and after each wider white space."""
        block = -1
        for lines in runs:
            bottom = -np.inf
            for line in lines:
                if min(box.top for box in line) - bottom > gap:
                    block += 1
                bottom = max(bottom, *(box.bottom for box in line))
                yield block, line


def _level(regions: Sequence[TextRegion]) -> list[Box]:
    """Upright boxes of the regions after turning the page so that its longer boxes are level."""
    angle = _slant(regions)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    boxes = []
    for number, region in enumerate(regions):
        quad = np.asarray(region.points, np.float64) @ turn
        # sides rather than corners, so that a box that is slanted itself does not grow into its neighbours
        upper, lower = sorted((quad[[0, 1], 1].mean(), quad[[2, 3], 1].mean()))
        boxes.append(Box(number, float(quad[:, 0].min()), float(upper), float(quad[:, 0].max()), float(lower)))
    return boxes


def _slant(regions: Sequence[TextRegion]) -> float:
    """Angle in radians by which the text runs, weighted by length; 0 when no box is clearly longer than high."""
    along = [(region.points[1] + region.points[2] - region.points[0] - region.points[3]) / 2 for region in regions]
    long = [
        vector
        for vector, region in zip(along, regions, strict=True)
        if quad_size(region.points)[0] > 2 * quad_size(region.points)[1]
    ]
    if not long:
        return 0.0
    angles = np.array([np.arctan2(float(y), float(x)) for x, y in long])
    lengths = np.array([float(np.hypot(x, y)) for x, y in long])
    order = np.argsort(angles)
    half = np.searchsorted(np.cumsum(lengths[order]), lengths.sum() / 2)
    return float(angles[order][half])
