"""RARE: rectification, a backbone, bidirectional LSTMs and an attention decoder (Shi et al., CVPR 2016)."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from ocrbatch.contracts import Networks
from ocrbatch.nn.attention import AttentionDecoder, ShiftRight
from ocrbatch.nn.recognizer import line_input
from ocrbatch.nn.sequence import bilstm, map_to_sequence
from ocrbatch.nn.tps import rectify
from ocrbatch_rec_rare.config import RareConfig


def build_rare(config: RareConfig, backbone: Any, n_characters: int) -> Networks:
    """Networks for lines (N, 32, W, C), W fixed.

    Training takes ``labels`` (N, max_length + 1) too and gives scores (N, max_length + 1, n_characters + 2); inference
    gives their softmax, and where along the line each step looked, (N, max_length + 1, W / s).
    """
    image = line_input(backbone, config.input, fixed=True)
    rectified = rectify(image, points=config.points, size=config.localization)
    sequence = bilstm(map_to_sequence(backbone(rectified)), config.hidden, config.layers)
    decoder = AttentionDecoder(config.hidden, n_characters + 2, config.steps, name="head")
    labels = keras.Input((config.steps,), name="labels", dtype="int32")
    taught, _ = decoder(sequence, ShiftRight(name="head-shift")(labels))
    scores, weights = decoder(sequence)
    probabilities = layers.Softmax(name="head-softmax", dtype="float32")(scores)
    return Networks(keras.Model([image, labels], taught), keras.Model(image, [probabilities, weights]))
