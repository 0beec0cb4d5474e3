"""Backbone ``mobilenet_v3`` in its detection and its recognition variant (Howard et al. 2019)."""

from __future__ import annotations

from typing import Any, Literal

import keras
from keras import layers

from ocrbatch.nn.blocks import batch_norm, conv_norm, depthwise_conv, squeeze_excite
from ocrbatch.nn.layers import activate
from ocrbatch_backbone_mobilenet_v3.config import MobileNetV3Config
from ocrbatch_backbone_mobilenet_v3.units import LAST_WIDTH, STEM_WIDTH, UNITS, Unit, scaled

LINE_HEIGHT = 32


def build_mobilenet_v3(config: MobileNetV3Config, *, task: Literal["det", "rec"], channels: int) -> keras.Model:
    """``det``: maps at strides 4, 8, 16 and 32 of (H, W, channels); ``rec``: (N, 1, W / 4, C) of (32, W, channels)."""
    return _build_det(config, channels) if task == "det" else _build_rec(config, channels)


def _build_det(config: MobileNetV3Config, channels: int) -> keras.Model:
    """From stride 4 on, a stage ends before each unit that halves the map; a 1x1 convolution closes the last."""
    picture = keras.Input((None, None, channels))
    x, stride = _conv(picture, config, STEM_WIDTH, 3, name="conv", strides=2), 2
    maps: list[Any] = []
    number = 0
    for unit in UNITS[config.size]:
        if unit.stride == 2 and stride >= 4:
            maps.append(x)
            number = 0
        x = _unit(x, config, unit, (unit.stride, unit.stride), name=f"stage{len(maps)}-{number}")
        stride, number = stride * unit.stride, number + 1
    x = _conv(x, config, LAST_WIDTH[config.size], 1, name=f"stage{len(maps)}-{number}")
    return keras.Model(picture, [*maps, x], name="backbone")


def _build_rec(config: MobileNetV3Config, channels: int) -> keras.Model:
    """After the first convolution only the height is halved; the last halving of both is a max pool.

    The small variant's first unit keeps the size but has no shortcut: its checkpoints were made that way.
    """
    picture = keras.Input((LINE_HEIGHT, None, channels))
    x = _conv(picture, config, STEM_WIDTH, 3, name="conv1", strides=2)
    unstrided = 6 if config.size == "large" else 0
    for number, unit in enumerate(UNITS[config.size]):
        strides = (1 if number == unstrided else unit.stride, 1)
        shortcut = (config.size, number) != ("small", 0)
        x = _unit(x, config, unit, strides, name=f"blocks-{number}", shortcut=shortcut)
    x = _conv(x, config, LAST_WIDTH[config.size], 1, name="conv2")
    x = layers.MaxPooling2D(2, name="pool")(x)
    return keras.Model(picture, x, name="backbone")


def _conv(x: Any, config: MobileNetV3Config, width: int, kernel: int, *, name: str, strides: int = 1) -> Any:
    width = scaled(width, config.scale)
    return conv_norm(x, width, kernel, strides=strides, activation="hard_swish", name=name)


def _unit(
    x: Any, config: MobileNetV3Config, unit: Unit, strides: tuple[int, int], *, name: str, shortcut: bool = True
) -> Any:
    """Inverted residual: expansion, depthwise convolution, gate, linear projection, and a shortcut if sizes agree."""
    entry, width = x, scaled(unit.width, config.scale)
    expanded = scaled(unit.expanded, config.scale)
    x = conv_norm(x, expanded, 1, activation=unit.activation, name=f"{name}-expand_conv")
    x = depthwise_conv(x, unit.kernel, strides=strides, name=f"{name}-bottleneck_conv-conv")
    x = batch_norm(x, f"{name}-bottleneck_conv-bn")
    x = activate(x, unit.activation, f"{name}-bottleneck_conv-act")
    if unit.gated and config.squeeze_excite:
        x = squeeze_excite(x, f"{name}-mid_se")
    x = conv_norm(x, width, 1, name=f"{name}-linear_conv")
    if shortcut and strides == (1, 1) and entry.shape[-1] == width:
        x = layers.Add(name=f"{name}-add")([entry, x])
    return x
