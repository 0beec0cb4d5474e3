"""Damage keeps shape and type, does what its name says, and leaves text legible."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

import numpy as np
import pytest

from ocrbatch.data.synth import optics, printing
from ocrbatch.data.synth.damage import Profile, damage
from ocrbatch.data.synth.optics import Pixels, Rng

DAMAGES: dict[str, Callable[[Pixels, Rng], Pixels]] = {
    "blur": lambda i, _: optics.blur(i, 1.2, 0.5),
    "defocus": lambda i, _: optics.defocus(i, 2.2),
    "motion": lambda i, _: optics.motion(i, 5, 0.7),
    "resample": lambda i, _: optics.resample(i, 0.5),
    "sensor_noise": lambda i, r: optics.sensor_noise(i, r, 8, 1.5),
    "specks": lambda i, r: optics.specks(i, r, 0.01, value=0, size=3),
    "jpeg": lambda i, _: optics.jpeg(i, 20),
    "levels": lambda i, _: optics.levels(i, 90, 180, 1.3),
    "expose": lambda i, _: optics.expose(i, 20, 210, 0.8),
    "sharpen": lambda i, _: optics.sharpen(i, 0.8),
    "uneven_light": lambda i, r: optics.uneven_light(i, r, 0.5),
    "shadow": lambda i, r: optics.shadow(i, r, 0.4),
    "fold": lambda i, r: optics.fold(i, r, 0.4),
    "thicken": lambda i, _: printing.thicken(i, 0.8),
    "thin": lambda i, _: printing.thicken(i, -0.8),
    "fade": lambda i, r: printing.fade(i, r, 0.8),
    "streaks": lambda i, r: printing.streaks(i, r, 40, 0.9),
    "wide streaks": lambda i, r: printing.streaks(i, r, 4, 0.9, widest=14),
    "patchy": lambda i, r: printing.patchy(i, r, 0.8),
    "bleed_through": lambda i, r: printing.bleed_through(i, r, 0.4),
    "binarise": lambda i, _: printing.binarise(i, -20),
    "binarise_adaptive": lambda i, _: printing.binarise_adaptive(i, 15, 10),
    "rough_print": lambda i, r: printing.rough_print(i, r, 0.8, -10),
    "halftone": lambda i, _: printing.halftone(i, 3.0),
}
PROFILES: tuple[Profile, ...] = get_args(Profile)


def stripes(height: int = 32, width: int = 120, *, colour: bool = False) -> Pixels:
    """Grey strokes on nearly white paper, with soft edges."""
    image = np.full((height, width), 240, np.uint8)
    image[height // 4 : -(height // 4) or None, 10::12] = 40
    image[height // 4 : -(height // 4) or None, 11::12] = 40
    image[height // 4 : -(height // 4) or None, 12::12] = 140
    return np.stack([image, image // 2 + 100, image], axis=-1) if colour else image


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("name", DAMAGES)
def test_each_keeps_the_shape_and_changes_the_picture(name: str, colour: bool) -> None:
    image = stripes(colour=colour)
    before = image.copy()
    result = DAMAGES[name](image, np.random.default_rng(0))
    assert result.shape == image.shape
    assert result.dtype == np.uint8
    assert np.array_equal(image, before), "the picture handed in was written on"
    assert not np.array_equal(result, image)


@pytest.mark.parametrize("name", DAMAGES)
@pytest.mark.parametrize("size", [(1, 1), (4, 3), (7, 200), (130, 5)])
def test_each_bears_any_size(name: str, size: tuple[int, int]) -> None:
    image = np.random.default_rng(1).integers(0, 255, size, np.uint8)
    assert DAMAGES[name](image, np.random.default_rng(0)).shape == size


@pytest.mark.parametrize("name", ["binarise", "binarise_adaptive", "rough_print"])
def test_two_tones_stay(name: str) -> None:
    assert set(np.unique(DAMAGES[name](stripes(), np.random.default_rng(0)))) == {0, 255}


def test_too_much_ink_darkens_and_too_little_lightens() -> None:
    image = stripes()
    more, less = (printing.thicken(image, amount).mean() for amount in (0.8, -0.8))
    assert more < image.mean() < less


def test_fading_takes_ink_and_leaves_paper() -> None:
    faded = printing.fade(stripes(), np.random.default_rng(0), 0.8)
    assert faded.min() > 60
    assert faded.max() == 240


def test_the_bias_breaks_strokes_or_fills_them() -> None:
    image = optics.blur(stripes(), 1.5)
    dark = [(printing.binarise(image, bias) == 0).mean() for bias in (-40, 0, 40)]
    assert dark[0] < dark[1] < dark[2]


def test_smooth_fields_are_smooth_and_within_their_bounds() -> None:
    field = optics.smooth_field(np.random.default_rng(0), 60, 400, 250, low=0.5, high=2.0)
    assert field.shape == (60, 400)
    assert 0.5 <= field.min() < field.max() <= 2.0
    assert np.abs(np.diff(field, axis=0)).max() < 0.02


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("colour", [False, True])
def test_mixtures_keep_shape_and_legibility(profile: Profile, colour: bool) -> None:
    image = stripes(40, 160, colour=colour)
    ink = (image if image.ndim == 2 else image[:, :, 0]) < 60
    lost = 0
    for seed in range(60):
        result = damage(image, np.random.default_rng(seed), profile)
        assert result.shape == image.shape
        grey = printing.gray(result).astype(float)
        lost += abs(grey[ink].mean() - grey[~ink].mean()) < 10
    assert lost <= 3


def test_exposure_clips_at_both_ends_and_spreads_what_is_between() -> None:
    ramp = np.arange(256, dtype=np.uint8)[None]
    result = optics.expose(ramp, 50, 200)[0]
    assert not result[:51].any()
    assert (result[200:] == 255).all()
    assert result[125] == pytest.approx(127, abs=1)
    assert (np.diff(result.astype(int)) >= 0).all()


@pytest.mark.parametrize("profile", PROFILES)
def test_a_share_stays_nearly_clean_and_a_seed_gives_one_result(profile: Profile) -> None:
    image = stripes()
    results = [damage(image, np.random.default_rng(seed), profile) for seed in range(150)]
    clean = sum(np.abs(result.astype(int) - image).mean() < 4 for result in results)
    assert 0.2 < clean / 150 < 0.8
    assert np.array_equal(results[7], damage(image, np.random.default_rng(7), profile))
