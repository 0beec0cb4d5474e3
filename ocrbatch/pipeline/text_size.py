"""How large the print of a page is, by a cheap look at its ink."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ocrbatch.data.gray import as_gray, as_rgb, is_gray
from ocrbatch.types import Image

_WINDOW = 31  # pixels of the halved page: the neighbourhood that a pixel is compared with
_CONTRAST = 25  # grey levels that ink differs from it
_FEWEST = 100  # blobs: fewer tell nothing
_SPREAD = (0.68, 1.5)  # of the median: the quartiles of print lie between, those of a photograph do not
_DIRT = 0.4  # of the median: what is lower is dots, dashes and dirt
_SMALLER = 0.15  # share of the print that may be smaller than what is taken for its size


def letter_height(gray: NDArray[np.uint8], scale: float = 1.0) -> float | None:
    """Height of the smaller letters on a page, uint8 (H, W), without their ascenders, in pixels of the page after it is
    scaled by ``scale``.

    None where the page does not tell: little text, or spots of any height as in photographs. Blobs of ink count by
    their width, so that joined letters weigh as much as single ones.
    """
    widths, heights = _letters(_smaller(gray, scale / 2))
    if len(heights) < _FEWEST:
        return None
    print_ = heights >= _DIRT * _quantile(heights, widths, 0.5)
    widths, heights = widths[print_], heights[print_]
    low, middle, high = (_quantile(heights, widths, share) for share in (0.25, 0.5, 0.75))
    if low < _SPREAD[0] * middle or high > _SPREAD[1] * middle:
        return None
    return 2.0 * _quantile(heights, widths, _SMALLER)


def shrunk(page: Image, scale: float) -> Image:
    """A smaller copy of a page, RGB uint8 (H, W, 3); at least one pixel."""
    return as_rgb(_smaller(as_gray(page), scale)) if is_gray(page) else _smaller(page, scale)


def _smaller(picture: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    """A picture, uint8 (H, W) or (H, W, 3), at ``scale`` below 1; at least one pixel.

    Halved as often as that goes, then sampled, which misses nothing down to half the size: both have fast kernels.
    Averaging by any other factor takes five times as long.
    """
    height, width = picture.shape[:2]
    wide, high = max(1, round(width * scale)), max(1, round(height * scale))
    while scale <= 0.5 and min(picture.shape[:2]) >= 2:
        picture = np.asarray(cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
        scale *= 2
    if picture.shape[:2] == (high, wide):
        return picture
    return np.asarray(cv2.resize(picture, (wide, high), interpolation=cv2.INTER_LINEAR), np.uint8)


def _letters(gray: NDArray[np.uint8]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Widths and heights of blobs that may be letters, or some joined ones."""
    around = cv2.blur(gray, (_WINDOW, _WINDOW))
    # ink covers less than paper does, so it differs more from the mean of both: that tells dark print from light
    contrast = max(cv2.subtract(around, gray), cv2.subtract(gray, around), key=cv2.norm)
    ink = cv2.threshold(contrast, _CONTRAST, 255, cv2.THRESH_BINARY)[1]
    # of OpenCV's algorithms the fastest one on print; all of them give the same blobs
    stats = cv2.connectedComponentsWithStatsWithAlgorithm(ink, 8, _labels(ink), cv2.CCL_SPAGHETTI)[2][1:]
    width, height, area = (stats[:, column] for column in (cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT, cv2.CC_STAT_AREA))
    filled = area > 0.15 * width * height  # frames and hair are not
    letters = filled & (area >= 6) & (height >= 3) & (height <= 100) & (width >= 2) & (width < 12 * height)
    return width[letters], height[letters]


def _labels(ink: NDArray[np.uint8]) -> int:
    """The type in which blobs are numbered: 16 bits, in a little more than half the time of 32, where they suffice. No
    more numbers are given out than ink begins in rows."""
    beginnings = ink.shape[0] + np.count_nonzero(ink[:, 1:] > ink[:, :-1])
    return cv2.CV_16U if beginnings < 2**16 else cv2.CV_32S


def _quantile(values: NDArray[np.int32], weights: NDArray[np.int32], share: float) -> float:
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(reached, share * reached[-1])])
