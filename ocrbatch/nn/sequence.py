"""From a feature map of height 1 to a sequence, and recurrent encoders over it."""

from __future__ import annotations

from typing import Any

from keras import layers

from ocrbatch.errors import ConfigError


def map_to_sequence(features: Any) -> Any:
    """(N, 1, W, C) as (N, W, C). Raises ConfigError for maps of another height."""
    height, channels = features.shape[1], features.shape[3]
    if height != 1:
        raise ConfigError(
            f"This recognizer needs a backbone that reduces lines to a height of 1, but it leaves {height}: "
            "set input.height to 32 or choose another backbone."
        )
    return layers.Reshape((-1, channels), name="neck-reshape")(features)


def bilstm(sequence: Any, hidden: int, depth: int) -> Any:
    """``depth`` bidirectional LSTM layers of ``hidden`` units per direction; (N, W, C) to (N, W, 2 hidden)."""
    for level in range(depth):
        cell = layers.LSTM(hidden, return_sequences=True)
        sequence = layers.Bidirectional(cell, name=f"neck-encoder-lstm-{level}")(sequence)
    return sequence
