"""The head of DB: a map of the input's size from the fused map at stride 4."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from ocrbatch.nn.blocks import batch_norm, conv
from ocrbatch.nn.layers import activate


@keras.saving.register_keras_serializable(package="ocrbatch")
class DifferentiableBinarization(layers.Layer):
    """Approximate binary map 1 / (1 + exp(-k (probability - threshold))) (Liao et al., 2020, equation 2)."""

    def __init__(self, k: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.k = k

    def call(self, probability: Any, threshold: Any) -> Any:
        return ops.sigmoid(self.k * (probability - threshold))

    def compute_output_shape(self, probability_shape: Any, threshold_shape: Any) -> Any:  # noqa: ARG002
        return probability_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "k": self.k}


@keras.saving.register_keras_serializable(package="ocrbatch")
class PointwiseEnlargement(layers.Layer):
    """What inference makes of a branch's ``first`` transposed convolution, ``norm``, ReLU, ``second`` transposed
    convolution and sigmoid: (N, h, w, C) to (N, 4 h, 4 w, 1).

    Both kernels are as large as their strides, so the 4 x 4 pixels that come of one depend on it alone: two 1 x 1
    convolutions at the coarse size (the norm folded into the first, the second block-diagonal) and one rearrangement
    give the same numbers without the large maps between, a quarter faster on a CPU for the whole detector.
    """

    def __init__(self, first: Any, norm: Any, second: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.first, self.norm, self.second = first, norm, second

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        middle = (*input_shape[:3], self.first.filters)
        for layer, shape in ((self.first, input_shape), (self.norm, middle), (self.second, middle)):
            if not layer.built:
                layer.build(shape)
        super().build(input_shape)

    def call(self, inputs: Any) -> Any:
        scale = self.norm.gamma / ops.sqrt(self.norm.moving_variance + self.norm.epsilon)
        shift = (self.first.bias - self.norm.moving_mean) * scale + self.norm.beta
        x = _pointwise(inputs, _cells_last(self.first.kernel * scale[:, None]), ops.tile(shift, 4))
        return ops.sigmoid(ops.cast(_enlarged(ops.relu(x), self.second), "float32"))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        batch, height, width, _ = input_shape
        return (batch, height and 4 * height, width and 4 * width, 1)

    def get_config(self) -> dict[str, Any]:
        parts = {"first": self.first, "norm": self.norm, "second": self.second}
        return {**super().get_config(), **{k: keras.saving.serialize_keras_object(v) for k, v in parts.items()}}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> PointwiseEnlargement:
        parts = {k: keras.saving.deserialize_keras_object(config.pop(k)) for k in ("first", "norm", "second")}
        return cls(**parts, **config)


def branch(fused: Any, width: int, name: str) -> tuple[Any, Any]:
    """One map (N, H, W, 1) in 0..1 from the fused map (N, H / 4, W / 4, C): for training, and for inference from the
    same weights."""
    x = conv(fused, width, 3, name=f"{name}-conv1")
    x = coarse = activate(batch_norm(x, f"{name}-conv_bn1"), "relu", f"{name}-act1")
    first = layers.Conv2DTranspose(width, 2, strides=2, name=f"{name}-conv2")
    norm = layers.BatchNormalization(epsilon=1e-5, momentum=0.9, name=f"{name}-conv_bn2")
    second = layers.Conv2DTranspose(1, 2, strides=2, name=f"{name}-conv3")
    x = second(activate(norm(first(x)), "relu", f"{name}-act2"))
    trained = layers.Activation("sigmoid", dtype="float32", name=f"{name}-map")(x)
    # In single precision whatever the policy: a norm folded into a kernel of half precision would not be the same norm.
    return trained, PointwiseEnlargement(first, norm, second, name=name, dtype="float32")(coarse)


def _cells_last(kernel: Any) -> Any:
    """Kernel (2, 2, out, in) of a transposed convolution as a matrix (in, 4 out), cell after cell."""
    return ops.reshape(ops.transpose(kernel, (3, 0, 1, 2)), (kernel.shape[3], -1))


def _enlarged(cells: Any, layer: Any) -> Any:
    """A transposed convolution to one channel on cells (N, h, w, 2 x 2 x C): (N, 4 h, 4 w, 1)."""
    fine = ops.transpose(ops.reshape(layer.kernel, (4, -1)))
    blocks = ops.eye(4)[:, None, :, None] * fine[None, :, None, :]  # cell, channel, cell, pixel of the cell
    columns = ops.transpose(ops.reshape(blocks, (-1, 2, 2, 2, 2)), (0, 1, 3, 2, 4))  # row by row of the 4 x 4 pixels
    x = _pointwise(cells, ops.reshape(columns, (-1, 16)), layer.bias)
    return ops.depth_to_space(x, 4, data_format="channels_last")


def _pointwise(x: Any, matrix: Any, bias: Any) -> Any:
    kernel = ops.cast(matrix[None, None], x.dtype)
    return ops.conv(x, kernel, data_format="channels_last") + ops.cast(bias, x.dtype)
