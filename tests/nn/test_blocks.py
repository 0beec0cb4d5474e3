from __future__ import annotations

import keras
import numpy as np
import pytest

from ocrbatch.nn.blocks import conv, depthwise_conv, squeeze_excite
from ocrbatch.nn.layers import HardSigmoid, activate


def run(build, size=(6, 8, 3)) -> tuple[np.ndarray, np.ndarray, keras.Model]:
    """A picture and what the layers that ``build`` adds make of it."""
    entry = keras.Input(size)
    model = keras.Model(entry, build(entry))
    picture = np.random.default_rng(3).normal(size=(1, *size)).astype(np.float32)
    return picture, keras.ops.convert_to_numpy(model(picture)), model


def correlate(picture: np.ndarray, kernel: np.ndarray, strides: tuple[int, int]) -> np.ndarray:
    """Convolution with (k - 1) / 2 zeros on all sides, (1, H, W, C) with (k, k, C, O)."""
    margin = (kernel.shape[0] - 1) // 2
    padded = np.pad(picture, ((0, 0), (margin, margin), (margin, margin), (0, 0)))
    views = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape[:2], axis=(1, 2))
    return np.einsum("nhwcij,ijco->nhwo", views[:, :: strides[0], :: strides[1]], kernel)


@pytest.mark.parametrize("strides", [1, 2, (2, 1)])
@pytest.mark.parametrize("size", [(6, 8, 3), (7, 5, 3)])
def test_convolutions_pad_on_all_sides(strides, size):
    pair = strides if isinstance(strides, tuple) else (strides, strides)
    picture, got, model = run(lambda x: conv(x, 4, 3, strides=strides, name="c"), size)
    np.testing.assert_allclose(got, correlate(picture, model.get_weights()[0], pair), atol=1e-5)


@pytest.mark.parametrize("strides", [1, 2, (2, 1)])
def test_depthwise_convolutions_pad_on_all_sides(strides):
    pair = strides if isinstance(strides, tuple) else (strides, strides)
    picture, got, model = run(lambda x: depthwise_conv(x, 5, strides=strides, name="c"))
    kernel = model.get_weights()[0]
    for channel in range(3):
        expected = correlate(picture[..., [channel]], kernel[:, :, [channel]], pair)
        np.testing.assert_allclose(got[..., [channel]], expected, atol=1e-5)


def test_gate_scales_channels():
    picture, got, _ = run(lambda x: squeeze_excite(x, "se"), (4, 4, 8))
    ratio = (got / picture).reshape(-1, 8)
    assert (ratio >= 0).all()
    assert (ratio <= 1).all()
    np.testing.assert_allclose(ratio, np.broadcast_to(ratio[:1], ratio.shape), atol=1e-3)


def test_activations():
    x = np.array([-4, -3, -1, 0, 1, 2.5, 3, 5], np.float32)
    gate = keras.ops.convert_to_numpy(HardSigmoid()(x))
    np.testing.assert_allclose(gate, np.clip(0.2 * x + 0.5, 0, 1), atol=1e-6)
    swish = keras.ops.convert_to_numpy(activate(x, "hard_swish"))
    np.testing.assert_allclose(swish, x * np.clip(x + 3, 0, 6) / 6, atol=1e-6)


def test_hard_sigmoid_survives_serialisation():
    layer = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(HardSigmoid(slope=0.3, name="g")))
    assert (layer.slope, layer.name) == (0.3, "g")
