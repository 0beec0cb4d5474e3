"""EAST between pages and arrays: what goes into the network and what its maps say. Numpy and OpenCV only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ocrbatch import geometry
from ocrbatch.contracts import Detection, PageFit
from ocrbatch.data.fit import fit_page
from ocrbatch.types import Image, Polygon
from ocrbatch_det_east.config import STRIDE, EastConfig
from ocrbatch_det_east.nms import Quads, locality_aware_nms


class EastCodec:
    """Fits pages into the network and reads boxes off its maps."""

    def __init__(self, config: EastConfig) -> None:
        self._config = config

    def encode(self, page: Image) -> tuple[NDArray[np.uint8], PageFit]:
        """The page scaled and padded for the network, and how it was fitted."""
        return fit_page(page, self._config.input)

    def decode(self, outputs: Sequence[NDArray[Any]], fit: PageFit) -> list[Detection]:
        """Boxes from scores (h, w, 1) and geometry (h, w, 8 or 5), in page pixels, clipped to the page, best first."""
        config = self._config
        score, values = np.ascontiguousarray(outputs[0][..., 0], np.float32), np.asarray(outputs[1], np.float32)
        y, x = np.nonzero(score > config.score_thresh)
        if len(y) > config.max_candidates:
            best = np.sort(np.argsort(-score[y, x], kind="stable")[: config.max_candidates])
            y, x = y[best], x[best]
        pixels = np.stack([x, y], axis=1).astype(np.float32) * STRIDE
        quads = from_corners(pixels, values[y, x]) if config.geometry == "quad" else from_sides(pixels, values[y, x])
        sound = is_convex(quads)
        quads, _ = locality_aware_nms(quads[sound], score[y, x][sound], config.nms_thresh)
        found = [self._detection(quad, score, fit) for quad in quads]
        return sorted((one for one in found if one is not None), key=lambda one: -one.score)

    def _detection(self, quad: Polygon, score: NDArray[np.float32], fit: PageFit) -> Detection | None:
        cover = mean_inside(score, quad / STRIDE)
        if cover < self._config.cover_thresh or min(geometry.quad_size(quad)) < self._config.min_size:
            return None
        points = geometry.clip_polygon(quad / np.array([fit.scale_x, fit.scale_y]), fit.width, fit.height)
        if abs(geometry.signed_area(points)) < 1:
            return None
        return Detection(geometry.order_quad(points), cover)


def from_corners(pixels: NDArray[np.float32], values: NDArray[np.float32]) -> Quads:
    """Quads (n, 4, 2) of cells at ``pixels`` (n, 2) whose corners are ``values`` (n, 8) before them."""
    return pixels[:, None] - values.reshape(-1, 4, 2)


def from_sides(pixels: NDArray[np.float32], values: NDArray[np.float32]) -> Quads:
    """Quads (n, 4, 2) of cells at ``pixels`` (n, 2) from distances to the four sides and the angle (n, 5)."""
    top, right, bottom, left, angle = values.T
    across = np.stack([np.cos(angle), np.sin(angle)], axis=1)[:, None]
    down = np.stack([-np.sin(angle), np.cos(angle)], axis=1)[:, None]
    u, v = np.stack([-left, right, right, -left], axis=1), np.stack([-top, -top, bottom, bottom], axis=1)
    return (pixels[:, None] + u[..., None] * across + v[..., None] * down).astype(np.float32)


def is_convex(quads: Quads) -> NDArray[np.bool_]:
    """Which of the quads (n, 4, 2) are finite, convex and clockwise."""
    edges = np.roll(quads, -1, axis=1) - quads
    following = np.roll(edges, -1, axis=1)
    turns = edges[..., 0] * following[..., 1] - edges[..., 1] * following[..., 0]
    return np.asarray(np.isfinite(turns).all(axis=1) & (turns > 0).all(axis=1))


def mean_inside(score: NDArray[np.float32], quad: NDArray[Any]) -> float:
    """Mean of a map (h, w) over the cells of a quad; 0 when it lies outside."""
    height, width = score.shape
    corners = np.rint(quad).astype(np.int64)
    left, top = np.maximum(corners.min(axis=0), 0)
    right, bottom = np.minimum(corners.max(axis=0) + 1, (width, height))
    if left >= right or top >= bottom:
        return 0.0
    mask = np.zeros((bottom - top, right - left), np.uint8)
    cv2.fillPoly(mask, [(corners - (left, top)).astype(np.int32)], 1)
    return cv2.mean(score[top:bottom, left:right], mask)[0]
