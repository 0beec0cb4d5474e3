"""The loss of DB and its parts against plain numpy."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops
from numpy.typing import NDArray

from ocrbatch.nn.losses import balanced_binary_crossentropy, dice_loss, masked_l1, sum_of_largest
from ocrbatch_det_db.config import DBConfig
from ocrbatch_det_db.training import DBTraining

SHAPE = (2, 12, 16)


@pytest.fixture
def maps() -> dict[str, NDArray[Any]]:
    rng = np.random.default_rng(5)
    return {
        "probability": (rng.random(SHAPE) < 0.1).astype(np.uint8),
        "probability_mask": (rng.random(SHAPE) < 0.9).astype(np.uint8),
        "threshold": rng.uniform(0.3, 0.7, SHAPE).astype(np.float16),
        "threshold_mask": (rng.random(SHAPE) < 0.3).astype(np.uint8),
    }


def reference(maps: dict[str, NDArray[Any]], outputs: NDArray[np.float64], ratio: int = 3) -> dict[str, float]:
    truth, mask = maps["probability"].astype(float), maps["probability_mask"] > 0
    entropy = -np.where(truth > 0, np.log(outputs[..., 0]), np.log(1 - outputs[..., 0]))
    positive = entropy[mask & (truth > 0)]
    negative = np.sort(entropy[mask & (truth == 0)])[::-1][: ratio * len(positive)]
    threshold_mask = maps["threshold_mask"] > 0
    overlap = (truth * outputs[..., 2])[mask].sum()
    parts = {
        "probability": (positive.sum() + negative.sum()) / (len(positive) + len(negative)),
        "threshold": np.abs(maps["threshold"].astype(float) - outputs[..., 1])[threshold_mask].mean(),
        "binary": 1 - 2 * overlap / (truth[mask].sum() + outputs[..., 2][mask].sum()),
    }
    return {"loss": 5 * parts["probability"] + 10 * parts["threshold"] + parts["binary"], **parts}


def test_loss_against_plain_numpy(maps: dict[str, NDArray[Any]]) -> None:
    outputs = np.random.default_rng(6).uniform(0.01, 0.99, (*SHAPE, 3))
    got = DBTraining(DBConfig()).loss(maps, ops.convert_to_tensor(outputs.astype(np.float32)))
    expected = reference(maps, outputs)
    assert {name: float(value) for name, value in got.items()} == pytest.approx(expected, rel=1e-4)


def test_hand_computed_balanced_crossentropy() -> None:
    truth = np.array([[[1, 0, 0, 0, 0, 0]]], np.float32)
    predicted = np.array([[[0.5, 0.9, 0.8, 0.1, 0.7, 0.99]]], np.float32)
    mask = np.array([[[1, 1, 1, 1, 1, 0]]], np.float32)
    # one positive, of the four negatives that count the three hardest: 0.9, 0.8, 0.7
    expected = -(np.log(0.5) + np.log(0.1) + np.log(0.2) + np.log(0.3)) / 4
    assert float(balanced_binary_crossentropy(truth, predicted, mask)) == pytest.approx(expected, rel=1e-5)


def test_hand_computed_dice_and_l1() -> None:
    truth = np.array([[[1, 1, 0, 0]]], np.float32)
    predicted = np.array([[[0.5, 1.0, 0.5, 0.9]]], np.float32)
    mask = np.array([[[1, 1, 1, 0]]], np.float32)
    assert float(dice_loss(truth, predicted, mask)) == pytest.approx(1 - 2 * 1.5 / (2 + 2), rel=1e-5)
    assert float(masked_l1(truth, predicted, mask)) == pytest.approx((0.5 + 0 + 0.5) / 3, rel=1e-5)


@given(st.lists(st.floats(0, 20, width=32), min_size=1, max_size=60), st.integers(0, 70))
@settings(max_examples=60, deadline=None)
def test_sum_of_largest_against_sorting(values: list[float], count: int) -> None:
    count = min(count, len(values))
    expected = float(np.sort(values)[::-1][:count].sum())
    got = sum_of_largest(ops.convert_to_tensor(values, "float32"), ops.convert_to_tensor(float(count)))
    assert float(got) == pytest.approx(expected, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("case", ["no text", "all ignored", "certain and wrong"])
def test_loss_and_gradient_are_finite(case: str, maps: dict[str, NDArray[Any]]) -> None:
    import tensorflow

    if case == "no text":
        maps = {**maps, "probability": maps["probability"] * 0, "threshold_mask": maps["threshold_mask"] * 0}
    if case == "all ignored":
        maps = {name: value * 0 for name, value in maps.items()}
    outputs = np.full((*SHAPE, 3), 0.5, np.float32)
    if case == "certain and wrong":
        outputs[..., 0] = 1 - maps["probability"]
    variable = tensorflow.Variable(outputs)
    with tensorflow.GradientTape() as tape:
        loss = DBTraining(DBConfig()).loss(maps, variable)["loss"]
    assert np.isfinite(float(loss))
    assert np.isfinite(tape.gradient(loss, variable).numpy()).all()


def test_gradient_reaches_only_what_counts() -> None:
    import tensorflow

    predicted = tensorflow.Variable([[[0.5, 0.9, 0.8, 0.1, 0.7, 0.99]]])
    mask = np.array([[[1, 1, 1, 1, 1, 0]]], np.float32)
    with tensorflow.GradientTape() as tape:
        loss = balanced_binary_crossentropy(np.float32([[[1, 0, 0, 0, 0, 0]]]), predicted, mask)
    gradient = tape.gradient(loss, predicted).numpy().ravel()
    assert np.allclose(gradient, [-1 / 0.5 / 4, 1 / 0.1 / 4, 1 / 0.2 / 4, 0, 1 / 0.3 / 4, 0], rtol=1e-4)


def test_one_training_step_on_pictures_without_text_keeps_weights_finite() -> None:
    from ocrbatch_det_db.model import build

    config = DBConfig(fpn_channels=8)
    image = keras.Input((None, None, 3))
    maps = [keras.layers.Conv2D(4, 1)(keras.layers.AveragePooling2D(stride)(image)) for stride in (4, 8, 16, 32)]
    network = build(config, keras.Model(image, maps)).training
    training = DBTraining(config)
    targets = training.targets((64, 64), [], [])
    names = list(targets)
    stacked = np.stack([targets[name] for name in names], axis=-1)[None].astype(np.float32)

    def loss(truth: Any, outputs: Any) -> Any:
        return training.loss({name: truth[..., i] for i, name in enumerate(names)}, outputs)["loss"]

    network.compile(optimizer="adam", loss=loss)
    network.fit(np.ones((1, 64, 64, 3), np.float32), stacked, verbose=0)
    assert all(np.isfinite(weight).all() for weight in network.get_weights())
