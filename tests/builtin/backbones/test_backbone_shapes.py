from __future__ import annotations

import keras
import numpy as np
import pytest
from pydantic import ValidationError

from ocrbatch_backbone_mobilenet_v3.config import MobileNetV3Config
from ocrbatch_backbone_mobilenet_v3.model import build_mobilenet_v3
from ocrbatch_backbone_mobilenet_v3.units import scaled
from ocrbatch_backbone_plain.config import PlainConfig
from ocrbatch_backbone_plain.model import build_plain
from ocrbatch_backbone_resnet_vd.config import ResNetVdConfig
from ocrbatch_backbone_resnet_vd.model import build_resnet_vd

TINY = PlainConfig(
    det={"widths": (4, 4, 4, 8, 8), "depths": (1, 1, 1, 1, 1)},
    rec={"widths": (4, 4, 4, 8, 8), "depths": (1, 1, 1, 1, 1)},
)
BACKBONES = {
    "plain": lambda task, channels: build_plain(TINY, task=task, channels=channels),
    "mobilenet_v3-large": lambda task, channels: build_mobilenet_v3(
        MobileNetV3Config(scale=0.25), task=task, channels=channels
    ),
    "mobilenet_v3-small": lambda task, channels: build_mobilenet_v3(
        MobileNetV3Config(size="small", scale=0.25), task=task, channels=channels
    ),
    "resnet_vd": lambda task, channels: build_resnet_vd(ResNetVdConfig(layers=18), task=task, channels=channels),
}


@pytest.mark.parametrize("name", BACKBONES)
def test_detection_maps_have_strides_4_to_32(name):
    model = BACKBONES[name]("det", 3)
    maps = model(np.zeros((1, 64, 96, 3), np.float32))
    assert [tuple(one.shape[1:3]) for one in maps] == [(16, 24), (8, 12), (4, 6), (2, 3)]


@pytest.mark.parametrize("name", BACKBONES)
@pytest.mark.parametrize("width", [100, 160])
def test_recognition_map_has_height_1_and_a_step_per_4_pixels(name, width):
    model = BACKBONES[name]("rec", 1)
    shape = tuple(model(np.zeros((2, 32, width, 1), np.float32)).shape)
    assert shape == (2, 1, width // 4, model.output_shape[-1])


@pytest.mark.parametrize("name", BACKBONES)
def test_what_keras_saves_is_the_same_network(name, tmp_path):
    model = BACKBONES[name]("rec", 1)
    picture = np.random.default_rng(0).normal(size=(1, 32, 64, 1)).astype(np.float32)
    model.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras")
    np.testing.assert_allclose(again(picture), model(picture), atol=1e-6)


def test_widths_are_rounded_as_in_the_paper():
    assert [scaled(width, 0.5) for width in (16, 24, 88, 200, 184)] == [8, 16, 48, 104, 96]


def test_plain_options_are_checked():
    with pytest.raises(ValidationError, match="last of the depths must be 1"):
        PlainConfig(rec={"depths": (1, 1, 1, 1, 2)})
    with pytest.raises(ValidationError, match="det"):
        PlainConfig(det={"widths": (8, 8), "depths": (1, 1, 1, 1, 1)})
