"""Finding the text of a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ocrbatch.config.run import TileConfig
from ocrbatch.contracts import Detection, DetectorCodec, PageFit, Session
from ocrbatch.data.gray import contiguous
from ocrbatch.geometry import clip_polygon
from ocrbatch.pipeline.text_size import letter_height, shrunk
from ocrbatch.pipeline.tiling import Tile, cut, merge
from ocrbatch.types import Image, TextRegion

_LEAST_SHRINK, _MOST_SHRINK = 0.95, 0.4


@dataclass(frozen=True, slots=True)
class Detector:
    """A loaded detector; ``model`` is how results call it. Pages with letters higher than ``letters`` pixels of the
    network's input are shrunk."""

    codec: DetectorCodec
    session: Session
    tiles: TileConfig
    model: str
    letters: float | None = None

    def find(self, page: Image) -> tuple[TextRegion, ...]:
        """Regions of a page, RGB uint8 (H, W, 3), without text, from top to bottom."""
        batch, fit = self.codec.encode(page)
        tiles = self._tiles(fit)
        if len(tiles) == 1:
            found = self._decode(page, batch, fit)
        else:
            found = merge([self._look(page, tile) for tile in tiles])
        return tuple(sorted(_regions(found, fit), key=lambda region: region.points.min(axis=0)[::-1].tolist()))

    def _tiles(self, fit: PageFit) -> list[Tile]:
        """The whole page as one tile unless it would be shrunk too far to read small print."""
        scale = min(fit.scale_x, fit.scale_y)
        side = int(max(fit.height, fit.width) * scale / self.tiles.min_scale)
        if scale >= self.tiles.min_scale or side < 1:
            return [Tile(0, 0, fit.width, fit.height)]
        return cut(fit.width, fit.height, side, self.tiles.overlap)

    def _look(self, page: Image, tile: Tile) -> list[Detection]:
        part = contiguous(page[tile.top : tile.bottom, tile.left : tile.right])
        corner = np.array([tile.left, tile.top], np.float32)
        return [_moved(detection, corner) for detection in self._decode(part, *self.codec.encode(part))]

    def _decode(self, page: Image, batch: NDArray[np.uint8], fit: PageFit) -> list[Detection]:
        batch, fit = self._sized(page, batch, fit)
        outputs: Sequence[NDArray[Any]] = self.session(batch[None])
        return self.codec.decode([output[0] for output in outputs], fit)

    def _sized(self, page: Image, batch: NDArray[np.uint8], fit: PageFit) -> tuple[NDArray[np.uint8], PageFit]:
        """The page as it was fitted, or smaller when its print is larger than the network needs: big print costs little
        that way, while small print keeps its size."""
        if self.letters is None:
            return batch, fit
        height = letter_height(np.ascontiguousarray(batch[..., batch.shape[2] // 2]))
        if height is None or self.letters > _LEAST_SHRINK * height:
            return batch, fit
        shrink = max(_MOST_SHRINK, self.letters / height)
        small = shrunk(page, fit.scale_x * shrink, fit.scale_y * shrink, gray=batch.shape[2] == 1)
        smaller, again = self.codec.encode(small)
        if smaller.size >= batch.size:  # a detector with a smallest size of its own
            return batch, fit
        scale_x, scale_y = again.scale_x * small.shape[1] / fit.width, again.scale_y * small.shape[0] / fit.height
        return smaller, PageFit(scale_x, scale_y, fit.height, fit.width)


def _moved(detection: Detection, corner: NDArray[np.float32]) -> Detection:
    polygon = None if detection.polygon is None else detection.polygon + corner
    return replace(detection, points=detection.points + corner, polygon=polygon)


def _regions(found: Sequence[Detection], fit: PageFit) -> Iterator[TextRegion]:
    """Detections as regions that lie inside the page."""
    if not found:
        return
    quads = clip_polygon(np.stack([detection.points for detection in found]), fit.width, fit.height)
    for detection, points in zip(found, quads, strict=True):
        polygon = detection.polygon
        inside = None if polygon is None else clip_polygon(polygon, fit.width, fit.height)
        yield TextRegion(points=points, polygon=inside, det_score=float(detection.score))
