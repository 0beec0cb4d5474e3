"""How large the print of a page is, by a cheap look at its ink."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ocrbatch.data.gray import as_gray, as_rgb
from ocrbatch.types import Image

_WINDOW = 31  # pixels of the halved page: the neighbourhood that a pixel is compared with
_CONTRAST = 25  # grey levels that ink differs from it
_FEWEST = 100  # blobs: fewer tell nothing
_SPREAD = (0.68, 1.5)  # of the median: the quartiles of print lie between, those of a photograph do not
_DIRT = 0.4  # of the median: what is lower is dots, dashes and dirt
_SMALLER = 0.15  # share of the print that may be smaller than what is taken for its size


def letter_height(gray: NDArray[np.uint8]) -> float | None:
    """Height in pixels of the smaller letters on a page, uint8 (H, W), without their ascenders.

    None where the page does not tell: little text, or spots of any height as in photographs. Blobs of ink count by
    their width, so that joined letters weigh as much as single ones.
    """
    if min(gray.shape) < 2:
        return None
    widths, heights = _letters(cv2.resize(gray, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
    if len(heights) < _FEWEST:
        return None
    low, middle, high = (_quantile(heights, widths, share) for share in (0.25, 0.5, 0.75))
    if low < _SPREAD[0] * middle or high > _SPREAD[1] * middle:
        return None
    print_ = heights >= _DIRT * middle
    return 2.0 * _quantile(heights[print_], widths[print_], _SMALLER)


def shrunk(page: Image, scale_x: float, scale_y: float, *, gray: bool = False) -> Image:
    """A smaller copy of a page, RGB uint8 (H, W, 3); at least one pixel. In ``gray`` it takes a third of the time."""
    height, width = page.shape[:2]
    size = (max(1, round(width * scale_x)), max(1, round(height * scale_y)))
    # down to half the size the fast kernel misses nothing: averaging would cost five times as much
    kernel = cv2.INTER_LINEAR if min(scale_x, scale_y) >= 0.5 else cv2.INTER_AREA
    small = cv2.resize(as_gray(page) if gray else page, size, interpolation=kernel)
    return as_rgb(np.asarray(small, np.uint8)) if gray else np.asarray(small, np.uint8)


def _letters(gray: NDArray[np.uint8]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Widths and heights of blobs that may be letters, or some joined ones."""
    around = cv2.blur(gray, (_WINDOW, _WINDOW))
    # ink covers less than paper does, so it differs more from the mean of both: that tells dark print from light
    contrast = max(cv2.subtract(around, gray), cv2.subtract(gray, around), key=cv2.norm)
    ink = cv2.threshold(contrast, _CONTRAST, 255, cv2.THRESH_BINARY)[1]
    # of OpenCV's algorithms the fastest one on print; all of them give the same blobs
    stats = cv2.connectedComponentsWithStatsWithAlgorithm(ink, 8, cv2.CV_32S, cv2.CCL_BBDT)[2][1:]
    width, height, area = (stats[:, column] for column in (cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT, cv2.CC_STAT_AREA))
    filled = area > 0.15 * width * height  # frames and hair are not
    letters = filled & (area >= 6) & (height >= 3) & (height <= 100) & (width >= 2) & (width < 12 * height)
    return width[letters], height[letters]


def _quantile(values: NDArray[np.int32], weights: NDArray[np.int32], share: float) -> float:
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(reached, share * reached[-1])])
