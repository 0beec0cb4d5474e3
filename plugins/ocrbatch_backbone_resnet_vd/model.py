"""Backbone ``resnet_vd``: ResNet (He et al. 2016) with the tweaks B to D of Bag of Tricks (He et al. 2019).

The stem is three 3x3 convolutions, the stride sits on a 3x3 convolution, and a shortcut that shrinks does so by an
average pool in front of its 1x1 convolution.
"""

from __future__ import annotations

from typing import Any, Literal

import keras
from keras import layers

from ocrbatch.nn.blocks import Size, conv_norm, pad
from ocrbatch_backbone_resnet_vd.config import ResNetVdConfig

LINE_HEIGHT = 32
STEM_WIDTHS = (32, 32, 64)
STAGE_WIDTHS = (64, 128, 256, 512)
DEPTHS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}


def build_resnet_vd(config: ResNetVdConfig, *, task: Literal["det", "rec"], channels: int) -> keras.Model:
    """``det``: maps at strides 4, 8, 16 and 32 of (H, W, channels); ``rec``: (N, 1, W / 4, C) of (32, W, channels)."""
    if task == "det":
        picture = keras.Input((None, None, channels))
        return keras.Model(picture, _stages(_stem(picture, strides=2), config, (2, 2)), name="backbone")
    picture = keras.Input((LINE_HEIGHT, None, channels))
    last = _stages(_stem(picture, strides=1), config, (2, 1))[-1]
    return keras.Model(picture, layers.MaxPooling2D(2, name="out_pool")(last), name="backbone")


def _stem(x: Any, strides: int) -> Any:
    for number, width in enumerate(STEM_WIDTHS, 1):
        x = _conv(x, width, 3, name=f"conv1_{number}", strides=strides if number == 1 else 1, activation="relu")
    return layers.MaxPooling2D(3, strides=2, name="pool")(pad(x, 3, name="pool-pad"))


def _stages(x: Any, config: ResNetVdConfig, shrink: tuple[int, int]) -> list[Any]:
    """The maps after each of the four stages; the first unit of all but the first stage has the strides ``shrink``."""
    unit = _bottleneck if config.layers >= 50 else _basic
    maps = []
    for stage, (width, depth) in enumerate(zip(STAGE_WIDTHS, DEPTHS[config.layers], strict=True)):
        for number in range(depth):
            name = f"bb_{stage}_{number}"
            strides = shrink if stage and not number else (1, 1)
            branch = unit(x, width, strides, name)
            entry = x if number else _shortcut(x, branch.shape[-1], strides, name)
            x = layers.ReLU(name=f"{name}-out")(layers.Add(name=f"{name}-add")([entry, branch]))
        maps.append(x)
    return maps


def _basic(x: Any, width: int, strides: Size, name: str) -> Any:
    x = _conv(x, width, 3, name=f"{name}-conv0", strides=strides, activation="relu")
    return _conv(x, width, 3, name=f"{name}-conv1")


def _bottleneck(x: Any, width: int, strides: Size, name: str) -> Any:
    x = _conv(x, width, 1, name=f"{name}-conv0", activation="relu")
    x = _conv(x, width, 3, name=f"{name}-conv1", strides=strides, activation="relu")
    return _conv(x, 4 * width, 1, name=f"{name}-conv2")


def _shortcut(x: Any, width: int, strides: tuple[int, int], name: str) -> Any:
    """``same`` makes the pool average over the pixels that exist where a side is odd."""
    if strides != (1, 1):
        x = layers.AveragePooling2D(strides, strides=strides, padding="same", name=f"{name}-short-pool")(x)
    return _conv(x, width, 1, name=f"{name}-short")


def _conv(x: Any, width: int, kernel: int, *, name: str, strides: Size = 1, activation: str | None = None) -> Any:
    names = ("_conv", "_batch_norm")
    return conv_norm(x, width, kernel, name=name, strides=strides, activation=activation, suffixes=names)
