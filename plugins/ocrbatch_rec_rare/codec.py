"""Line picture to network input and probabilities to text, numpy only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ocrbatch.charset import Charset
from ocrbatch.config.schema import RecognizerInput
from ocrbatch.contracts import Reading
from ocrbatch.data.ctc_decode import character_spans
from ocrbatch.data.fit import fit_line
from ocrbatch.types import Image
from ocrbatch_rec_rare.config import SOS, RareConfig


@dataclass(frozen=True)
class AttentionCodec:
    """See :class:`ocrbatch.contracts.RecognizerCodec`."""

    input: RecognizerInput
    charset: Charset

    def encode(self, line: Image) -> tuple[NDArray[np.uint8], float]:
        """The line fitted into the one width, and the fraction of it which it covers."""
        return fit_line(line, self.input)

    def decode(self, outputs: Sequence[NDArray[Any]], used: Sequence[float]) -> list[Reading]:
        """Readings from probabilities (N, steps, classes) and attention weights (N, steps, T)."""
        return [self._read(*line) for line in zip(*outputs, used, strict=True)]

    def _read(self, probabilities: NDArray[Any], weights: NDArray[Any], used: float) -> Reading:
        """All up to the end, without the starts that some checkpoints emit first."""
        classes = probabilities.argmax(axis=1)
        ends = np.flatnonzero(classes == len(self.charset) + 1)
        classes = classes[: ends[0]] if len(ends) else classes
        steps = np.flatnonzero(classes != SOS)
        if not len(steps):
            return Reading("", 0.0, np.zeros((0, 2), np.float32))
        scores = probabilities[steps, classes[steps]].astype(np.float32)
        places = (np.arange(weights.shape[1]) + 0.5) / (weights.shape[1] * used)
        centres = np.maximum.accumulate(weights[steps] @ places)
        text = self.charset.decode(classes[steps] - 1)
        return Reading(text, float(np.mean(scores)), character_spans(centres), scores)


def build_codec(config: RareConfig, charset: Charset) -> AttentionCodec:
    """Greedy attention over ``charset``."""
    return AttentionCodec(config.input, charset)
