"""What lenses, sensors and files do to a picture.

Every function takes and returns uint8, (h, w) or (h, w, 3), any size.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Rng = np.random.Generator


def smooth_field(
    rng: Rng, height: int, width: int, cell: float, *, low: float = 0.0, high: float = 1.0
) -> NDArray[np.float32]:
    """Random smooth field, float32 (height, width) in low..high, whose hills are about ``cell`` pixels wide."""
    cell = max(1.0, cell)
    coarse = rng.random([int(side / cell) + 3 for side in (height, width)], np.float32)
    top, left = (int(place) for place in rng.random(2) * cell)
    # one axis after the other, each cut to size at once: a hill may be much larger than the picture
    tall = cv2.resize(coarse, (coarse.shape[1], round(coarse.shape[0] * cell)))[top : top + height]
    wide = cv2.resize(tall, (round(coarse.shape[1] * cell), height))[:, left : left + width]
    return np.asarray(wide * np.float32(high - low) + np.float32(low), np.float32)


def multiply(image: Pixels, field: NDArray[np.float32]) -> Pixels:
    """Every pixel times the field (h, w)."""
    factor = field if image.ndim == 2 else field[:, :, None]
    return np.clip(image * factor, 0, 255).astype(np.uint8)


def blur(image: Pixels, sigma: float, sigma_y: float | None = None) -> Pixels:
    """Gaussian blur; ``sigma_y`` when it differs along the columns."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), max(0.05, sigma), sigmaY=max(0.05, sigma_y or sigma)), np.uint8)


def defocus(image: Pixels, radius: float) -> Pixels:
    """Blur by a disc, as a lens out of focus makes it."""
    reach = int(np.ceil(radius))
    grid = np.hypot(*np.meshgrid(*[np.arange(-reach, reach + 1)] * 2))
    kernel = np.clip(radius + 0.5 - grid, 0, 1)
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()), np.uint8)


def motion(image: Pixels, length: float, angle: float) -> Pixels:
    """Blur along a line of ``length`` pixels at ``angle`` radians."""
    size = max(3, int(np.ceil(length)) | 1)
    kernel = np.zeros((size, size), np.float32)
    half, centre = (length - 1) / 2, size // 2
    shift = np.array([np.cos(angle), np.sin(angle)]) * half
    start, end = ([round(float(v)) for v in centre + sign * shift] for sign in (-1, 1))
    cv2.line(kernel, start, end, 1.0, 1)
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()), np.uint8)


def resample(image: Pixels, scale: float, *, smooth: bool = True) -> Pixels:
    """Shrunk by ``scale`` below 1 and enlarged again to its size."""
    height, width = image.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA if smooth else cv2.INTER_NEAREST)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def sensor_noise(image: Pixels, rng: Rng, sigma: float, grain: float = 1.0) -> Pixels:
    """Gaussian noise with a standard deviation of ``sigma`` grey levels in grains of ``grain`` pixels."""
    height, width = image.shape[:2]
    channels = () if image.ndim == 2 else (3,)
    rows, columns = max(1, round(height / grain)), max(1, round(width / grain))
    noise = rng.standard_normal((rows, columns, *channels), np.float32) * np.float32(sigma)
    if (rows, columns) != (height, width):
        noise = np.asarray(cv2.resize(noise, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def specks(image: Pixels, rng: Rng, density: float, *, value: int = 0, size: int = 1) -> Pixels:
    """Spots of ``value``, ``size`` pixels at most, on the share ``density`` of the pixels."""
    height, width = image.shape[:2]
    result = image.copy()
    for _ in range(int(rng.poisson(density * height * width))):
        y, x = int(rng.integers(height)), int(rng.integers(width))
        h, w = (int(side) for side in rng.integers(1, size + 1, 2))
        result[y : y + h, x : x + w] = value
    return result


def jpeg(image: Pixels, quality: int) -> Pixels:
    """What JPEG leaves of the picture at ``quality`` 1..100."""
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE if image.ndim == 2 else cv2.IMREAD_COLOR), np.uint8)


def levels(image: Pixels, low: float, high: float, gamma: float = 1.0) -> Pixels:
    """Grey 0..255 mapped to low..high along a curve of ``gamma``."""
    table = np.clip(low + (high - low) * (np.arange(256) / 255) ** gamma, 0, 255).astype(np.uint8)
    return table[image]


def expose(image: Pixels, black: float, white: float, gamma: float = 1.0) -> Pixels:
    """Grey ``black``..``white`` spread over 0..255 along a curve of ``gamma``; all beyond is clipped, as scanners do to
    get white paper: the soft rims of strokes go, and pale strokes grow thin."""
    share = (np.arange(256) - black) / max(1.0, white - black)
    return (np.clip(share, 0, 1) ** gamma * 255).astype(np.uint8)[image]


def sharpen(image: Pixels, amount: float) -> Pixels:
    """Unsharp mask, as scanners apply it: leaves light rims around dark strokes."""
    return np.asarray(cv2.addWeighted(image, 1 + amount, cv2.GaussianBlur(image, (0, 0), 1.5), -amount, 0), np.uint8)


def uneven_light(image: Pixels, rng: Rng, strength: float) -> Pixels:
    """Slow change of brightness over the picture, down to 1 - ``strength``."""
    height, width = image.shape[:2]
    cell = max(height, width, 500) / 2  # light changes slowly, however small the piece that is seen
    return multiply(image, smooth_field(rng, height, width, cell, low=1 - strength, high=1.0))


def shadow(image: Pixels, rng: Rng, strength: float, softness: float = 6.0) -> Pixels:
    """One side of a random straight edge darkened to 1 - ``strength``; the edge is ``softness`` pixels wide."""
    return multiply(image, 1 - strength / (1 + np.exp(np.clip(-_distance(image, rng) / softness, -60, 60))))


def fold(image: Pixels, rng: Rng, strength: float, width: float = 2.0) -> Pixels:
    """A crease: a dark line with a light one beside it, ``width`` pixels wide."""
    distance = _distance(image, rng) / width
    return multiply(image, 1 - strength * distance * np.exp(-(distance**2) / 2))


def _distance(image: Pixels, rng: Rng) -> NDArray[np.float32]:
    """Signed distance of each pixel from a random straight line through the picture, float32 (h, w)."""
    height, width = image.shape[:2]
    angle = rng.random() * 2 * np.pi
    x0, y0 = rng.random() * width, rng.random() * height
    across = (np.arange(width, dtype=np.float32) - np.float32(x0)) * np.float32(np.cos(angle))
    down = (np.arange(height, dtype=np.float32) - np.float32(y0)) * np.float32(np.sin(angle))
    return np.clip(across[None] + down[:, None], -300, 300)
