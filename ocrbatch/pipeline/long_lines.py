"""Lines longer than a recognizer takes: cut at gaps between words, read piece by piece, joined again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ocrbatch.contracts import Reading
from ocrbatch.types import Image

_TOLERANCE = 1.15  # a line that much too long is squeezed: a cut costs more
_GAP = 0.3  # of the line's height: what a gap between words is at least
_REACH = 0.3  # of a piece's length: how far a cut may stand from where equal pieces would meet
_QUIET = 0.5  # of the typical contrast: what is darker is no gap


@dataclass(frozen=True, slots=True)
class Piece:
    """Columns of a line from ``start`` to ``stop``; ``spaced`` when a gap between words lies before it."""

    start: int
    stop: int
    spaced: bool = False


def pieces(line: Image, longest: float) -> list[Piece]:
    """Pieces of a line, RGB uint8 (h, w, 3), each at most about ``longest`` times as long as high; one when it fits."""
    height, width = line.shape[:2]
    if width <= longest * _TOLERANCE * height:
        return [Piece(0, width)]
    count = math.ceil(width / (longest * height))
    contrast = _contrast(line, max(1, round(_GAP * height)))
    typical = float(np.median(contrast))
    cuts = [_quietest(contrast, width * number / count, _REACH * width / count) for number in range(1, count)]
    spaced = [False, *(bool(contrast[cut] < _QUIET * typical) for cut in cuts)]
    edges = [0, *cuts, width]
    return [Piece(*edge) for edge in zip(edges, edges[1:], spaced, strict=False)]


def join(readings: Sequence[Reading], parts: Sequence[Piece]) -> Reading:
    """One reading of the whole line from those of its pieces; its score is the mean over the characters."""
    if len(readings) == 1:
        return readings[0]
    width = parts[-1].stop
    text, score = "", 0.0
    spans: list[NDArray[np.float32]] = []
    scores: list[float] = []
    for reading, part in zip(readings, parts, strict=True):
        if not reading.text:
            continue
        start, length = part.start / width, (part.stop - part.start) / width
        of_letters = reading.letter_scores().tolist()
        placed = reading.spans * np.float32(length) + np.float32(start)
        if text and part.spaced:
            text += " "
            spans.append(np.array([[spans[-1][-1, 1], placed[0, 0]]], np.float32))
            scores.append(min(scores[-1], of_letters[0]))
        text += reading.text
        spans.append(placed)
        scores += of_letters
        score += reading.score * len(reading.text)
    letters = sum(len(reading.text) for reading in readings)
    whole = np.concatenate(spans) if spans else np.zeros((0, 2), np.float32)
    mean = score / letters if letters else 0.0
    return Reading(text, mean, whole.astype(np.float32), np.array(scores, np.float32))


def _contrast(line: Image, window: int) -> NDArray[np.float64]:
    """Darkest to lightest of each column, the mean over ``window`` columns around it."""
    grey = line.mean(axis=2)
    span = np.pad(np.ptp(grey, axis=0), (window // 2, window - 1 - window // 2), mode="edge")
    return np.convolve(span, np.full(window, 1 / window), mode="valid")


def _quietest(contrast: NDArray[np.float64], middle: float, reach: float) -> int:
    low = max(1, round(middle - reach))
    high = min(len(contrast) - 1, round(middle + reach) + 1)
    return low + int(np.argmin(contrast[low:high]))
