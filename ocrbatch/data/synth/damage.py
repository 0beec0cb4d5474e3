"""Realistic mixtures of damage for whole pictures, a line or a page."""

from __future__ import annotations

from typing import Literal

import numpy as np

from ocrbatch.data.synth import optics, printing
from ocrbatch.data.synth.optics import Pixels, Rng

Profile = Literal["scan", "receipt", "book", "photo"]
"""Where a picture comes from: an office scanner, a thermal or needle printer, an old book, a camera."""


def damage(image: Pixels, rng: Rng, profile: Profile = "scan", *, letter: float = 24.0) -> Pixels:
    """The picture (uint8, (h, w) or (h, w, 3)) as it comes from ``profile``, same shape. ``letter`` is the height in
    pixels of its smaller letters: blur and grain stay legible for them. About 30 % of the results are nearly clean."""
    if rng.random() < 0.3:
        return _jpeg(image, rng, 75, 98) if rng.random() < 0.5 else image
    unit = float(np.clip(letter / 24, 0.4, 2.0))
    return {"scan": _scan, "receipt": _receipt, "book": _book, "photo": _photo}[profile](image, rng, unit)


def _scan(image: Pixels, rng: Rng, unit: float) -> Pixels:
    if rng.random() < 0.12:
        image = printing.bleed_through(image, rng, rng.uniform(0.05, 0.25))
    image = _ink(image, rng)
    image = _light(image, rng, 0.5)
    image = _soften(image, rng, unit)
    if rng.random() < 0.18:
        return _black_and_white(image, rng, unit)
    if rng.random() < 0.25:
        image = optics.sharpen(image, rng.uniform(0.3, 1.2))
    if rng.random() < 0.3:
        image = _scanner_white(image, rng)
    if rng.random() < 0.3:
        image = optics.levels(image, rng.uniform(0, 80), rng.uniform(180, 255), rng.uniform(0.6, 1.6))
    return _grain(image, rng)


def _receipt(image: Pixels, rng: Rng, unit: float) -> Pixels:
    image = _ink(image, rng)
    if rng.random() < 0.3:
        image = printing.fade(image, rng, rng.uniform(0.1, 0.7), rng.uniform(15, 120))
    if rng.random() < 0.15:
        image = printing.streaks(
            image, rng, int(rng.integers(1, 4)), rng.uniform(0.3, 0.9), vertical=rng.random() < 0.6
        )
    if rng.random() < 0.12:  # a dirty head: whole letters turn pale
        image = printing.streaks(image, rng, int(rng.integers(1, 5)), rng.uniform(0.3, 0.95), widest=12 * unit)
    if rng.random() < 0.25:
        image = printing.patchy(image, rng, rng.uniform(0.2, 0.8), rng.uniform(1.2, 4))
    if rng.random() < 0.08:
        image = optics.fold(image, rng, rng.uniform(0.1, 0.4), rng.uniform(1.5, 5))
    image = _light(image, rng, 0.25)
    image = _soften(_soften(image, rng, unit), rng, unit)
    if rng.random() < 0.12:
        return _black_and_white(image, rng, unit)
    if rng.random() < 0.2:
        image = optics.sharpen(image, rng.uniform(0.3, 1.2))
    if rng.random() < 0.65:
        image = _scanner_white(image, rng)
    if rng.random() < 0.15:
        image = optics.levels(image, rng.uniform(0, 130), rng.uniform(190, 255), rng.uniform(0.5, 1.6))
    if rng.random() < 0.3:  # files that were compressed, looked through and compressed again
        image = _jpeg(image, rng, 40, 95)
    return _grain(image, rng)


def _book(image: Pixels, rng: Rng, unit: float) -> Pixels:
    if rng.random() < 0.15:
        image = printing.bleed_through(image, rng, rng.uniform(0.05, 0.3))
    if rng.random() < 0.6:
        bias = float(np.clip(rng.normal(5, 25), -45, 45))
        return printing.rough_print(image, rng, rng.uniform(0.1, 1.0), bias)
    image = printing.patchy(_ink(image, rng), rng, rng.uniform(0, 0.6), rng.uniform(1.2, 4))
    image = _soften(_light(image, rng, 0.5), rng, unit)
    return _grain(image, rng)


def _photo(image: Pixels, rng: Rng, unit: float) -> Pixels:
    if rng.random() < 0.3:
        image = optics.shadow(image, rng, rng.uniform(0.1, 0.55), rng.uniform(2, 40))
    image = _light(image, rng, 0.7)
    if rng.random() < 0.12:
        image = optics.motion(image, rng.uniform(2, 4.5) * unit, rng.uniform(0, np.pi))
    elif rng.random() < 0.2:
        image = optics.defocus(image, rng.uniform(0.7, 2.2) * unit)
    else:
        image = _soften(image, rng, unit)
    if rng.random() < 0.2:
        low = rng.uniform(0, 90)
        image = optics.levels(image, low, rng.uniform(low + 90, 255), rng.uniform(0.5, 1.8))
    return _grain(image, rng, 12)


def _ink(image: Pixels, rng: Rng) -> Pixels:
    return printing.thicken(image, rng.uniform(-0.5, 0.9)) if rng.random() < 0.35 else image


def _scanner_white(image: Pixels, rng: Rng) -> Pixels:
    """The paper exposed to white and beyond."""
    step = max(1, image.shape[0] // 16)
    paper = float(np.percentile(printing.gray(image)[::step, ::step], 90))
    white = paper * rng.uniform(0.78, 1.0)
    return optics.expose(image, min(rng.uniform(-40, 60), white - 80), white, rng.uniform(0.7, 1.8))


def _light(image: Pixels, rng: Rng, share: float) -> Pixels:
    return optics.uneven_light(image, rng, rng.uniform(0.03, 0.4)) if rng.random() < share else image


def _soften(image: Pixels, rng: Rng, unit: float) -> Pixels:
    """Lower resolution or blur, mostly a little."""
    kind = rng.random()
    if kind < 0.3:
        return optics.blur(image, (0.3 + rng.exponential(0.35)) * unit, (0.3 + rng.exponential(0.35)) * unit)
    if kind < 0.55:
        return optics.resample(image, float(np.clip(rng.normal(0.7, 0.17) / max(unit, 0.75), 0.38, 0.95)))
    return image


def _black_and_white(image: Pixels, rng: Rng, unit: float) -> Pixels:
    kind = rng.random()
    if kind < 0.55:
        image = printing.binarise(image, float(rng.normal(5, 25)))
    elif kind < 0.85:
        image = printing.binarise_adaptive(image, round(rng.uniform(13, 41) * unit), rng.uniform(6, 22))
    else:
        image = printing.halftone(image, rng.uniform(2.2, 4))
    return optics.resample(image, rng.uniform(0.5, 0.95)) if rng.random() < 0.35 else image


def _grain(image: Pixels, rng: Rng, most: float = 7) -> Pixels:
    """Noise, specks and JPEG, the last things that happen."""
    if rng.random() < 0.5:
        image = optics.sensor_noise(image, rng, rng.exponential(most / 2), rng.uniform(1, 1.8))
    if rng.random() < 0.1:
        value = 0 if rng.random() < 0.5 else 255
        image = optics.specks(image, rng, rng.uniform(2e-4, 3e-3), value=value, size=int(rng.integers(1, 4)))
    return _jpeg(image, rng, 25, 95) if rng.random() < 0.5 else image


def _jpeg(image: Pixels, rng: Rng, low: int, high: int) -> Pixels:
    return optics.jpeg(image, int(rng.integers(low, high)))
