"""Reading CTC outputs without keras: the codec that all CTC recognizers share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ocrbatch.charset import Charset
from ocrbatch.config.schema import CtcConfig, RecognizerInput
from ocrbatch.contracts import Reading
from ocrbatch.data.ctc_spelling import BLANK, Letter, Speller
from ocrbatch.data.fit import fit_line
from ocrbatch.lexicon import load_lexicon
from ocrbatch.types import Image

Letters: TypeAlias = tuple[NDArray[Any], ...]
"""Of the letters of some lines, one array each: class, highest probability, first step, the one behind the last."""


@dataclass(frozen=True)
class CtcCodec:
    """Line picture to network input, probabilities to text; see :class:`ocrbatch.contracts.RecognizerCodec`."""

    input: RecognizerInput
    charset: Charset
    speller: Speller | None = None

    def encode(self, line: Image) -> tuple[NDArray[np.uint8], float]:
        """The line fitted into the first width that holds it, and the fraction of that width which it covers."""
        return fit_line(line, self.input)

    def decode(self, outputs: Sequence[NDArray[Any]], used: Sequence[float]) -> list[Reading]:
        """Readings from ``outputs[0]``, probabilities (N, T, classes)."""
        return greedy_decode(outputs[0], used, self.charset, self.speller)


def ctc_codec(config: CtcConfig, charset: Charset) -> CtcCodec:
    """The codec of a recognizer with a CTC head. Raises ConfigError when its lexicon cannot be read."""
    lexicon = config.lexicon and load_lexicon(config.lexicon)
    return CtcCodec(config.input, charset, Speller(charset, lexicon) if lexicon else None)


def greedy_decode(
    probabilities: NDArray[np.floating[Any]], used: Sequence[float], charset: Charset, speller: Speller | None = None
) -> list[Reading]:
    """The best paths of some lines: runs of the same class become one character, blanks vanish.

    ``probabilities`` are (N, T, classes); ``used`` is the fraction of the T steps that each line covers. A score is the
    mean over the characters of the highest probability in their run, which is a character's score; 0 for an empty text.
    A ``speller`` mends words with doubtful letters.
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
    line = starts[runs] // steps
    letters: Letters = (classes[runs], peaks[runs], starts[runs] - steps * line, ends[runs] - steps * line)
    if speller:
        line, letters = _spelled(probabilities, line, letters, speller)
    readings = [Reading("", 0.0, np.zeros((0, 2), np.float32))] * n_lines
    if not line.size:
        return readings
    classes, peaks, starts, ends = letters
    spans = _spans((starts + ends) / (2 * steps * np.asarray(used)[line]), line)
    peaks = peaks.astype(np.float32)
    filled, first = np.unique(line, return_index=True)
    stop = np.append(first[1:], len(line))
    scores = np.add.reduceat(peaks, first) / (stop - first)
    text = charset.decode((classes - 1).tolist())  # numbers of numpy's own make slow indices
    for number, start, end, score in zip(filled.tolist(), first.tolist(), stop.tolist(), scores.tolist(), strict=True):
        readings[number] = Reading(text[start:end], score, spans[start:end], peaks[start:end])
    return readings


def _spelled(
    probabilities: NDArray[np.floating[Any]], line: NDArray[np.intp], letters: Letters, speller: Speller
) -> tuple[NDArray[np.intp], Letters]:
    """The letters of some lines with their words mended, and the line of each."""
    text = speller.charset.decode((letters[0] - 1).tolist())
    edges = np.searchsorted(line, np.arange(len(probabilities) + 1)).tolist()
    doubtful = [number for number, edge in enumerate(pairwise(edges)) if speller.doubts(text[slice(*edge)])]
    parts: list[Letters] = []
    counts = np.diff(edges)
    done = 0
    for number in doubtful:
        first, stop = edges[number : number + 2]
        read = [Letter(*values) for values in zip(*(column[first:stop].tolist() for column in letters), strict=True)]
        mended = speller.spelled(read, probabilities[number])
        parts += [tuple(column[done:first] for column in letters), tuple(map(np.array, zip(*mended, strict=True)))]
        counts[number], done = len(mended), stop
    parts.append(tuple(column[done:] for column in letters))
    columns = tuple(np.concatenate(column) for column in zip(*parts, strict=True))
    return np.repeat(np.arange(len(counts)), counts), columns


def character_spans(centres: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Spans (n, 2) of one line's characters that meet halfway between neighbouring centres; a single character has the
    whole line.

    CTC fires somewhere within a character, so the run itself says where the character is but not how wide it is.
    """
    return _spans(centres, np.zeros(len(centres), np.intp))


def _spans(centres: NDArray[np.floating[Any]], line: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
    """The spans of several lines' characters, ``line`` saying which one each belongs to."""
    together = line[1:] == line[:-1]
    first, last = np.concatenate([[True], ~together]), np.concatenate([~together, [True]])
    halfway = (centres[1:] + centres[:-1]) / 2
    left, right = np.concatenate([[0.0], halfway])[: len(centres)], np.concatenate([halfway, [1.0]])[: len(centres)]
    left, right = np.where(first, 2 * centres - right, left), np.where(last, 2 * centres - left, right)
    alone = first & last
    edges = np.stack([np.where(alone, 0.0, left), np.where(alone, 1.0, right)], axis=1)
    return np.clip(edges, 0, 1).astype(np.float32)
