"""Pages that lie on their side or upside down: how to tell, and how regions get back onto the page as it lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ocrbatch.data.gray import contiguous
from ocrbatch.geometry import quad_sizes
from ocrbatch.types import Image, Polygon, TextRegion

BETTER = 0.1
"""What the mean score must gain for a page to be turned: photographs with a few letters stay as they are."""

_SAMPLE = 12
_FEWEST = 20


def mean_score(regions: Sequence[TextRegion]) -> float:
    """Mean score of the characters read; 0 where there are too few to tell anything."""
    count = sum(len(region.text) for region in regions)
    return sum(len(region.text) * region.rec_score for region in regions) / count if count >= _FEWEST else 0.0


def longest_lines(regions: Sequence[TextRegion]) -> list[TextRegion]:
    """Those that tell most about which way a page lies: some of the longest regions that are wider than high. A tall
    one is read turned whichever way the page lies."""
    quads = np.array([region.points for region in regions], np.float32).reshape(-1, 4, 2)
    width, height = quad_sizes(quads).T
    order = np.argsort(-width, kind="stable")
    return [regions[number] for number in order if width[number] > height[number]][:_SAMPLE]


def upside_down(regions: Sequence[TextRegion]) -> list[TextRegion]:
    """The same regions as they would be read with the page turned by half."""
    return [replace(region, points=np.roll(region.points, 2, axis=0)) for region in regions]


def turned(picture: Image, quarters: int) -> Image:
    """A picture (H, W, 3) turned counterclockwise by quarters of a full turn."""
    return contiguous(np.rot90(picture, quarters))


def turned_back(regions: Sequence[TextRegion], quarters: int, width: int, height: int) -> tuple[TextRegion, ...]:
    """Regions of a turned picture on the page of ``width`` and ``height`` before it was turned. Their corners still
    begin at the top left of the text."""
    if not quarters % 4:
        return tuple(regions)

    def back(points: Polygon) -> Polygon:
        x, y = points[:, 0], points[:, 1]
        places = {1: (width - y, x), 2: (width - x, height - y), 3: (y, height - x)}[quarters % 4]
        return np.stack(places, axis=1).astype(np.float32)

    return tuple(
        replace(
            region,
            points=back(region.points),
            polygon=None if region.polygon is None else back(region.polygon),
            words=tuple(replace(word, points=back(word.points)) for word in region.words),
        )
        for region in regions
    )


def in_words(quarters: int) -> tuple[str, ...]:
    """The warning that a page read ``quarters`` counterclockwise bears; none for a page that was not turned."""
    how = {1: "90 degrees counterclockwise", 2: "180 degrees", 3: "90 degrees clockwise"}
    return (f"The page does not lie upright: it was read turned by {how[quarters % 4]}.",) if quarters % 4 else ()
