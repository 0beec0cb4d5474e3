"""The network of EAST: Zhou et al., EAST: An Efficient and Accurate Scene Text Detector, CVPR 2017."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from ocrbatch.contracts import Networks
from ocrbatch.nn.blocks import batch_norm, conv_norm
from ocrbatch.nn.layers import activate
from ocrbatch_det_east.config import EastConfig


def build(config: EastConfig, backbone: Any) -> Networks:
    """Networks on a backbone with maps at strides 4, 8, 16 and 32, for pictures (N, H, W, C), H and W multiples of 32.

    Inference gives two float32 maps: scores (N, H / 4, W / 4, 1) and geometry (N, H / 4, W / 4, G), G = 8 for ``quad``
    (x and y of the cell minus those of each corner) and 5 for ``rbox`` (distances to the top, right, bottom and left
    side, angle in radians). Training gives both joined, the score first.
    """
    image = keras.Input(backbone.input_shape[1:], name="image")
    x = merge(backbone(image), config.channels)
    x = conv_norm(x, config.channels, 3, activation="relu", name="head-det_conv1")
    x = conv_norm(x, config.channels // 2, 3, activation="relu", name="head-det_conv2")
    score = _unit(conv_norm(x, 1, 1, name="head-score_conv"), "head-score")
    geometry = _geometry(x, config)
    joined = layers.Concatenate(name="maps", dtype="float32")([score, geometry])
    return Networks(
        training=keras.Model(image, joined, name="east_training"),
        inference=keras.Model(image, [score, geometry], name="east"),
    )


def merge(features: Sequence[Any], channels: int, *, name: str = "neck") -> Any:
    """Maps at strides 4 to 32 merged from the deepest on (paper, section 3.2): enlarged by a transposed convolution,
    joined with the next map, convolved."""
    *shallower, x = features
    for step, lateral in enumerate(reversed(shallower)):
        up = f"{name}-g{step}_deconv"
        x = layers.Conv2DTranspose(channels, 4, strides=2, padding="same", use_bias=False, name=f"{up}-deconv")(x)
        x = activate(batch_norm(x, f"{up}-bn"), "relu", f"{up}-act")
        x = layers.Concatenate(name=f"{name}-join{step}")([x, lateral])
        x = conv_norm(x, channels, 3, activation="relu", name=f"{name}-h{step + 1}_conv")
    return conv_norm(x, channels, 3, activation="relu", name=f"{name}-g3_conv")


def _geometry(x: Any, config: EastConfig) -> Any:
    if config.geometry == "quad":
        unit = _unit(conv_norm(x, 8, 1, name="head-geo_conv"), "head-geo")
        scale, offset = 2 * config.reach, -config.reach
        return layers.Rescaling(scale, offset, dtype="float32", name="head-geometry")(unit)
    distances = _unit(conv_norm(x, 4, 1, name="head-distance_conv"), "head-distance")
    angle = _unit(conv_norm(x, 1, 1, name="head-angle_conv"), "head-angle")
    distances = layers.Rescaling(config.reach, dtype="float32", name="head-distances")(distances)
    angle = layers.Rescaling(math.pi / 2, -math.pi / 4, dtype="float32", name="head-radians")(angle)
    return layers.Concatenate(name="head-geometry", dtype="float32")([distances, angle])


def _unit(x: Any, name: str) -> Any:
    return layers.Activation("sigmoid", dtype="float32", name=name)(x)
