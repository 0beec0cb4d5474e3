"""How well lines were read. Texts are compared by code point, as they are: spaces count, at the edges too.

Accuracies follow Baek et al., "What Is Wrong With Scene Text Recognition Model Comparisons?" (ICCV 2019): exact, with
letters lowered, and with only 0-9 and a-z kept after lowering. 1-NED is theirs as well, with two empty texts counted as
equal. CER and WER are edits over the length of the truth, summed over all lines before dividing (as jiwer does).
Spaces have a precision and a recall of their own, for no figure above tells a reader that runs words together from one
that mistakes a letter now and then.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rapidfuzz.distance import Levenshtein

from ocrbatch.metrics.detection import harmonic_mean, ratio

_NOT_ALPHANUMERIC = re.compile("[^0-9a-z]")


def edit_distance(one: Sequence[str], other: Sequence[str]) -> int:
    """Fewest insertions, deletions and substitutions between two strings, or two lists of words."""
    return Levenshtein.distance(one, other)


def alphanumeric(text: str) -> str:
    """``text`` lowered, with only 0-9 and a-z kept."""
    return _NOT_ALPHANUMERIC.sub("", text.lower())


def words(text: str) -> list[str]:
    """The words between spaces (U+0020)."""
    return [word for word in text.strip().split(" ") if word]


def shared_spaces(truth: str, read: str) -> int:
    """Spaces (U+0020) of ``truth`` that stand between the same letters in ``read``: in common by the alignment of the
    two that changes the fewest letters, spaces aside, and of several such ones by one with most spaces in common."""
    if " " not in truth or " " not in read:
        return 0
    if truth == read:
        return truth.count(" ")
    edit = len(truth) + 1  # costs more than all spaces gain: one number holds the edits and the spaces
    letters = np.fromiter(map(ord, read), np.int64, len(read))
    inserted = np.concatenate(([0], np.cumsum(np.where(letters == ord(" "), 0, edit))))
    costs = inserted
    for letter in truth:
        is_space = letter == " "
        step = np.where(letters == ord(letter), -1 if is_space else 0, edit)
        reached = costs + (0 if is_space else edit)
        reached[1:] = np.minimum(reached[1:], costs[:-1] + step)
        costs = np.minimum.accumulate(reached - inserted) + inserted
    return int(-costs[-1] % edit)


def normalized_similarity(one: str, other: str) -> float:
    """1 - edits / length of the longer text, in 0..1; 1 for two empty texts."""
    longer = max(len(one), len(other))
    return 1 - edit_distance(one, other) / longer if longer else 1.0


@dataclass(slots=True)
class RecognitionMetric:
    """Counts over lines."""

    n_lines: int = 0
    n_exact: int = 0
    n_case_insensitive: int = 0
    n_alphanumeric: int = 0
    n_characters: int = 0
    n_character_edits: int = 0
    n_words: int = 0
    n_word_edits: int = 0
    n_spaces: int = 0
    n_spaces_read: int = 0
    n_spaces_shared: int = 0
    similarity: float = 0.0

    def update(self, truth: str, read: str) -> None:
        """Adds one line."""
        truth_words = words(truth)
        self.n_lines += 1
        self.n_exact += truth == read
        self.n_case_insensitive += truth.lower() == read.lower()
        self.n_alphanumeric += alphanumeric(truth) == alphanumeric(read)
        self.n_characters += len(truth)
        self.n_character_edits += edit_distance(truth, read)
        self.n_words += len(truth_words)
        self.n_word_edits += edit_distance(truth_words, words(read))
        self.n_spaces += truth.count(" ")
        self.n_spaces_read += read.count(" ")
        self.n_spaces_shared += shared_spaces(truth, read)
        self.similarity += normalized_similarity(truth, read)

    def result(self) -> dict[str, float]:
        """``accuracy``, ``accuracy_case_insensitive``, ``accuracy_alphanumeric`` and ``one_minus_ned`` in 0..1; ``cer``
        and ``wer`` from 0, possibly above 1; ``space_precision``, ``space_recall`` and their harmonic mean
        ``space_f1`` in 0..1. All are 0 when no line was added."""
        lines = max(self.n_lines, 1)
        space_precision = ratio(self.n_spaces_shared, self.n_spaces_read)
        space_recall = ratio(self.n_spaces_shared, self.n_spaces)
        return {
            "accuracy": self.n_exact / lines,
            "accuracy_case_insensitive": self.n_case_insensitive / lines,
            "accuracy_alphanumeric": self.n_alphanumeric / lines,
            "one_minus_ned": self.similarity / lines,
            "cer": self.n_character_edits / max(self.n_characters, 1),
            "wer": self.n_word_edits / max(self.n_words, 1),
            "space_precision": space_precision,
            "space_recall": space_recall,
            "space_f1": harmonic_mean(space_precision, space_recall),
        }
