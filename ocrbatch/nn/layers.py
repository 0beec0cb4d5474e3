"""Layers that Keras lacks; all are serialisable and know nothing of a backend."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="ocrbatch")
class HardSigmoid(keras.layers.Layer):
    """``clip(slope * x + 0.5, 0, 1)``; Keras's own has a fixed slope of 1/6, MobileNetV3's gates here have 0.2."""

    def __init__(self, slope: float = 0.2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.slope = slope

    def call(self, x: Any) -> Any:
        return ops.clip(self.slope * x + 0.5, 0.0, 1.0)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "slope": self.slope}


def activate(x: Any, activation: str | None, name: str | None = None) -> Any:
    """``x`` after ``relu`` or ``hard_swish`` (``x * clip(x + 3, 0, 6) / 6``); None leaves it alone."""
    return x if activation is None else keras.layers.Activation(activation, name=name)(x)
