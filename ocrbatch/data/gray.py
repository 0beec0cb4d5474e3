"""Gray pictures where RGB is expected: one plane seen three times takes a third of the memory, and no conversions."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ocrbatch.types import Image


def as_rgb(gray: NDArray[np.uint8]) -> Image:
    """A gray picture, uint8 (H, W), as RGB (H, W, 3) without a copy; it cannot be written to."""
    return np.broadcast_to(gray[..., None], (*gray.shape, 3))


def as_gray(picture: Image) -> NDArray[np.uint8]:
    """The luminance of a picture, RGB uint8 (H, W, 3), as uint8 (H, W); no copy of what :func:`as_rgb` made."""
    return picture[..., 0] if is_gray(picture) else np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)


def is_gray(picture: Image) -> bool:
    """Whether a picture, or a part of one, was made by :func:`as_rgb`."""
    return picture.strides[2] == 0


def contiguous(picture: Image) -> Image:
    """A part of a picture as one of its own, gray if it was."""
    return as_rgb(np.ascontiguousarray(picture[..., 0])) if is_gray(picture) else np.ascontiguousarray(picture)
