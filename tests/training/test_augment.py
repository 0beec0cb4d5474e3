from __future__ import annotations

import numpy as np
import pytest

from ocrbatch.config.schema import PluginChoice
from ocrbatch.data.augment import augment, build_augmentation, steps_for
from ocrbatch.errors import ConfigError

PICTURE = np.random.default_rng(0).integers(0, 256, (32, 90, 3), dtype=np.uint8)


@pytest.mark.parametrize("name", list(steps_for("rec")))
def test_each_step_changes_a_copy_and_repeats_for_a_seed(name: str) -> None:
    (step,) = build_augmentation("rec", [PluginChoice(name=name, chance=1.0)])
    before = PICTURE.copy()
    first = [augment(PICTURE, [step], np.random.default_rng(seed)) for seed in range(4)]
    again = [augment(PICTURE, [step], np.random.default_rng(seed)) for seed in range(4)]
    assert np.array_equal(before, PICTURE)
    assert all(np.array_equal(one, other) for one, other in zip(first, again, strict=True))
    assert all(picture.dtype == np.uint8 and picture.shape[2] == 3 for picture in first)
    assert any(picture.shape != PICTURE.shape or not np.array_equal(picture, PICTURE) for picture in first)


@pytest.mark.parametrize("name", list(steps_for("det")))
def test_page_steps_leave_every_pixel_in_its_place(name: str) -> None:
    (step,) = build_augmentation("det", [PluginChoice(name=name, chance=1.0)])
    assert augment(PICTURE, [step], np.random.default_rng(0)).shape == PICTURE.shape


def test_a_misspelt_step_is_refused_with_a_suggestion() -> None:
    with pytest.raises(ConfigError, match=r"augment\.0.*did you mean 'noise'"):
        build_augmentation("rec", [PluginChoice(name="nois")])
    with pytest.raises(ConfigError, match="did you mean 'amount'"):
        build_augmentation("rec", [PluginChoice(name="tone", amonut=0.2)])
    with pytest.raises(ConfigError, match="stretch"):
        build_augmentation("det", [PluginChoice(name="stretch")])


def test_left_out_means_the_usual_steps_and_empty_means_none() -> None:
    assert len(build_augmentation("rec", None)) == len(steps_for("rec"))
    assert build_augmentation("rec", []) == ()
