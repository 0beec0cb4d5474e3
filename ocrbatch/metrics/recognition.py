"""How well lines were read. Texts are compared by code point, as they are: spaces count, at the edges too.

Accuracies follow Baek et al., "What Is Wrong With Scene Text Recognition Model Comparisons?" (ICCV 2019): exact, with
letters lowered, and with only 0-9 and a-z kept after lowering. 1-NED is theirs as well, with two empty texts counted as
equal. CER and WER are edits over the length of the truth, summed over all lines before dividing (as jiwer does).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

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
        self.similarity += normalized_similarity(truth, read)

    def result(self) -> dict[str, float]:
        """``accuracy``, ``accuracy_case_insensitive``, ``accuracy_alphanumeric`` and ``one_minus_ned`` in 0..1; ``cer``
        and ``wer`` from 0, possibly above 1. All are 0 when no line was added."""
        lines = max(self.n_lines, 1)
        return {
            "accuracy": self.n_exact / lines,
            "accuracy_case_insensitive": self.n_case_insensitive / lines,
            "accuracy_alphanumeric": self.n_alphanumeric / lines,
            "one_minus_ned": self.similarity / lines,
            "cer": self.n_character_edits / max(self.n_characters, 1),
            "wer": self.n_word_edits / max(self.n_words, 1),
        }
