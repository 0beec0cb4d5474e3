"""Targets and loss of ``rare``. Data workers import this module, so keras comes in with the loss only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ocrbatch.charset import Charset, normalize
from ocrbatch.contracts import Arrays
from ocrbatch_rec_rare.config import RareConfig


@dataclass(frozen=True)
class AttentionTraining:
    """Targets and loss of an attention decoder; see :class:`ocrbatch.contracts.RecognizerTraining`."""

    charset: Charset
    max_length: int
    label_smoothing: float = 0.0

    def targets(self, text: str) -> Arrays:
        """``labels`` int32 (max_length + 1,): classes from 1, the end from there on; ``length`` int32 (), end included.

        Raises KeyError for a character that the charset lacks and ValueError for a text that is too long.
        """
        classes = self.charset.encode(text) + 1
        if len(classes) > self.max_length:
            raise ValueError(f"{text!r} has {len(classes)} characters, max_length allows {self.max_length}")
        labels = np.full(self.max_length + 1, len(self.charset) + 1, np.int32)
        labels[: len(classes)] = classes
        return {"labels": labels, "length": np.array(len(classes) + 1, np.int32)}

    def steps_needed(self, text: str) -> int:
        """One step per character and one for the end."""
        return len(normalize(text)) + 1

    def loss(self, targets: Mapping[str, Any], outputs: Any) -> Mapping[str, Any]:
        """Mean cross-entropy per character, the end included; ``outputs`` are scores (N, max_length + 1, classes).

        With smoothing e a target is 1 - e on its class and e spread over all classes (Szegedy et al., "Rethinking the
        Inception architecture for computer vision", CVPR 2016, section 7).
        """
        from keras import ops

        labels, length = targets["labels"], ops.cast(targets["length"], "int32")
        counted = ops.cast(ops.arange(labels.shape[1])[None] < length[:, None], "float32")
        scores = ops.cast(outputs, "float32")
        each = ops.sparse_categorical_crossentropy(labels, scores, from_logits=True)
        if self.label_smoothing:
            spread = -ops.mean(ops.log_softmax(scores), axis=-1)
            each = (1 - self.label_smoothing) * each + self.label_smoothing * spread
        return {"loss": ops.sum(each * counted) / ops.maximum(ops.sum(counted), 1.0)}


def build_training(config: RareConfig, charset: Charset) -> AttentionTraining:
    """Attention over ``charset`` with labels of at most ``config.max_length`` characters."""
    return AttentionTraining(charset, config.max_length, config.label_smoothing)
