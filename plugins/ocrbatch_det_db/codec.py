"""DB between pages and arrays: what goes into the network and what its probability map says. Numpy and OpenCV only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from ocrbatch import geometry
from ocrbatch.contracts import Detection, PageFit
from ocrbatch.data.fit import fit_page
from ocrbatch.types import Image, Polygon
from ocrbatch_det_db.config import DBConfig
from ocrbatch_det_db.offset import unclip_distance, unshrink_distance

Outline: TypeAlias = NDArray[Any]

_SMALLEST_CORE = 4.0  # pixels of the map
_RIM = 2.0  # by which a core is smaller than the outline that it would have by itself


class DBCodec:
    """Fits pages into the network and reads outlines off its probability map (Liao et al., 2020, section 3.6)."""

    def __init__(self, config: DBConfig) -> None:
        self._config = config

    def encode(self, page: Image) -> tuple[NDArray[np.uint8], PageFit]:
        """The page scaled and padded for the network, and how it was fitted."""
        return fit_page(page, self._config.input)

    def decode(self, outputs: Sequence[NDArray[Any]], fit: PageFit) -> list[Detection]:
        """Outlines from the probability map (H, W, 1), in page pixels, clipped to the page, from top to bottom."""
        probability = np.ascontiguousarray(outputs[0][..., 0], np.float32)
        outlines = find_outlines(probability > self._config.thresh, self._config)
        if not outlines:
            return []
        rects = np.stack([tight_rect(outline) for outline in outlines])
        scores = np.array(self._scores(probability, outlines, rects))
        good = scores >= self._config.box_thresh
        cores, of = self._cores(probability, outlines, ~good)
        if cores:
            outlines = [*outlines, *cores]
            core_rects = np.stack([tight_rect(core) for core in cores])
            core_rects[:, 2:4] += _RIM
            rects = np.concatenate([rects, core_rects])
            good = np.append(good, np.array(self._scores(probability, cores, core_rects)) >= self._config.box_thresh)
            scores = np.append(scores, scores[of])  # what is in a doubtful outline stays doubtful
        grown = rects.copy()
        grown[:, 2:4] += 2.0 * self._distance(rects[:, 2] * rects[:, 3], 2.0 * (rects[:, 2] + rects[:, 3]))[:, None]
        margins = self._config.margin * grown[:, 2:4].min(axis=1)
        grown[:, 2:4] += margins[:, None]
        quads = self._to_page(geometry.order_quads(geometry.rect_corners(grown)), fit)
        good &= (grown[:, 2:4].min(axis=1) >= self._config.min_size) & (_areas(quads) >= 1.0)
        order = np.flatnonzero(good)[::-1]  # cv2 finds the lowest outline first
        if cores:
            order = order[np.argsort([outlines[i][:, 0, 1].min() for i in order], kind="stable")]
        return [Detection(quads[i], float(scores[i]), self._polygon(outlines[i], margins[i] / 2, fit)) for i in order]

    def _cores(
        self, probability: NDArray[np.float32], outlines: Sequence[Outline], weak: NDArray[np.bool_]
    ) -> tuple[list[Outline], list[int]]:
        """Outlines of what is surely text inside of weak ones, if it is large enough for a letter, and the numbers of
        those that they are in."""
        cores: list[Outline] = []
        of: list[int] = []
        thresh = self._config.core_thresh
        if thresh is None:
            return cores, of
        for number in np.flatnonzero(weak).tolist():
            outline = outlines[number]
            x, y, width, height = cv2.boundingRect(outline)
            if min(width, height) < _SMALLEST_CORE:
                continue
            inside = np.zeros((height, width), np.uint8)
            cv2.drawContours(inside, [outline], -1, 1, cv2.FILLED, offset=(-x, -y))
            sure = (probability[y : y + height, x : x + width] > thresh) & (inside > 0)
            for core in find_outlines(sure, self._config):
                if min(cv2.minAreaRect(core)[1]) >= _SMALLEST_CORE:
                    cores.append(core + np.array([x, y], np.int32))
                    of.append(number)
        return cores, of

    def _scores(
        self, probability: NDArray[np.float32], outlines: Sequence[Outline], rects: NDArray[Any]
    ) -> list[float]:
        if self._config.score_mode == "slow":
            return [mean_inside(probability, outline[:, 0]) for outline in outlines]
        corners = np.rint(geometry.rect_corners(rects)).astype(np.int32)
        (left, top), (right, bottom) = np.maximum(corners.min(axis=1), 0).T, corners.max(axis=1).T + 1
        windows = np.stack([top, bottom, left, right], axis=1).tolist()
        return [
            # an upright box is all of its window: that takes a third of the time
            cv2.mean(probability[y:y1, x:x1])[0] if upright else mean_inside(probability, shape)
            for upright, (y, y1, x, x1), shape in zip(rects[:, 4] == 0, windows, corners, strict=True)
        ]

    def _distance(self, area: Any, length: Any) -> Any:
        ratio = self._config.unclip_ratio
        if ratio is None:
            return unshrink_distance(area, length, self._config.shrink_ratio)
        return unclip_distance(area, length, ratio)

    def _polygon(self, outline: Outline, margin: float, fit: PageFit) -> Polygon | None:
        """The outline itself, grown, if it is wanted; None when it is too small to be one."""
        if not self._config.polygons:
            return None
        length = cv2.arcLength(outline, True)
        simple = cv2.approxPolyDP(outline, 0.002 * length, True)[:, 0]
        pieces = geometry.offset_polygon(simple, float(self._distance(cv2.contourArea(outline), length) + margin))
        largest = max(pieces, key=lambda piece: abs(geometry.signed_area(piece)), default=None)
        return None if largest is None else self._to_page(largest, fit)

    def _to_page(self, points: Polygon, fit: PageFit) -> Polygon:
        scale = np.array([fit.scale_x, fit.scale_y])
        return geometry.clip_polygon(points / scale, fit.width, fit.height)


def find_outlines(bitmap: NDArray[np.bool_], config: DBConfig) -> list[Outline]:
    """Outer contours, int32 (n, 1, 2), of the connected parts of a bitmap (H, W), the largest ``max_candidates``."""
    pixels: NDArray[Any] = bitmap.view(np.uint8)
    if config.use_dilation:
        pixels = cv2.dilate(pixels, np.ones((2, 2), np.uint8))
    contours, hierarchy = cv2.findContours(pixels, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    if hierarchy is None:
        return []
    outer = [contour for contour, link in zip(contours, hierarchy[0], strict=True) if link[3] < 0 and len(contour) > 1]
    if len(outer) <= config.max_candidates:
        return outer
    sizes = np.array([cv2.contourArea(contour) for contour in outer])
    kept = np.sort(np.argsort(-sizes, kind="stable")[: config.max_candidates])
    return [outer[i] for i in kept]


def tight_rect(outline: Outline) -> NDArray[np.float64]:
    """Smallest rectangle around an outline as centre x, y, width, height and angle in radians.

    It is set upright where an upright one is less than a pixel larger: the steps of a raster must not tilt a box.
    """
    left, top, width, height = cv2.boundingRect(outline)
    centre, sides, degrees = cv2.minAreaRect(outline)
    short, long = sorted(sides)
    if max(min(width, height) - 1 - short, max(width, height) - 1 - long) >= 1.0:
        return np.array((*centre, *sides, np.deg2rad(degrees)))
    size = (long, short) if width > height else (short, long)
    return np.array((left + (width - 1) / 2, top + (height - 1) / 2, *size, 0.0))


def mean_inside(probability: NDArray[np.float32], polygon: NDArray[Any]) -> float:
    """Mean of a map (H, W) over the pixels of a polygon."""
    height, width = probability.shape
    corners = np.rint(polygon).astype(np.int32)
    x, y, w, h = cv2.boundingRect(corners)
    left, top, right, bottom = max(x, 0), max(y, 0), min(x + w, width), min(y + h, height)
    mask = np.zeros((bottom - top, right - left), np.uint8)
    cv2.fillPoly(mask, [corners], 1, offset=(-left, -top))
    return cv2.mean(probability[top:bottom, left:right], mask)[0]


def _areas(quads: NDArray[Any]) -> NDArray[Any]:
    diagonals = quads[:, 2] - quads[:, 0], quads[:, 3] - quads[:, 1]
    return np.abs(diagonals[0][:, 0] * diagonals[1][:, 1] - diagonals[0][:, 1] * diagonals[1][:, 0]) / 2
