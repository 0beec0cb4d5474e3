"""Reading CTC outputs without keras: the codec that all CTC recognizers share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ocrbatch.charset import Charset
from ocrbatch.config.schema import RecognizerInput
from ocrbatch.contracts import Reading
from ocrbatch.data.fit import fit_line
from ocrbatch.types import Image

BLANK = 0


@dataclass(frozen=True)
class CtcCodec:
    """Line picture to network input, probabilities to text; see :class:`ocrbatch.contracts.RecognizerCodec`."""

    input: RecognizerInput
    charset: Charset

    def encode(self, line: Image) -> tuple[NDArray[np.uint8], float]:
        """The line fitted into the first width that holds it, and the fraction of that width which it covers."""
        return fit_line(line, self.input)

    def decode(self, outputs: Sequence[NDArray[Any]], used: Sequence[float]) -> list[Reading]:
        """Readings from ``outputs[0]``, probabilities (N, T, classes)."""
        return [greedy_decode(line, fraction, self.charset) for line, fraction in zip(outputs[0], used, strict=True)]


def greedy_decode(probabilities: NDArray[np.floating[Any]], used: float, charset: Charset) -> Reading:
    """The best path of one line: runs of the same class become one character, blanks vanish.

    ``probabilities`` are (T, classes); ``used`` is the fraction of the T steps that the line covers. The score is the
    mean over the characters of the highest probability in their run, 0 for an empty text.
    """
    best = probabilities.argmax(axis=1)
    starts = np.flatnonzero(np.r_[True, best[1:] != best[:-1]])
    ends = np.r_[starts[1:], len(best)]
    runs = np.flatnonzero(best[starts] != BLANK)
    if not len(runs):
        return Reading("", 0.0, np.zeros((0, 2), np.float32))
    starts, ends = starts[runs], ends[runs]
    classes = best[starts]
    peaks = [probabilities[start:end, k].max() for start, end, k in zip(starts, ends, classes, strict=True)]
    centres = (starts + ends) / (2 * len(best) * used)
    return Reading(charset.decode(classes - 1), float(np.mean(peaks)), character_spans(centres))


def character_spans(centres: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Spans (n, 2) that meet halfway between neighbouring centres; a single character has the whole line.

    CTC fires somewhere within a character, so the run itself says where the character is but not how wide it is.
    """
    if len(centres) == 1:
        return np.array([[0, 1]], np.float32)
    inner = (centres[1:] + centres[:-1]) / 2
    first, last = 2 * centres[0] - inner[0], 2 * centres[-1] - inner[-1]
    edges = np.clip(np.r_[first, inner, last], 0, 1)
    return np.stack([edges[:-1], edges[1:]], axis=1).astype(np.float32)
