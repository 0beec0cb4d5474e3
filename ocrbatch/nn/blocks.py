"""Convolution blocks that backbones, necks and heads share.

Every convolution pads symmetrically, also a strided one: Keras's ``same`` would pad an even-sized map on one side only,
which neither the reference models nor their weights expect. Layer names are the reference's structured parameter names,
with hyphens for dots, so that its checkpoints map by rule (see :mod:`ocrbatch.nn.paddle`).
"""

from __future__ import annotations

from typing import Any

from keras import layers

from ocrbatch.nn.layers import HardSigmoid, activate

Size = int | tuple[int, int]


def batch_norm(x: Any, name: str, momentum: float = 0.9) -> Any:
    """Batch normalisation with the constants of the classic OCR models; ``momentum`` only matters while training."""
    return layers.BatchNormalization(epsilon=1e-5, momentum=momentum, name=name)(x)


def conv(x: Any, filters: int, kernel: Size, *, name: str, strides: Size = 1, bias: bool = False) -> Any:
    """Convolution of odd ``kernel`` with (kernel - 1) / 2 zeros on every side."""
    strided = _pair(strides) != (1, 1)
    if strided:
        x = pad(x, kernel, name=f"{name}-pad")
    border = "valid" if strided else "same"
    return layers.Conv2D(filters, kernel, strides=strides, padding=border, use_bias=bias, name=name)(x)


def depthwise_conv(x: Any, kernel: int, *, name: str, strides: Size = 1) -> Any:
    """Depthwise convolution, padded like :func:`conv`.

    Unequal strides, which TensorFlow cannot run on a CPU, are taken as a subset of the unstrided result.
    """
    rows, columns = _pair(strides)
    if rows != columns:
        x = layers.DepthwiseConv2D(kernel, padding="same", use_bias=False, name=name)(x)
        return x[:, ::rows, ::columns]
    if rows > 1:
        x = pad(x, kernel, name=f"{name}-pad")
    border = "valid" if rows > 1 else "same"
    return layers.DepthwiseConv2D(kernel, strides=rows, padding=border, use_bias=False, name=name)(x)


def conv_norm(
    x: Any,
    filters: int,
    kernel: Size,
    *,
    name: str,
    strides: Size = 1,
    activation: str | None = None,
    momentum: float = 0.9,
    suffixes: tuple[str, str] = ("conv", "bn"),
) -> Any:
    """Convolution without bias, batch normalisation, activation."""
    x = conv(x, filters, kernel, strides=strides, name=f"{name}-{suffixes[0]}")
    return activate(batch_norm(x, f"{name}-{suffixes[1]}", momentum), activation, f"{name}-act")


def squeeze_excite(x: Any, name: str, reduction: int = 4) -> Any:
    """Channel gate (Hu et al. 2018) with a hard sigmoid of slope 0.2."""
    channels = x.shape[-1]
    gate = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}-pool")(x)
    gate = layers.Conv2D(channels // reduction, 1, activation="relu", name=f"{name}-conv1")(gate)
    gate = layers.Conv2D(channels, 1, name=f"{name}-conv2")(gate)
    return layers.Multiply(name=f"{name}-scale")([x, HardSigmoid(name=f"{name}-gate")(gate)])


def pad(x: Any, kernel: Size, name: str | None = None) -> Any:
    """(kernel - 1) / 2 zeros on every side."""
    rows, columns = _pair(kernel)
    return layers.ZeroPadding2D(((rows - 1) // 2, (columns - 1) // 2), name=name)(x)


def _pair(size: Size) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else size
