"""What text stands on, and the colours of both."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ocrbatch.data.regular import files_in
from ocrbatch.data.synth.ink import Mask
from ocrbatch.data.synth.optics import Pixels, Rng, smooth_field
from ocrbatch.errors import InputError

Colour = NDArray[np.float32]
PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})


def print_ink(rng: Rng, mask: Mask, *, inverse: bool = False, colour: bool = False) -> Pixels:
    """The mask as dark ink on plain paper, (h, w) or with ``colour`` (h, w, 3); ``inverse``: light on dark."""
    paper, ink = rng.choice([255.0, rng.uniform(235, 255), rng.uniform(195, 245)]), rng.exponential(30)
    ink = min(ink, paper - 70)
    if inverse:
        paper, ink = rng.uniform(0, 110), rng.uniform(200, 255)
    if not colour:
        return _ramp(paper, ink)[mask]
    papers, inks = _tint(rng, paper, 25), _tint(rng, ink, 120 if ink < 128 else 30)
    return np.stack([_ramp(p, i)[mask] for p, i in zip(papers, inks, strict=True)], axis=-1)


def _ramp(start: float, end: float) -> Pixels:
    return np.linspace(start, end, 256).clip(0, 255).astype(np.uint8)


def _tint(rng: Rng, grey: float, most: float) -> Colour:
    """A colour about as bright as ``grey``, away from it by at most ``most``."""
    shift = rng.uniform(-1, 1, 3) * rng.uniform(0, most)
    return np.clip(grey + shift - shift @ [0.299, 0.587, 0.114], 0, 255).astype(np.float32)


def luminance(colour: Colour) -> float:
    """Brightness of an RGB colour, 0..255."""
    return float(colour @ np.array([0.299, 0.587, 0.114], np.float32))


def contrasting(rng: Rng, ground: Colour, least: float) -> Colour:
    """A random colour ``least`` grey levels or more lighter or darker than ``ground``; else black or white."""
    level = luminance(ground)
    for _ in range(8):
        colour = (
            rng.uniform(0, 255, 3).astype(np.float32)
            if rng.random() < 0.6
            else np.float32(rng.uniform(0, 255, 1)).repeat(3)
        )
        if abs(luminance(colour) - level) >= least:
            return colour
    return np.full(3, 0 if level > 127 else 255, np.float32)


def background(rng: Rng, height: int, width: int, pictures: Sequence[Path] = ()) -> NDArray[np.float32]:
    """Something that text may stand on, float32 (height, width, 3) in 0..255.

    A piece of one of the ``pictures`` if there are any (two times of three), else a plain, shaded, striped or speckled
    surface.
    """
    if pictures and rng.random() < 0.67:
        piece = _piece(rng, pictures[int(rng.integers(len(pictures)))], height, width)
        if piece is not None:
            return piece
    ground = np.empty((height, width, 3), np.float32)
    ground[:] = _surface_colour(rng)
    kind = rng.random()
    if kind < 0.25:
        return ground
    for cell, strength in ((max(height, width), 90), (height / 2, 70), (4, 40), (1.5, 30)):
        if rng.random() < 0.45:
            amount = rng.uniform(0.1, 1) * strength
            field = smooth_field(rng, height, width, cell, low=-amount, high=amount)
            ground += field[:, :, None] * rng.uniform(0.6, 1, 3).astype(np.float32)
    if kind > 0.85:
        ground += _stripes(rng, height, width)[:, :, None]
    return np.clip(ground, 0, 255)


def _surface_colour(rng: Rng) -> NDArray[np.float64]:
    """Mostly muted: a grey moved towards some hue."""
    grey = rng.choice([rng.uniform(0, 255), rng.uniform(190, 255), rng.uniform(10, 70)])
    return grey + (rng.uniform(0, 255, 3) - grey) * rng.choice([0.0, rng.uniform(0, 0.4), rng.uniform(0.4, 1)])


def _stripes(rng: Rng, height: int, width: int) -> NDArray[np.float32]:
    angle, period = rng.uniform(0, np.pi), rng.uniform(4, 40)
    along = np.arange(width, dtype=np.float32) * np.cos(angle) + np.arange(height, dtype=np.float32)[:, None] * np.sin(
        angle
    )
    return np.where((along / period) % 1 < rng.uniform(0.1, 0.6), rng.uniform(-60, 60), 0).astype(np.float32)


def _piece(rng: Rng, path: Path, height: int, width: int) -> NDArray[np.float32] | None:
    picture = _load(str(path))
    if picture is None or min(picture.shape[:2]) < 8:
        return None
    scale = max(height / picture.shape[0], width / picture.shape[1], rng.uniform(0.2, 1))
    rows, columns = (max(side, 1) for side in (int(height / scale), int(width / scale)))
    y, x = (
        int(rng.integers(max(1, all_ - part + 1))) for all_, part in zip(picture.shape, (rows, columns), strict=False)
    )
    return cv2.resize(picture[y : y + rows, x : x + columns], (width, height), interpolation=cv2.INTER_LINEAR).astype(
        np.float32
    )


@lru_cache(maxsize=32)
def _load(path: str) -> Pixels | None:
    picture = cv2.imread(path, cv2.IMREAD_COLOR_RGB)
    if picture is None:
        return None
    scale = min(1.0, 1200 / max(picture.shape[:2]))
    return np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


def scene(rng: Rng, mask: Mask, pictures: Sequence[Path] = ()) -> Pixels:
    """The mask as a word on a sign or a photograph, (h, w, 3): coloured, now and then with a shadow or a rim."""
    height, width = mask.shape
    ground = background(rng, height, width, pictures)
    base = ground.mean(axis=(0, 1))
    least = min(190.0, 30 + float(ground.std()) + rng.exponential(80))
    colour = contrasting(rng, base, least)
    reach = max(1, round(height * rng.uniform(0.02, 0.07)))
    effect = rng.random()
    if effect < 0.18:
        shift = np.array([[1, 0, rng.choice([-1, 1]) * reach], [0, 1, reach]], np.float32)
        shade = cv2.GaussianBlur(cv2.warpAffine(mask, shift, (width, height)), (0, 0), rng.uniform(0.4, 2)).astype(
            np.uint8
        )
        ground = _lay(ground, shade, contrasting(rng, colour, 60), rng.uniform(0.4, 1))
    elif effect < 0.32:
        rim = cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))).astype(
            np.uint8
        )
        ground = _lay(ground, rim, contrasting(rng, colour, 70))
    return _lay(ground, mask, colour, rng.uniform(0.85, 1)).clip(0, 255).astype(np.uint8)


def _lay(ground: NDArray[np.float32], mask: Mask, colour: Colour, strength: float = 1.0) -> NDArray[np.float32]:
    cover = (mask.astype(np.float32) * np.float32(strength / 255))[:, :, None]
    return ground + (colour.astype(np.float32) - ground) * cover


def find_pictures(folder: Path | None) -> tuple[Path, ...]:
    """Picture files under a folder, links followed, sorted. Raises InputError where there is none."""
    if folder is None:
        return ()
    found = tuple(path for path in files_in(folder) if path.suffix.lower() in PICTURES)
    if not found:
        raise InputError(
            f"No pictures found in {folder}: give a folder with .jpg or .png files, or leave --backgrounds out."
        )
    return found
