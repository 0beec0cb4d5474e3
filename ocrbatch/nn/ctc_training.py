"""What CTC recognizers need for training. Data workers import this module, so keras comes in with the loss only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ocrbatch.charset import Charset, ctc_steps
from ocrbatch.contracts import Arrays


@dataclass(frozen=True)
class CtcTraining:
    """Targets and loss of a CTC recognizer; see :class:`ocrbatch.contracts.RecognizerTraining`."""

    charset: Charset
    max_length: int
    label_smoothing: float = 0.0

    def targets(self, text: str) -> Arrays:
        """``labels`` int32 (max_length,), classes from 1 padded with 0, and ``length`` int32 ().

        Raises KeyError for a character that the charset lacks and ValueError for a text that is too long.
        """
        classes = self.charset.encode(text) + 1
        if len(classes) > self.max_length:
            raise ValueError(f"{text!r} has {len(classes)} characters, max_length allows {self.max_length}")
        labels = np.zeros(self.max_length, np.int32)
        labels[: len(classes)] = classes
        return {"labels": labels, "length": np.array(len(classes), np.int32)}

    def steps_needed(self, text: str) -> int:
        """One step per character and a blank between equal neighbours."""
        return ctc_steps(text)

    def loss(self, targets: Mapping[str, Any], outputs: Any) -> Mapping[str, Any]:
        """Mean CTC loss per character of the lines that can be emitted, smoothed if that is asked for; ``outputs`` are
        raw scores (N, T, classes)."""
        from ocrbatch.nn.ctc import smoothed_ctc_loss

        return {"loss": smoothed_ctc_loss(outputs, targets["labels"], targets["length"], self.label_smoothing)}
