from __future__ import annotations

import keras
import numpy as np
import onnxruntime
import pytest
from pydantic import ValidationError

from ocrbatch.charset import Charset
from ocrbatch_rec_rare.codec import build_codec
from ocrbatch_rec_rare.config import RareConfig
from ocrbatch_rec_rare.model import build_rare
from ocrbatch_rec_rare.training import build_training

CONFIG = RareConfig(input={"widths": (64,)}, max_length=4)
AB = Charset("ab")
SOS, A, B, EOS = 0, 1, 2, 3


def sure(classes: list[int], sharpness: float = 0.7) -> np.ndarray:
    """Probabilities (steps, 4) of these classes."""
    probabilities = np.full((len(classes), 4), (1 - sharpness) / 3, np.float32)
    probabilities[np.arange(len(classes)), classes] = sharpness
    return probabilities


def looking_at(places: list[int], length: int = 8) -> np.ndarray:
    return np.eye(length, dtype=np.float32)[places]


def test_targets_end_and_stay_at_the_end():
    targets = build_training(CONFIG, AB).targets("ab")
    assert targets["labels"].tolist() == [A, B, EOS, EOS, EOS]
    assert targets["length"] == 3


def test_targets_refuse_what_the_network_cannot_learn():
    training = build_training(CONFIG, AB)
    with pytest.raises(KeyError, match="x"):
        training.targets("x")
    with pytest.raises(ValueError, match="max_length allows 4"):
        training.targets("ababa")
    assert [training.steps_needed(text) for text in ("", "aa")] == [1, 3]


def test_loss_is_the_mean_cross_entropy_up_to_the_end():
    scores = np.random.default_rng(0).normal(size=(2, 5, 4)).astype(np.float32)
    targets = [build_training(CONFIG, AB).targets(text) for text in ("ab", "")]
    batch = {name: np.stack([target[name] for target in targets]) for name in ("labels", "length")}
    log = scores - np.log(np.exp(scores).sum(axis=2, keepdims=True))
    expected = -np.mean([log[0, 0, A], log[0, 1, B], log[0, 2, EOS], log[1, 0, EOS]])
    assert float(build_training(CONFIG, AB).loss(batch, keras.ops.array(scores))["loss"]) == pytest.approx(
        expected, 1e-4
    )


def test_smoothed_targets_are_shared_with_all_classes():
    scores = np.random.default_rng(0).normal(size=(1, 5, 4)).astype(np.float32)
    config = RareConfig(input={"widths": (64,)}, max_length=4, label_smoothing=0.2)
    batch = {name: value[None] for name, value in build_training(config, AB).targets("ab").items()}
    log = scores[0] - np.log(np.exp(scores[0]).sum(axis=1, keepdims=True))
    wanted = 0.2 / 4 + 0.8 * np.eye(4)[[A, B, EOS]]
    expected = -(wanted * log[:3]).sum() / 3
    assert float(build_training(config, AB).loss(batch, keras.ops.array(scores))["loss"]) == pytest.approx(
        expected, 1e-5
    )


@pytest.mark.parametrize(
    ("classes", "text"),
    [
        ([A, B, EOS, A, A], "ab"),
        ([SOS, B, B, EOS, A], "bb"),
        ([EOS, A, A, A, A], ""),
        ([A, B, A, B, A], "ababa"),
        ([SOS] * 5, ""),
    ],
)
def test_text_ends_at_the_end(classes, text):
    (reading,) = build_codec(CONFIG, AB).decode([sure(classes)[None], looking_at([0, 1, 2, 3, 4])[None]], [1.0])
    assert reading.text == text
    assert reading.score == pytest.approx(0.7 if text else 0)
    assert reading.spans.shape == (len(text), 2)


def test_spans_follow_where_the_decoder_looked():
    outputs = [sure([A, B, EOS, EOS, EOS])[None], looking_at([1, 3, 3, 3, 3])[None]]
    (reading,) = build_codec(CONFIG, AB).decode(outputs, [0.5])
    np.testing.assert_allclose(reading.spans, [[0.125, 0.625], [0.625, 1.0]], atol=1e-6)


def test_exported_loop_reads_like_keras(tmp_path):
    keras.utils.set_random_seed(3)
    picture = keras.Input((32, None, 3))
    backbone = keras.Model(picture, keras.layers.Conv2D(6, (32, 8), strides=(1, 8))(picture), name="backbone")
    net = build_rare(CONFIG.model_copy(update={"hidden": 6, "layers": 1}), backbone, len(AB)).inference
    net.get_layer("head").generator.kernel.assign(net.get_layer("head").generator.kernel * 20)
    path = tmp_path / "m.onnx"
    signature = [keras.InputSpec(shape=(None, 32, 64, 3), dtype="float32")]
    net.export(path, format="onnx", verbose=False, input_signature=signature)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    lines = np.random.default_rng(1).normal(size=(5, 32, 64, 3)).astype(np.float32)
    got, expected = session.run(None, {session.get_inputs()[0].name: lines}), net.predict_on_batch(lines)
    assert [array.shape for array in got] == [(5, 5, 4), (5, 5, 8)]
    for one, other in zip(got, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)


def test_spline_is_made_for_one_width():
    with pytest.raises(ValidationError, match="exactly one width"):
        RareConfig(input={"widths": (100, 200)})
