"""What DB learns: the maps of one picture from its outlines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ocrbatch import geometry
from ocrbatch.types import Polygon
from ocrbatch_det_db.config import DBConfig
from ocrbatch_det_db.offset import shrink_distance


def make_targets(
    config: DBConfig, size: tuple[int, int], polygons: Sequence[Polygon], ignore: Sequence[bool]
) -> dict[str, NDArray[Any]]:
    """Maps of a picture of ``size`` (height, width), each of that shape (Liao et al., 2020, section 3.4).

    ``probability``: uint8, 1 inside the shrunk outlines; ``probability_mask``: float16, how much a pixel counts: 0
    where text is ignored or too small, else 1, more inside small text (:func:`small_text_weight`); ``threshold``:
    float16, from ``threshold_max`` on an outline down to ``threshold_min`` at the shrinking distance on both sides;
    ``threshold_mask``: uint8, 1 where the threshold map is trained.
    """
    probability, threshold_mask = np.zeros(size, np.uint8), np.zeros(size, np.uint8)
    probability_mask = np.ones(size, np.float32)
    nearness = np.zeros(size, np.float32)
    shrunk, blank = [], []
    for polygon, ignored in zip(polygons, ignore, strict=True):
        outline = np.asarray(polygon, np.float32)
        inner, distance = shrink(outline, config.shrink_ratio)
        if ignored or not inner or min(cv2.minAreaRect(outline)[1]) < config.min_text_size:
            blank.append(outline)
        else:
            shrunk.extend(inner)
            draw_border(outline, distance, nearness, threshold_mask)
    for inner_outline in shrunk:
        _fill(probability_mask, [inner_outline], small_text_weight(config, inner_outline))
    _fill(probability_mask, blank, 0)
    _fill(probability, shrunk, 1)
    nearness *= config.threshold_max - config.threshold_min
    nearness += config.threshold_min
    return {
        "probability": probability,
        "probability_mask": probability_mask.astype(np.float16),
        "threshold": nearness.astype(np.float16),
        "threshold_mask": threshold_mask,
    }


def small_text_weight(config: DBConfig, shrunk: Polygon) -> float:
    """How much each pixel of a shrunk outline counts: 1, more where its area is below ``small_text_area``."""
    area = max(1.0, abs(geometry.signed_area(shrunk)))
    return float(np.clip(np.sqrt(config.small_text_area / area), 1.0, 4.0))


def shrink(outline: Polygon, ratio: float) -> tuple[list[Polygon], float]:
    """The outline moved inwards by the shrinking distance (no piece when nothing is left), and that distance."""
    distance = shrink_distance(abs(geometry.signed_area(outline)), geometry.perimeter(outline), ratio)
    inner = geometry.inset_convex(outline, distance)
    return ([inner] if inner is not None else geometry.offset_polygon(outline, -distance)), distance


def draw_border(outline: Polygon, reach: float, nearness: NDArray[np.float32], mask: NDArray[np.uint8]) -> None:
    """Raises ``nearness`` (H, W) to 1 - d / ``reach`` where the distance d to the outline is below ``reach``, and sets
    ``mask`` there and inside of the outline."""
    height, width = nearness.shape
    left, top = np.maximum(np.floor(outline.min(axis=0) - reach).astype(int), 0)
    right, bottom = np.minimum(np.ceil(outline.max(axis=0) + reach).astype(int) + 1, (width, height))
    if left >= right or top >= bottom or reach <= 0:
        return
    near = geometry.distance_to_outline(outline, (left, top, right, bottom))
    np.multiply(near, -1.0 / reach, out=near)
    near += 1.0
    window = (slice(top, bottom), slice(left, right))
    np.maximum(nearness[window], near, out=nearness[window])
    mask[window] |= near > 0
    _fill(mask, [outline], 1)


def _fill(canvas: NDArray[Any], polygons: Sequence[Polygon], value: float) -> None:
    """Each polygon on its own, so that overlapping ones do not cancel out."""
    for polygon in polygons:
        cv2.fillPoly(canvas, [np.rint(polygon).astype(np.int32)], value)
