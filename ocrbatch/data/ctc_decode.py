"""Reading CTC outputs without keras: the codec that all CTC recognizers share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
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
        return greedy_decode(outputs[0], used, self.charset)


def greedy_decode(probabilities: NDArray[np.floating[Any]], used: Sequence[float], charset: Charset) -> list[Reading]:
    """The best paths of some lines: runs of the same class become one character, blanks vanish.

    ``probabilities`` are (N, T, classes); ``used`` is the fraction of the T steps that each line covers. A score is the
    mean over the characters of the highest probability in their run, which is a character's score; 0 for an empty text.
    """
    n_lines, steps = probabilities.shape[:2]
    best = probabilities.argmax(axis=2)
    highest = np.take_along_axis(probabilities, best[..., None], axis=2).ravel()
    begins = np.ones((n_lines, steps), bool)
    begins[:, 1:] = best[:, 1:] != best[:, :-1]
    starts = np.flatnonzero(begins)
    ends = np.append(starts[1:], n_lines * steps)
    peaks = np.maximum.reduceat(highest, starts)
    classes = best.ravel()[starts]
    runs = np.flatnonzero(classes != BLANK)
    classes, peaks, line = classes[runs] - 1, peaks[runs], starts[runs] // steps
    centres = (starts[runs] + ends[runs] - 2 * steps * line) / (2 * steps * np.asarray(used)[line])
    bounds = np.searchsorted(line, np.arange(n_lines + 1))
    return [
        _reading(classes[first:stop], peaks[first:stop], centres[first:stop], charset)
        for first, stop in pairwise(bounds.tolist())
    ]


def _reading(
    ids: NDArray[np.integer[Any]],
    peaks: NDArray[np.floating[Any]],
    centres: NDArray[np.floating[Any]],
    charset: Charset,
) -> Reading:
    if not len(ids):
        return Reading("", 0.0, np.zeros((0, 2), np.float32))
    return Reading(charset.decode(ids), float(np.mean(peaks)), character_spans(centres), peaks.astype(np.float32))


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
