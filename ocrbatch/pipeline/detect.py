"""Finding the text of a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ocrbatch.config.run import TileConfig
from ocrbatch.contracts import Detection, DetectorCodec, PageFit, Session
from ocrbatch.geometry import clip_polygon
from ocrbatch.pipeline.tiling import Tile, cut, merge
from ocrbatch.types import Image, Polygon, TextRegion


@dataclass(frozen=True, slots=True)
class Detector:
    """A loaded detector; ``model`` is how results call it."""

    codec: DetectorCodec
    session: Session
    tiles: TileConfig
    model: str

    def find(self, page: Image) -> tuple[TextRegion, ...]:
        """Regions of a page, RGB uint8 (H, W, 3), without text, from top to bottom."""
        batch, fit = self.codec.encode(page)
        tiles = self._tiles(fit)
        if len(tiles) == 1:
            found = self._decode(batch, fit)
        else:
            found = merge([self._look(page, tile) for tile in tiles])
        regions = (_region(detection, fit) for detection in found)
        return tuple(sorted(regions, key=lambda region: (region.points[:, 1].min(), region.points[:, 0].min())))

    def _tiles(self, fit: PageFit) -> list[Tile]:
        """The whole page as one tile unless it would be shrunk too far to read small print."""
        scale = min(fit.scale_x, fit.scale_y)
        side = int(max(fit.height, fit.width) * scale / self.tiles.min_scale)
        if scale >= self.tiles.min_scale or side < 1:
            return [Tile(0, 0, fit.width, fit.height)]
        return cut(fit.width, fit.height, side, self.tiles.overlap)

    def _look(self, page: Image, tile: Tile) -> list[Detection]:
        part = np.ascontiguousarray(page[tile.top : tile.bottom, tile.left : tile.right])
        corner = np.array([tile.left, tile.top], np.float32)
        return [_moved(detection, corner) for detection in self._decode(*self.codec.encode(part))]

    def _decode(self, batch: NDArray[np.uint8], fit: PageFit) -> list[Detection]:
        outputs: Sequence[NDArray[Any]] = self.session(batch[None])
        return self.codec.decode([output[0] for output in outputs], fit)


def _moved(detection: Detection, corner: NDArray[np.float32]) -> Detection:
    polygon = None if detection.polygon is None else detection.polygon + corner
    return replace(detection, points=detection.points + corner, polygon=polygon)


def _region(detection: Detection, fit: PageFit) -> TextRegion:
    def inside(polygon: Polygon) -> Polygon:
        return clip_polygon(polygon, fit.width, fit.height)

    polygon = None if detection.polygon is None else inside(detection.polygon)
    return TextRegion(points=inside(detection.points), polygon=polygon, det_score=float(detection.score))
