"""Found and read: a region counts when its outline matches and its text does. Protocols of the field.

ICDAR 2015 pairs as detection does and compares texts in upper case; one special character may be missing at either end
of the truth (Karatzas et al., "ICDAR 2015 Competition on Robust Reading", end-to-end task). Its word spotting looks for
words of three letters or more only and ignores all other truths. docTR pairs so that the sum of IoU is greatest and
counts pairs from an IoU of exactly 0.5; it knows no ignored regions.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ocrbatch.metrics.assignment import best_assignment
from ocrbatch.metrics.detection import IOU_THRESHOLD, harmonic_mean, iou_of, match_page, ratio

_SPECIAL = frozenset("!?.:,*\"()·[]/'")
_TO_SPACES = {ord(character): " " for character in _SPECIAL}
# letters as the competition's script has them: Latin with its accents, and Greek; a hyphen counts as one
_WORD = re.compile(r"[-A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u01bf\u01c4-\u027f\u0386-\u03ff]{3,}")


@dataclass(slots=True)
class SpottingMetric:
    """Counts over pages by the end-to-end protocol of ICDAR 2015, or, with ``words_only``, by that of its word
    spotting."""

    words_only: bool = False
    n_truth: int = 0
    n_found: int = 0
    n_matched: int = 0

    def update(
        self,
        truth: Sequence[ArrayLike],
        truth_texts: Sequence[str],
        ignore: Sequence[bool],
        found: Sequence[ArrayLike],
        found_texts: Sequence[str],
    ) -> None:
        """Adds one page: outlines (n, 2) as for :func:`ocrbatch.metrics.detection.match_page`, with their texts."""
        equal = icdar_equal
        if self.words_only:
            words = [spotted_word(text) for text in truth_texts]
            ignore = [flag or not word for flag, word in zip(ignore, words, strict=True)]
            truth_texts, equal = words, _same_word
        page = match_page(truth, ignore, found)
        self.n_truth += len(page.truth)
        self.n_found += len(page.found)
        self.n_matched += sum(equal(truth_texts[t], found_texts[f]) for t, f in page.pairs)

    def result(self) -> dict[str, float]:
        """``precision``, ``recall`` and ``hmean``, each in 0..1."""
        return _rates(self.n_matched, self.n_truth, self.n_found)


def icdar_equal(truth: str, found: str) -> bool:
    """Whether a text counts as read by the rules of ICDAR 2015."""
    truth, found = truth.upper(), found.upper()
    starts, ends = truth[:1] in _SPECIAL, truth[-1:] in _SPECIAL
    accepted = {truth, truth[1:] if starts else truth, truth[:-1] if ends else truth}
    return found in accepted or (starts and ends and found == truth[1:-1])


def spotted_word(truth: str) -> str:
    """The word that word spotting looks for where this text stands, empty where it looks for none: without a closing
    's, hyphens and special characters at its ends. Digits, and special characters inside, make it no word."""
    word = truth[:-2] if truth.endswith(("'s", "'S")) else truth
    word = word.strip("-").translate(_TO_SPACES).strip()
    return word if _WORD.fullmatch(word) else ""


def _same_word(truth: str, found: str) -> bool:
    return truth.upper() == found.upper()


@dataclass(slots=True)
class DoctrMetric:
    """Counts over pages by docTR's ``LocalizationConfusion`` and ``OCRMetric``."""

    n_truth: int = 0
    n_found: int = 0
    n_located: int = 0
    n_exact: int = 0
    n_caseless: int = 0
    overlap: float = 0.0

    def update(
        self,
        truth: Sequence[ArrayLike],
        truth_texts: Sequence[str],
        found: Sequence[ArrayLike],
        found_texts: Sequence[str],
    ) -> None:
        """Adds one page: outlines (n, 2) that do not cross themselves, with their texts."""
        overlaps = iou_of(truth, found)
        pairs = [(t, f) for t, f in best_assignment(overlaps) if overlaps[t, f] >= IOU_THRESHOLD]
        self.n_truth += len(truth)
        self.n_found += len(found)
        self.n_located += len(pairs)
        self.n_exact += sum(truth_texts[t] == found_texts[f] for t, f in pairs)
        self.n_caseless += sum(truth_texts[t].lower() == found_texts[f].lower() for t, f in pairs)
        self.overlap += float(np.max(overlaps, axis=0, initial=0.0).sum())

    def result(self) -> dict[str, float]:
        """``precision``, ``recall`` and ``hmean`` of places; the same of places with their text as ``exact_*`` and,
        letters lowered, ``caseless_*``; ``mean_iou``, over findings, of the best IoU with any truth. Each in 0..1."""
        counts = {"": self.n_located, "exact_": self.n_exact, "caseless_": self.n_caseless}
        rates = {
            f"{level}{name}": value
            for level, matched in counts.items()
            for name, value in _rates(matched, self.n_truth, self.n_found).items()
        }
        return rates | {"mean_iou": ratio(self.overlap, self.n_found)}


def _rates(matched: int, truth: int, found: int) -> dict[str, float]:
    precision, recall = ratio(matched, found), ratio(matched, truth)
    return {"precision": precision, "recall": recall, "hmean": harmonic_mean(precision, recall)}
