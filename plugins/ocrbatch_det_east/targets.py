"""What EAST learns: the maps of one picture from its outlines (Zhou et al., 2017, section 3.3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ocrbatch import geometry
from ocrbatch.types import Polygon
from ocrbatch_det_east.config import STRIDE, EastConfig


def make_targets(
    config: EastConfig, size: tuple[int, int], polygons: Sequence[Polygon], ignore: Sequence[bool]
) -> dict[str, NDArray[Any]]:
    """Maps of a picture of ``size`` (height, width), a quarter of that: (h, w).

    ``score``: uint8, 1 inside the shrunk outlines; ``mask``: uint8, 0 where text is ignored or too small;
    ``geometry``: float32 (h, w, 8 or 5), as the network gives it; ``side``: float32, the outline's shortest side, 1
    elsewhere.
    """
    shape = size[0] // STRIDE, size[1] // STRIDE
    score, mask = np.zeros(shape, np.uint8), np.ones(shape, np.uint8)
    values = np.zeros((*shape, 8 if config.geometry == "quad" else 5), np.float32)
    side = np.ones(shape, np.float32)
    for polygon, ignored in zip(polygons, ignore, strict=True):
        quad = to_quad(polygon, config)
        short = min(geometry.quad_size(quad))
        if ignored or short < max(config.min_text_size, 1e-3):
            _fill(mask, quad, 0)
            continue
        cells = np.zeros(shape, np.uint8)
        _fill(cells, shrink(quad, config.shrink), 1)
        y, x = np.nonzero(cells)
        score[y, x] = 1
        side[y, x] = max(1.0, float(_sides(quad).min()))
        pixels = np.stack([x, y], axis=1).astype(np.float32) * STRIDE
        values[y, x] = to_corners(pixels, quad) if config.geometry == "quad" else to_sides(pixels, quad)
    return {"score": score, "mask": mask, "geometry": values, "side": side}


def to_quad(polygon: Polygon, config: EastConfig) -> Polygon:
    """The outline as four corners clockwise from the top left; a rectangle for ``rbox`` or more corners."""
    if config.geometry == "quad" and len(polygon) == 4:
        return geometry.order_quad(polygon)
    return geometry.min_area_quad(polygon)[0]


def shrink(quad: Polygon, ratio: float) -> Polygon:
    """Corners moved along their two sides by ``ratio`` of the shorter of them, the longer pair of sides first."""
    points = np.asarray(quad, np.float64)
    sides = _sides(points)
    shortest = np.minimum(sides, np.roll(sides, 1)) * ratio
    starts = (0, 2, 1, 3) if sides[0] + sides[2] >= sides[1] + sides[3] else (1, 3, 0, 2)
    for start in starts:
        end = (start + 1) % 4
        along = points[end] - points[start]
        along /= max(float(np.hypot(*along)), 1e-6)
        points[start] += along * shortest[start]
        points[end] -= along * shortest[end]
    return points.astype(np.float32)


def to_corners(pixels: NDArray[np.float32], quad: Polygon) -> NDArray[np.float32]:
    """Pixels (n, 2) minus each corner: (n, 8)."""
    return (pixels[:, None] - np.asarray(quad, np.float32)).reshape(len(pixels), 8)


def to_sides(pixels: NDArray[np.float32], quad: Polygon) -> NDArray[np.float32]:
    """Distances of pixels (n, 2) to the top, right, bottom and left side of a rectangle, and its angle: (n, 5)."""
    points = np.asarray(quad, np.float64)
    along = geometry.next_points(points) - points
    along /= np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-6)[:, None]
    offsets = pixels[:, None] - points
    distances = along[:, 0] * offsets[..., 1] - along[:, 1] * offsets[..., 0]
    angle = np.full((len(pixels), 1), np.arctan2(along[0, 1], along[0, 0]))
    return np.hstack([np.maximum(distances, 0), angle]).astype(np.float32)


def _sides(quad: NDArray[Any]) -> NDArray[Any]:
    return np.linalg.norm(geometry.next_points(quad) - quad, axis=1)


def _fill(canvas: NDArray[np.uint8], quad: Polygon, value: int) -> None:
    cv2.fillPoly(canvas, [np.rint(quad / STRIDE).astype(np.int32)], value)
