"""Detectors against the reference implementation's outputs from the same weights."""

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
from ocrbatch_det_db.config import DBConfig
from ocrbatch_det_db.model import build as build_db
from ocrbatch_det_east.config import EastConfig
from ocrbatch_det_east.model import build as build_east


@pytest.mark.parametrize("name", ["det_mv3_db", "ch_det_mv3_db", "det_r50_vd_db"])
def test_db_parity(reference, name):
    model = reference(name)
    networks = build(model.meta)
    load_reference_state(networks.training, model.state)
    check_numbers(networks.training, model.meta["counts"], model.state)

    backbone = networks.training.get_layer("backbone")
    neck = networks.training.get_layer("neck-fused").output
    whole = keras.Model(networks.training.input, [neck, networks.training.output, networks.inference.output])
    (picture,) = model.pictures
    for level, features in enumerate(backbone.predict_on_batch(picture.input)):
        assert_close(features[:1], picture.outputs[f"backbone.{level}"])
    fused, maps, probability = whole.predict_on_batch(picture.input)
    assert_close(fused[:1], picture.outputs["neck"])
    assert_close(maps[..., :2], picture.outputs["maps3"][:, :2])
    assert_close(maps[..., 2:], picture.outputs["maps3"][:, 2:], 1e-3)  # its slope of 50 magnifies rounding
    assert_close(probability, picture.outputs["maps"])


@pytest.mark.parametrize("name", ["det_mv3_east", "det_r50_vd_east"])
def test_east_parity(reference, name):
    model = reference(name)
    networks = build(model.meta)
    load_reference_state(networks.training, model.state)
    check_numbers(networks.training, model.meta["counts"], model.state)

    backbone = networks.training.get_layer("backbone")
    neck = networks.training.get_layer("neck-g3_conv-act").output
    whole = keras.Model(networks.training.input, [neck, networks.training.output, *networks.inference.outputs])
    (picture,) = model.pictures
    for level, features in enumerate(backbone.predict_on_batch(picture.input)):
        assert_close(features[:1], picture.outputs[f"backbone.{level}"])
    merged, maps, score, geometry = whole.predict_on_batch(picture.input)
    assert_close(merged[:1], picture.outputs["neck"])
    assert_close(score, picture.outputs["f_score"])
    assert_close(geometry, picture.outputs["f_geo"])
    np.testing.assert_array_equal(maps, np.concatenate([score, geometry], axis=-1))


def build(meta: dict[str, Any]) -> Networks:
    """The network that ``architecture`` in meta.json describes."""
    parts = meta["architecture"]
    backbone = build_backbone(parts["Backbone"])
    if meta["algorithm"] == "DB":
        return build_db(DBConfig(fpn_channels=parts["Neck"]["out_channels"], k=parts["Head"]["k"]), backbone)
    return build_east(EastConfig(channels={"small": 64, "large": 128}[parts["Neck"]["model_name"]]), backbone)


def build_backbone(options: dict[str, Any]) -> keras.Model:
    """The backbone that ``architecture`` in meta.json describes."""
    if options["name"] == "ResNet_vd":
        return build_resnet_vd(ResNetVdConfig(layers=options["layers"]), task="det", channels=3)
    config = MobileNetV3Config(
        size=options["model_name"], scale=options["scale"], squeeze_excite=not options.get("disable_se", False)
    )
    return build_mobilenet_v3(config, task="det", channels=3)


def check_numbers(model: Any, counts: dict[str, int], state: dict[str, np.ndarray]) -> None:
    """Every variable is made of one tensor of the reference and every tensor is used; the counts agree."""
    names = [name for slot in reference_slots(model) for name in slot.tensors]
    assert sorted(names) == sorted(state)
    assert len(names) == len(model.weights)
    assert sum(int(np.prod(weight.shape)) for weight in model.trainable_weights) == counts["trainable"]
    assert sum(int(np.prod(weight.shape)) for weight in model.non_trainable_weights) == counts["bn_buffers"]


def assert_close(got: np.ndarray, want: np.ndarray, tolerance: float = 1e-4) -> None:
    """Equal but for float32 rounding, relative to the largest magnitude. ``want`` has its channels first."""
    assert got.shape == want.transpose(0, 2, 3, 1).shape
    assert np.abs(got - want.transpose(0, 2, 3, 1)).max() < tolerance * np.abs(want).max()
