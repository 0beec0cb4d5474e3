"""The network of DB: Liao et al., Real-time Scene Text Detection with Differentiable Binarization, AAAI 2020."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from ocrbatch.contracts import Networks
from ocrbatch.nn.blocks import batch_norm, conv
from ocrbatch.nn.fpn import feature_pyramid
from ocrbatch.nn.layers import activate
from ocrbatch_det_db.config import DBConfig


@keras.saving.register_keras_serializable(package="ocrbatch")
class DifferentiableBinarization(layers.Layer):
    """Approximate binary map 1 / (1 + exp(-k (probability - threshold))) (paper, equation 2)."""

    def __init__(self, k: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.k = k

    def call(self, probability: Any, threshold: Any) -> Any:
        return ops.sigmoid(self.k * (probability - threshold))

    def compute_output_shape(self, probability_shape: Any, threshold_shape: Any) -> Any:  # noqa: ARG002
        return probability_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "k": self.k}


def build(config: DBConfig, backbone: Any) -> Networks:
    """Networks on a backbone with maps at strides 4, 8, 16 and 32, for pictures (N, H, W, C), H and W multiples of 32.

    Training gives float32 (N, H, W, 3): probability, threshold and binary map. Inference gives float32 (N, H, W, 1),
    the probability map, without the threshold branch.
    """
    image = keras.Input(backbone.input_shape[1:], name="image")
    fused = feature_pyramid(backbone(image), config.fpn_channels)
    width = config.head_channels or config.fpn_channels // 4
    probability = _branch(fused, width, "head.binarize")
    threshold = _branch(fused, width, "head.thresh")
    binary = DifferentiableBinarization(config.k, name="binary", dtype="float32")(probability, threshold)
    maps = layers.Concatenate(name="maps", dtype="float32")([probability, threshold, binary])
    return Networks(
        training=keras.Model(image, maps, name="db_training"),
        inference=keras.Model(image, probability, name="db"),
    )


def _branch(fused: Any, width: int, name: str) -> Any:
    """One map (N, H, W, 1) in 0..1 from the fused map at stride 4, by two transposed convolutions."""
    x = conv(fused, width, 3, name=f"{name}.conv1")
    x = activate(batch_norm(x, f"{name}.conv_bn1"), "relu", f"{name}.act1")
    x = layers.Conv2DTranspose(width, 2, strides=2, name=f"{name}.conv2")(x)
    x = activate(batch_norm(x, f"{name}.conv_bn2"), "relu", f"{name}.act2")
    x = layers.Conv2DTranspose(1, 2, strides=2, name=f"{name}.conv3")(x)
    return layers.Activation("sigmoid", dtype="float32", name=f"{name}.map")(x)
