"""The network of DB: Liao et al., Real-time Scene Text Detection with Differentiable Binarization, AAAI 2020."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from ocrbatch.contracts import Networks
from ocrbatch.nn.fpn import feature_pyramid
from ocrbatch_det_db.config import DBConfig
from ocrbatch_det_db.head import DifferentiableBinarization, branch


def build(config: DBConfig, backbone: Any) -> Networks:
    """Networks on a backbone with maps at strides 4, 8, 16 and 32, for pictures (N, H, W, C), H and W multiples of 32.

    Training gives float32 (N, H, W, 3): probability, threshold and binary map. Inference gives float32 (N, H, W, 1),
    the probability map, without the threshold branch.
    """
    image = keras.Input(backbone.input_shape[1:], name="image")
    fused = feature_pyramid(backbone(image), config.fpn_channels)
    width = config.head_channels or config.fpn_channels // 4
    probability, inferred = branch(fused, width, "head-binarize")
    threshold, _ = branch(fused, width, "head-thresh")
    binary = DifferentiableBinarization(config.k, name="binary", dtype="float32")(probability, threshold)
    maps = layers.Concatenate(name="maps", dtype="float32")([probability, threshold, binary])
    return Networks(
        training=keras.Model(image, maps, name="db_training"),
        inference=keras.Model(image, inferred, name="db"),
    )
