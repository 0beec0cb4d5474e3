"""Finding the text of a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ocrbatch.config.run import TileConfig
from ocrbatch.config.schema import DetectorInput
from ocrbatch.contracts import Detection, DetectorCodec, PageFit, Session
from ocrbatch.data.fit import page_scale
from ocrbatch.data.gray import as_gray, as_rgb, contiguous
from ocrbatch.geometry import clip_polygon
from ocrbatch.pipeline.text_size import letter_height, shrunk
from ocrbatch.pipeline.tiling import Tile, cut, merge
from ocrbatch.types import Image, TextRegion

_LEAST_SHRINK, _MOST_SHRINK = 0.95, 0.4


@dataclass(frozen=True, slots=True)
class Detector:
    """A loaded detector; ``model`` is how results call it, and ``input`` how its codec fits pages. Pages with letters
    higher than ``letters`` pixels of the network's input are shrunk."""

    codec: DetectorCodec
    session: Session
    input: DetectorInput
    tiles: TileConfig
    model: str
    letters: float | None = None

    def find(self, page: Image) -> tuple[TextRegion, ...]:
        """Regions of a page, RGB uint8 (H, W, 3), without text, from top to bottom."""
        height, width = page.shape[:2]
        if self.input.color == "gray":  # once: the page is looked at up to three times
            page = as_rgb(np.ascontiguousarray(as_gray(page)))
        tiles = self._tiles(height, width)
        found = self._decode(page) if len(tiles) == 1 else merge([self._look(page, tile) for tile in tiles])
        return tuple(_regions(found, height, width))

    def _tiles(self, height: int, width: int) -> list[Tile]:
        """The whole page as one tile unless it would be shrunk too far to read small print."""
        scale = page_scale(height, width, self.input)
        side = int(max(height, width) * scale / self.tiles.min_scale)
        if scale >= self.tiles.min_scale or side < 1:
            return [Tile(0, 0, width, height)]
        return cut(width, height, side, self.tiles.overlap)

    def _look(self, page: Image, tile: Tile) -> list[Detection]:
        part = contiguous(page[tile.top : tile.bottom, tile.left : tile.right])
        corner = np.array([tile.left, tile.top], np.float32)
        return [_moved(detection, corner) for detection in self._decode(part)]

    def _decode(self, page: Image) -> list[Detection]:
        height, width = page.shape[:2]
        small = self._sized(page)
        batch, fit = self.codec.encode(small)
        scale_x, scale_y = fit.scale_x * small.shape[1] / width, fit.scale_y * small.shape[0] / height
        outputs: Sequence[NDArray[Any]] = self.session(batch[None])
        return self.codec.decode([output[0] for output in outputs], PageFit(scale_x, scale_y, height, width))

    def _sized(self, page: Image) -> Image:
        """The page as large as the network takes it, or smaller when its print is larger than needed: big print costs
        little that way, while small print keeps its size."""
        fitted = self._scale(page)
        scale = fitted * self._shrink(page, fitted)
        if scale >= 1:
            return page
        small = shrunk(page, scale)
        enlarged = self._scale(small)  # by a detector with a smallest size of its own
        return page if enlarged > 1 and scale * enlarged >= fitted else small

    def _scale(self, page: Image) -> float:
        height, width = page.shape[:2]
        return page_scale(height, width, self.input)

    def _shrink(self, page: Image, scale: float) -> float:
        """How much smaller the letters of a page may be than they are at ``scale``."""
        if self.letters is None:
            return 1.0
        height = letter_height(as_gray(page), scale)
        if height is None or self.letters > _LEAST_SHRINK * height:
            return 1.0
        return max(_MOST_SHRINK, self.letters / height)


def _moved(detection: Detection, corner: NDArray[np.float32]) -> Detection:
    polygon = None if detection.polygon is None else detection.polygon + corner
    return replace(detection, points=detection.points + corner, polygon=polygon)


def _regions(found: Sequence[Detection], height: int, width: int) -> Iterator[TextRegion]:
    """Detections as regions that lie inside the page, from top to bottom."""
    if not found:
        return
    quads = clip_polygon(np.stack([detection.points for detection in found]), width, height)
    left, top = quads.min(axis=1).T
    for number in np.lexsort((left, top)).tolist():
        polygon = found[number].polygon
        inside = None if polygon is None else clip_polygon(polygon, width, height)
        yield TextRegion(points=quads[number], polygon=inside, det_score=float(found[number].score))
