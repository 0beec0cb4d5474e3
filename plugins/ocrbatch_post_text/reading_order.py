"""In what order regions are read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ocrbatch.geometry import quad_sizes
from ocrbatch.types import TextRegion
from ocrbatch_post_text.config import ReadingOrderConfig
from ocrbatch_post_text.layout import NARROWEST_COLUMN, Box, Line, Rules, sections

Quads = NDArray[np.float64]


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
        quads = np.stack([region.points for region in regions]).astype(np.float64)
        typical = float(np.median(quad_sizes(quads).min(axis=1))) or 1.0
        rules = Rules(
            columns=self.config.columns,
            column_gap=self.config.column_gap * typical,
            column_lines=self.config.column_lines,
            narrowest=NARROWEST_COLUMN * typical,
            line_overlap=self.config.line_overlap,
        )
        order = 0
        numbered = self._blocks(sections(_level(quads), rules), self.config.block_gap * typical)
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


def _level(quads: Quads) -> list[Box]:
    """Upright boxes of quadrilaterals after turning the page so that its longer boxes are level."""
    angle = _slant(quads)
    turned = quads @ np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    left, right = turned[..., 0].min(axis=1), turned[..., 0].max(axis=1)
    # sides rather than corners, so that a box that is slanted itself does not grow into its neighbours
    sides = turned[..., 1].reshape(-1, 2, 2).mean(axis=2)
    edges = np.stack([left, sides.min(axis=1), right, sides.max(axis=1)], axis=1)
    return [Box(number, *box) for number, box in enumerate(edges.tolist())]


def _slant(quads: Quads) -> float:
    """Angle in radians by which the text runs, weighted by length; 0 when no box is clearly longer than high."""
    sides = quad_sizes(quads)
    along = (quads[:, 1] + quads[:, 2] - quads[:, 0] - quads[:, 3])[sides[:, 0] > 2 * sides[:, 1]] / 2
    if not len(along):
        return 0.0
    angles, lengths = np.arctan2(along[:, 1], along[:, 0]), np.hypot(along[:, 0], along[:, 1])
    order = np.argsort(angles)
    half = np.searchsorted(np.cumsum(lengths[order]), lengths.sum() / 2)
    return float(angles[order][half])
