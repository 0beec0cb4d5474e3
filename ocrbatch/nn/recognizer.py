"""Recognizers as choices of stages: transform, backbone, sequence, head."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import layers

from ocrbatch.config.schema import RecognizerInput
from ocrbatch.contracts import Networks
from ocrbatch.errors import ConfigError
from ocrbatch.nn.sequence import map_to_sequence

Stage = Callable[[Any], Any]


def ctc_networks(
    backbone: Any,
    n_characters: int,
    input: RecognizerInput,
    *,
    transform: Stage | None = None,
    encoder: Stage | None = None,
) -> Networks:
    """A CTC recognizer: scores (N, W / s, n_characters + 1) to train on, their softmax to read; class 0 is the blank.

    ``transform`` maps a picture (N, H, W, C) of fixed width to one of the same shape, ``encoder`` a sequence (N, W, C)
    to another.
    """
    image = line_input(backbone, input, fixed=transform is not None)
    features = backbone(transform(image) if transform else image)
    sequence = map_to_sequence(features)
    logits = layers.Dense(n_characters + 1, name="head-fc")(encoder(sequence) if encoder else sequence)
    probabilities = layers.Softmax(name="head-softmax", dtype="float32")(logits)
    return Networks(keras.Model(image, logits), keras.Model(image, probabilities))


def line_input(backbone: Any, input: RecognizerInput, *, fixed: bool = False) -> Any:
    """The input named ``image``: of any width, or of the ladder's only one if ``fixed``.

    Raises ConfigError where the backbone was built for another height.
    """
    height = backbone.input_shape[1]
    if height not in (None, input.height):
        raise ConfigError(
            f"input.height is {input.height}, but this backbone reads lines of height {height}: set it so."
        )
    return keras.Input(
        (input.height, input.widths[0] if fixed else None, input.channels), name="image", dtype="float32"
    )
