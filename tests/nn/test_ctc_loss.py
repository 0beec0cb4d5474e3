from __future__ import annotations

import itertools

import keras
import numpy as np
import pytest

from ocrbatch.bundles.network import training_for
from ocrbatch.config.schema import ModelSpec
from ocrbatch.nn.ctc import BLANK, ctc_loss, mean_ctc_loss, smoothed_ctc_loss
from ocrbatch.plugin_system.host import Host

CLASSES = 4


def brute_force(logits: np.ndarray, label: list[int]) -> float:
    """Minus the log of the summed probability of every path that collapses to ``label``."""
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    total = 0.0
    for path in itertools.product(range(logits.shape[1]), repeat=len(logits)):
        collapsed = [k for k, _ in itertools.groupby(path) if k != BLANK]
        if collapsed == label:
            total += np.prod([probabilities[t, k] for t, k in enumerate(path)])
    return -np.log(total)


def pad(labels: list[list[int]], width: int) -> tuple[np.ndarray, np.ndarray]:
    rows = [label + [0] * (width - len(label)) for label in labels]
    return np.array(rows, np.int32), np.array([len(label) for label in labels], np.int32)


def losses(logits: np.ndarray, labels: list[list[int]], width: int = 6) -> np.ndarray:
    return keras.ops.convert_to_numpy(ctc_loss(logits, *pad(labels, width)))


def random_logits(count: int, steps: int = 5, scale: float = 1.0) -> np.ndarray:
    return np.random.default_rng(7).normal(scale=scale, size=(count, steps, CLASSES)).astype(np.float32)


def test_loss_is_that_of_all_paths_summed():
    labels = [[1], [3, 3], [1, 2, 3], [2, 2, 1], [1, 2, 1, 3, 2]]
    logits = random_logits(len(labels))
    expected = [brute_force(line, label) for line, label in zip(logits, labels, strict=True)]
    np.testing.assert_allclose(losses(logits, labels), expected, rtol=1e-4)


def test_padding_of_labels_changes_nothing():
    labels = [[1, 1], [2]]
    logits = random_logits(2)
    np.testing.assert_allclose(losses(logits, labels, 2), losses(logits, labels, 40), rtol=1e-5)


@pytest.mark.parametrize(
    "label", [[], [1, 2, 3, 1, 2, 3], [1, 1, 1, 1]], ids=["empty", "too long", "no room for blanks"]
)
def test_label_that_cannot_be_emitted_counts_nothing(label):
    logits = random_logits(2)
    alone, together = losses(logits[1:], [[1, 2]]), losses(logits, [label, [1, 2]])
    assert together[0] == 0
    np.testing.assert_allclose(together[1:], alone, rtol=1e-5)
    labels, length = pad([label, [1, 2]], 6)
    np.testing.assert_allclose(float(mean_ctc_loss(logits, labels, length)), alone[0] / 2, rtol=1e-5)


def test_batch_without_any_label_is_zero():
    labels, length = pad([[], []], 4)
    assert float(mean_ctc_loss(random_logits(2), labels, length)) == 0


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="takes gradients with TensorFlow")
@pytest.mark.parametrize("scale", [1.0, 100.0])
def test_gradient_is_finite_and_that_of_differences(scale):
    import tensorflow as tf

    labels, length = pad([[1, 1], [2, 3, 1], []], 5)
    logits = tf.constant(random_logits(3, scale=scale))
    with tf.GradientTape() as tape:
        tape.watch(logits)
        total = keras.ops.sum(ctc_loss(logits, labels, length))
    gradient = tape.gradient(total, logits).numpy()
    assert np.isfinite(gradient).all()
    assert (gradient[2] == 0).all()
    if scale == 1.0:
        assert gradient[1, 2, 3] == pytest.approx(_difference(logits.numpy(), labels, length, (1, 2, 3)), abs=2e-3)
        assert gradient[0, 4, 0] == pytest.approx(_difference(logits.numpy(), labels, length, (0, 4, 0)), abs=2e-3)


def _difference(logits: np.ndarray, labels: np.ndarray, length: np.ndarray, where: tuple[int, int, int]) -> float:
    step = np.zeros_like(logits)
    step[where] = 0.05
    up, down = (float(keras.ops.sum(ctc_loss(logits + sign * step, labels, length))) for sign in (1, -1))
    return (up - down) / 0.1


def test_smoothing_adds_the_divergence_from_uniform():
    logits = random_logits(2, scale=3.0)
    labels, length = pad([[1, 2], [3]], 6)
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    divergence = (np.log(1 / CLASSES / probabilities) / CLASSES).sum(axis=2).mean()
    plain = float(mean_ctc_loss(logits, labels, length))
    assert float(smoothed_ctc_loss(logits, labels, length, 0.0)) == plain
    assert float(smoothed_ctc_loss(logits, labels, length, 0.1)) == pytest.approx(0.9 * plain + 0.1 * divergence, 1e-5)
    alike = np.zeros_like(logits)
    plain = float(mean_ctc_loss(alike, labels, length))
    assert float(smoothed_ctc_loss(alike, labels, length, 0.1)) == pytest.approx(0.9 * plain, 1e-5)


@pytest.mark.parametrize("name", ["crnn", "rosetta", "starnet"])
def test_every_ctc_recognizer_smooths_as_configured(name):
    host = Host.load()
    model = {"task": "rec", "algorithm": {"name": name, "label_smoothing": 0.3}, "backbone": {"name": "plain"}}
    training = training_for(ModelSpec.model_validate({**model, "charset": "abc"}), host)
    logits = random_logits(1, scale=3.0)
    labels, length = pad([[1, 2]], 6)
    found = float(training.loss({"labels": labels, "length": length}, keras.ops.array(logits))["loss"])
    assert found == pytest.approx(float(smoothed_ctc_loss(logits, labels, length, 0.3)), 1e-6)
    assert found != pytest.approx(float(mean_ctc_loss(logits, labels, length)), 1e-3)
