"""Recognizers against the reference implementation's outputs from the same weights."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from ocrbatch.contracts import Networks
from ocrbatch.nn.paddle import load_reference_state, reference_slots
from ocrbatch_backbone_mobilenet_v3.config import MobileNetV3Config
from ocrbatch_backbone_mobilenet_v3.model import build_mobilenet_v3
from ocrbatch_backbone_resnet_vd.config import ResNetVdConfig
from ocrbatch_backbone_resnet_vd.model import build_resnet_vd
from ocrbatch_rec_crnn.config import CrnnConfig
from ocrbatch_rec_crnn.model import build_crnn
from ocrbatch_rec_rare.config import RareConfig
from ocrbatch_rec_rare.model import build_rare
from ocrbatch_rec_rosetta.config import RosettaConfig
from ocrbatch_rec_rosetta.model import build_rosetta
from ocrbatch_rec_starnet.config import StarNetConfig
from ocrbatch_rec_starnet.model import build_starnet

MODELS = (
    "rec_mv3_none_bilstm_ctc",
    "rec_r34_vd_none_bilstm_ctc",
    "rec_mv3_none_none_ctc",
    "rec_r34_vd_none_none_ctc",
    "ch_rec_mv3_small_crnn_lite",
    "tiny_crnn",
)


@pytest.mark.parametrize("name", MODELS)
def test_recognizer_parity(reference, name):
    model = reference(name)
    networks = build_networks(model.meta)
    load_reference_state(networks.training, model.state)

    assert count_numbers(networks.training, model.state) == model.meta["counts"]["unique_numbers"]
    features = networks.training.get_layer("neck-reshape").input
    outputs = [features, networks.training.output, networks.inference.output]
    stages = keras.Model(networks.inference.input, outputs)
    for picture in model.pictures:
        features, logits, probabilities = stages.predict_on_batch(picture.input)
        assert_close(features.transpose(0, 3, 1, 2), picture.outputs["backbone"])
        steps = model.meta["slices"].get(f"{picture.name}/logits", [[1, 0, None, 1]])[0]
        shown = slice(*steps[1:])
        assert_close(logits[:, shown], picture.outputs["logits"])
        expected = softmax(picture.outputs["logits"])
        np.testing.assert_allclose(probabilities[:, shown], picture.outputs.get("head", expected), atol=1e-5)


STEPS = 25
RECTIFYING = ("rec_mv3_tps_bilstm_ctc", "rec_r34_vd_tps_bilstm_ctc", "rec_r34_vd_tps_small_bilstm_ctc")


@pytest.mark.parametrize("name", RECTIFYING)
def test_rectifying_recognizer_parity(reference, name):
    """In two halves: the reference's own float32 rounding in the grid is amplified by what follows."""
    model = reference(name)
    for picture in model.pictures:
        networks = build_networks(model.meta, width=picture.input.shape[2])
        load_reference_state(networks.training, model.state)
        assert count_numbers(networks.training, model.state) == model.meta["counts"]["unique_numbers"]

        stages = [networks.training.get_layer(f"transform-{stage}").output for stage in ("points", "grid", "rectified")]
        points, grid, rectified = keras.Model(networks.training.input, stages).predict_on_batch(picture.input)
        assert_close(points, picture.outputs["control_points"])
        np.testing.assert_allclose(grid[:1], picture.outputs["grid"][:1], atol=1e-4)
        np.testing.assert_allclose(rectified.transpose(0, 3, 1, 2), picture.outputs["rectified"], atol=5e-3)

        rest = keras.Model(stages[2], [networks.training.output, networks.inference.output])
        logits, probabilities = rest.predict_on_batch(picture.outputs["rectified"].transpose(0, 2, 3, 1))
        assert_close(logits, picture.outputs["logits"])
        np.testing.assert_allclose(probabilities, picture.outputs["head"], atol=1e-5)


@pytest.mark.parametrize("name", ["rec_mv3_tps_bilstm_att", "rec_r34_vd_tps_bilstm_att"])
def test_attention_recognizer_parity(reference, name):
    model = reference(name)
    (picture,) = model.pictures
    networks = build_networks(model.meta)
    load_reference_state(networks.training, model.state)
    assert count_numbers(networks.training, model.state) == model.meta["counts"]["unique_numbers"]

    stages = [networks.training.get_layer(f"transform-{stage}").output for stage in ("points", "grid", "rectified")]
    points, grid, _ = keras.Model(networks.inference.input, stages).predict_on_batch(picture.input)
    assert_close(points, picture.outputs["control_points"])
    np.testing.assert_allclose(grid[:1], picture.outputs["grid"], atol=1e-4)

    head = networks.inference.get_layer("head")
    sequence = head.input if not isinstance(head.input, list) else head.input[0]
    previous = keras.Input((STEPS,), dtype="int32")
    rest = keras.Model([stages[2], previous], [*networks.inference.outputs, head(sequence, previous)[0]])
    rectified = picture.outputs["rectified"].transpose(0, 2, 3, 1)
    probabilities, weights, taught = rest.predict_on_batch([rectified, picture.targets])
    assert probabilities.argmax(axis=2).tolist() == picture.outputs["ids"].tolist()
    np.testing.assert_allclose(probabilities, picture.outputs["head"], atol=1e-4)
    np.testing.assert_allclose(softmax(taught), picture.outputs["head_teacher"], atol=1e-4)
    np.testing.assert_allclose(weights.sum(axis=2), 1, atol=1e-5)


def build_networks(meta: dict[str, Any], width: int = 100) -> Networks:
    """The network that ``architecture`` in meta.json describes, for lines of ``width`` where it must know."""
    parts = meta["architecture"]
    backbone, characters = build_backbone(parts["Backbone"]), meta["classes"] - 1
    if meta["algorithm"] == "Rosetta":
        return build_rosetta(RosettaConfig(), backbone, characters)
    hidden = parts["Neck"]["hidden_size"]
    if meta["algorithm"] == "CRNN":
        return build_crnn(CrnnConfig(hidden=hidden), backbone, characters)
    options = {"input": {"widths": (width,)}, "hidden": hidden, "localization": parts["Transform"]["model_name"]}
    if meta["algorithm"] == "STARNet":
        return build_starnet(StarNetConfig(**options), backbone, characters)
    return build_rare(RareConfig(**options, max_length=STEPS - 1), backbone, characters - 1)


def build_backbone(options: dict[str, Any]) -> keras.Model:
    if options["name"] == "ResNet":
        return build_resnet_vd(ResNetVdConfig(layers=options["layers"]), task="rec", channels=3)
    config = MobileNetV3Config(size=options["model_name"], scale=options["scale"])
    return build_mobilenet_v3(config, task="rec", channels=3)


def count_numbers(model: Any, state: dict[str, np.ndarray]) -> int:
    """Numbers of the reference's state that the model's variables are made of, each tensor once."""
    slots = list(reference_slots(model))
    names = [name for slot in slots for name in slot.tensors]
    assert len(names) == len(set(names))
    assert len(slots) == len(model.weights)
    return sum(state[name].size for name in names)


def assert_close(got: np.ndarray, want: np.ndarray) -> None:
    """Equal but for float32 rounding: within 1e-4 of the largest magnitude."""
    assert got.shape == want.shape
    assert np.abs(got - want).max() < 1e-4 * np.abs(want).max()


def softmax(scores: np.ndarray) -> np.ndarray:
    shifted = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)
