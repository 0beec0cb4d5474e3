"""What printing, paper and copying do to dark ink on a lighter ground.

Every function takes and returns uint8, (h, w) or (h, w, 3), any size.
"""

from __future__ import annotations

import cv2
import numpy as np

from ocrbatch.data.synth.optics import Pixels, Rng, smooth_field


def gray(image: Pixels) -> Pixels:
    """Luminance, (h, w)."""
    return image if image.ndim == 2 else np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)


def like(image: Pixels, model: Pixels) -> Pixels:
    """A grey picture with as many channels as ``model``."""
    return image if model.ndim == 2 else np.repeat(image[:, :, None], 3, axis=2)


def thicken(image: Pixels, amount: float) -> Pixels:
    """Too much ink: dark strokes grow by ``amount`` pixels (0..1); by -``amount`` when it is negative they shrink."""
    kernel = np.ones((2, 2), np.uint8)
    moved = cv2.erode(image, kernel) if amount > 0 else cv2.dilate(image, kernel)
    share = min(1.0, abs(amount))
    return np.asarray(cv2.addWeighted(moved, share, image, 1 - share, 0), np.uint8)


def fade(image: Pixels, rng: Rng, strength: float, cell: float = 40.0) -> Pixels:
    """Thermal print grown pale: up to ``strength`` (0..1) of the ink's darkness is lost ``cell`` pixels a patch."""
    height, width = image.shape[:2]
    kept = 1 - smooth_field(rng, height, width, cell, low=0.3 * strength, high=strength)
    ground = _ground(image)
    return (ground - (ground - image) * (kept if image.ndim == 2 else kept[:, :, None])).clip(0, 255).astype(np.uint8)


def streaks(
    image: Pixels, rng: Rng, count: int, strength: float, *, vertical: bool = True, widest: float = 2.0
) -> Pixels:
    """``count`` pale lines of 1 to ``widest`` pixels with soft edges, as dead elements of a thermal head or dirt on it
    (vertical), or a jerking feed (horizontal), leave them."""
    height, width = image.shape[:2]
    kept = np.ones(width if vertical else height, np.float32)
    for place in rng.integers(len(kept), size=count):
        lines = int(rng.integers(1, max(1, round(widest)) + 1))
        kept[place : place + lines] = 1 - strength
    if widest > 2:
        kept = cv2.GaussianBlur(kept[None], (0, 0), widest / 6, borderType=cv2.BORDER_REPLICATE)[0]
    field = np.broadcast_to(kept if vertical else kept[:, None], (height, width))
    ground = _ground(image)
    return (ground - (ground - image) * (field if image.ndim == 2 else field[:, :, None])).clip(0, 255).astype(np.uint8)


def patchy(image: Pixels, rng: Rng, strength: float, cell: float = 2.5) -> Pixels:
    """Ink that took badly on rough paper: up to ``strength`` (0..1) of it is missing in spots of ``cell`` pixels."""
    height, width = image.shape[:2]
    kept = 1 - np.clip(smooth_field(rng, height, width, cell, low=-1.2, high=1.2), 0, 1) * strength
    ground = _ground(image)
    return (ground - (ground - image) * (kept if image.ndim == 2 else kept[:, :, None])).clip(0, 255).astype(np.uint8)


def bleed_through(image: Pixels, rng: Rng, strength: float) -> Pixels:
    """The other side of the sheet, mirrored, shifted and blurred, shines through."""
    height, width = image.shape[:2]
    shift = (int(rng.integers(height)), int(rng.integers(width)))
    other = np.roll(cv2.GaussianBlur(image[:, ::-1], (0, 0), 1.5), shift, axis=(0, 1))
    return np.clip(image - (_ground(image) - other).clip(0) * strength, 0, 255).astype(np.uint8)


def binarise(image: Pixels, bias: float = 0.0) -> Pixels:
    """Otsu's threshold moved by ``bias`` grey levels: below 0 thin strokes break, above 0 they run together."""
    pixels = gray(image)
    threshold, _ = cv2.threshold(pixels, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return like(np.where(pixels > threshold + bias, 255, 0).astype(np.uint8), image)


def binarise_adaptive(image: Pixels, block: int, offset: float) -> Pixels:
    """Threshold at the mean of a ``block`` x ``block`` neighbourhood minus ``offset`` grey levels."""
    pixels = gray(image)
    kind = (cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY)
    return like(np.asarray(cv2.adaptiveThreshold(pixels, 255, *kind, max(3, block | 1), offset), np.uint8), image)


def rough_print(image: Pixels, rng: Rng, strength: float, bias: float) -> Pixels:
    """Old book print in two tones: uneven ink, ragged edges, thin strokes that break (``bias`` below 0) or fill."""
    pixels = gray(image)
    height, width = pixels.shape
    contrast = float(np.ptp(np.percentile(pixels[:: max(1, height // 16)], (1, 90)))) / 255
    noise = rng.standard_normal((height, width), np.float32) * np.float32(20 * strength * contrast)
    noise += smooth_field(rng, height, width, 5, low=-35 * strength * contrast, high=35 * strength * contrast)
    noise += smooth_field(
        rng, height, width, 0.6 * height, low=-25 * strength * contrast, high=25 * strength * contrast
    )
    uneven = np.clip(cv2.GaussianBlur(pixels + noise, (0, 0), 0.5 + 0.5 * strength), 0, 255)
    return like(binarise(uneven.astype(np.uint8), bias * contrast), image)


def halftone(image: Pixels, period: float, angle: float = 0.785) -> Pixels:
    """Grey shown by a screen of dots ``period`` pixels apart; full black and white stay."""
    height, width = image.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32) * np.float32(2 * np.pi / period)
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    screen = (np.sin(x * cos + y * sin) * np.sin(y * cos - x * sin) + 1) * 127.5
    shown = np.clip((image - (screen if image.ndim == 2 else screen[:, :, None])) * 3 + 127, 0, 255)
    return np.asarray(cv2.addWeighted(shown.astype(np.uint8), 0.6, image, 0.4, 0), np.uint8)


def _ground(image: Pixels) -> np.float32 | np.ndarray:
    """The paper's value: the 90th percentile, per channel, of every few pixels."""
    step = max(1, min(image.shape[:2]) // 16)
    return np.percentile(image[::step, ::step], 90, axis=(0, 1)).astype(np.float32)
