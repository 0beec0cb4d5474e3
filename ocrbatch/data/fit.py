"""Fitting pictures into networks: the one place where training and running resize, convert colours and pad."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from ocrbatch.config.schema import Color, DetectorInput, ImageInput, RecognizerInput
from ocrbatch.contracts import PageFit
from ocrbatch.data.gray import as_gray
from ocrbatch.types import Image

MID_GREY = 127
"""What a line is padded with: about 0 after normalising with mean and std of 0.5."""

_SAMPLED = 1.5
"""Lines up to so many times as large as in the network are sampled, which takes a quarter of the time of averaging and
is read as well; of twice the size one in a hundred would be read worse."""


def convert_color(picture: Image, color: Color) -> NDArray[np.uint8]:
    """RGB uint8 (H, W, 3) as (H, W, 3) in the order of ``color``, or as (H, W, 1) for gray."""
    if color == "gray":
        return as_gray(picture)[..., None]
    return np.ascontiguousarray(picture[..., ::-1]) if color == "bgr" else picture


def fit_line(line: Image, input: RecognizerInput) -> tuple[NDArray[np.uint8], float]:
    """A line picture, RGB uint8 (h, w, 3), as uint8 (input.height, W, C), and the fraction of W that the line covers.

    W is the first of ``input.widths`` that holds the line, which keeps its aspect and stands at the left; a line longer
    than the last width is squeezed into it.
    """
    height, width = line.shape[:2]
    wanted = max(1, round(width * input.height / height))
    target = next((step for step in input.widths if step >= wanted), input.widths[-1])
    used = min(wanted, target)
    little = height <= _SAMPLED * input.height and width <= _SAMPLED * used
    kernel = cv2.INTER_LINEAR if little else cv2.INTER_AREA
    resized = _resize(convert_color(line, input.color), input.height, used, kernel)
    fitted = np.full((input.height, target, input.channels), MID_GREY, np.uint8)
    fitted[:, :used] = resized
    return fitted, used / target


def fit_page(page: Image, input: DetectorInput) -> tuple[NDArray[np.uint8], PageFit]:
    """A page, RGB uint8 (h, w, 3), as uint8 (H, W, C), and how it was fitted.

    H and W are multiples of ``input.divisor``. The page keeps its aspect (to the nearest pixel) and stands at the top
    left; the rest holds the mean colour, which is 0 after normalising.
    """
    height, width = page.shape[:2]
    scale = page_scale(height, width, input)
    scaled_height, scaled_width = max(1, round(height * scale)), max(1, round(width * scale))
    kernel = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    resized = _resize(convert_color(page, input.color), scaled_height, scaled_width, kernel)
    shape = (_ceil_to(scaled_height, input.divisor), _ceil_to(scaled_width, input.divisor), input.channels)
    fitted = np.empty(shape, np.uint8)
    fitted[:] = mean_color(input)
    fitted[:scaled_height, :scaled_width] = resized
    return fitted, PageFit(scaled_width / width, scaled_height / height, height, width)


def page_scale(height: int, width: int, input: DetectorInput) -> float:
    """Factor for a page of this size: ``max`` only shrinks, ``min`` only enlarges."""
    if input.limit_type == "max":
        return min(1.0, input.limit_side / max(height, width))
    return max(1.0, input.limit_side / min(height, width))


def mean_color(input: ImageInput) -> NDArray[np.uint8]:
    """The pixel, uint8 (C,), that normalising turns into about 0."""
    return np.clip(np.rint(np.array(input.mean) * 255), 0, 255).astype(np.uint8)


def normalize(batch: NDArray[np.uint8], input: ImageInput) -> NDArray[np.float32]:
    """uint8 (..., C) as the networks take it: / 255, minus the mean, over the standard deviation, float32."""
    mean, std = np.array(input.mean, np.float32), np.array(input.std, np.float32)
    return ((batch.astype(np.float32) / 255 - mean) / std).astype(np.float32)


def _resize(picture: NDArray[np.uint8], height: int, width: int, kernel: int) -> NDArray[np.uint8]:
    if picture.shape[:2] == (height, width):
        return picture
    resized = cv2.resize(picture, (width, height), interpolation=kernel)
    return np.asarray(resized, np.uint8).reshape(height, width, picture.shape[2])


def _ceil_to(size: int, divisor: int) -> int:
    return math.ceil(size / divisor) * divisor
