"""Feature pyramids: maps of several strides fused into one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

from ocrbatch.nn.blocks import conv


@keras.saving.register_keras_serializable(package="ocrbatch")
class Upsample(layers.Layer):
    """Map (N, H, W, C) enlarged ``factor`` times by repeating pixels.

    Copies of the channels dealt out over space: two nodes of an exported graph, where ``UpSampling2D`` needs a dozen,
    and, unlike ``ops.image.resize``, it takes sizes that are known only at run time.
    """

    def __init__(self, factor: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, inputs: Any) -> Any:
        copies = ops.tile(inputs, (1, 1, 1, self.factor**2))
        return ops.depth_to_space(copies, self.factor, data_format="channels_last")

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        batch, height, width, channels = input_shape
        return (batch, self._times(height), self._times(width), channels)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": self.factor}

    def _times(self, size: int | None) -> int | None:
        return None if size is None else size * self.factor


def feature_pyramid(features: Sequence[Any], channels: int, *, name: str = "neck") -> Any:
    """Maps at strides 4, 8, 16 and 32 fused into one at stride 4 with ``channels`` channels.

    Lateral 1 x 1 convolutions, a top-down sum, a 3 x 3 convolution to a quarter of the width on each level, all
    enlarged to stride 4 and joined from the deepest to the shallowest (Liao et al., 2020, section 3; no bias, no norm).
    """
    sums: list[Any] = []
    for level, feature in zip((5, 4, 3, 2), reversed(features), strict=True):
        lateral = conv(feature, channels, 1, name=f"{name}-in{level}_conv")
        if sums:
            above = Upsample(2, name=f"{name}-up{level}")(sums[-1])
            lateral = layers.add([lateral, above], name=f"{name}-sum{level}")
        sums.append(lateral)
    outs = []
    for level, fused in zip((5, 4, 3, 2), sums, strict=True):
        out = conv(fused, channels // 4, 3, name=f"{name}-p{level}_conv")
        outs.append(Upsample(2 ** (level - 2), name=f"{name}-enlarge{level}")(out) if level > 2 else out)
    return layers.concatenate(outs, name=f"{name}-fused")
