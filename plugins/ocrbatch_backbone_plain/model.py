"""Backbone ``plain``: stacks of 3x3 convolution, batch norm and ReLU, after VGG (Simonyan and Zisserman 2015)."""

from __future__ import annotations

from typing import Any, Literal

import keras
from keras import layers

from ocrbatch.nn.blocks import Size, batch_norm, conv_norm
from ocrbatch_backbone_plain.config import PlainConfig

LINE_HEIGHT = 32


def build_plain(config: PlainConfig, *, task: Literal["det", "rec"], channels: int) -> keras.Model:
    """``det``: maps at strides 4, 8, 16 and 32 of (H, W, channels); ``rec``: (N, 1, W / 4, C) of (32, W, channels)."""
    return _build_det(config, channels) if task == "det" else _build_rec(config, channels)


def _build_det(config: PlainConfig, channels: int) -> keras.Model:
    x = picture = keras.Input((None, None, channels))
    maps = []
    for number, (width, depth) in enumerate(zip(config.det.widths, config.det.depths, strict=True)):
        x = _stage(x, width, depth, config.norm_momentum, strides=2, name=f"stage{number}")
        maps.append(x)
    return keras.Model(picture, maps[1:], name="backbone")


def _build_rec(config: PlainConfig, channels: int) -> keras.Model:
    x = picture = keras.Input((LINE_HEIGHT, None, channels))
    widths, depths = config.rec.widths, config.rec.depths
    for number, strides in enumerate([(2, 2), (2, 2), (2, 1), (2, 1)]):
        x = _stage(x, widths[number], depths[number], config.norm_momentum, strides=strides, name=f"stage{number}")
    x = layers.Conv2D(widths[4], (2, 1), use_bias=False, name="stage4-0-conv")(x)
    x = layers.ReLU(name="stage4-0-act")(batch_norm(x, "stage4-0-bn", config.norm_momentum))
    return keras.Model(picture, x, name="backbone")


def _stage(x: Any, width: int, depth: int, momentum: float, *, strides: Size, name: str) -> Any:
    for number in range(depth):
        step = strides if number == 0 else 1
        x = conv_norm(x, width, 3, strides=step, activation="relu", momentum=momentum, name=f"{name}-{number}")
    return x
