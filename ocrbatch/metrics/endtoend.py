"""How much of a page's text came out: its words wherever they stand, and the characters of each labelled region."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import ArrayLike

from ocrbatch.geometry import to_shape
from ocrbatch.metrics.detection import harmonic_mean, ratio
from ocrbatch.metrics.recognition import edit_distance


def count_words(texts: Iterable[str], *, fold_case: bool = True) -> Counter[str]:
    """How often each word, cut at white space, stands in the texts."""
    return Counter(word for text in texts for word in (text.casefold() if fold_case else text).split())


@dataclass(slots=True)
class WordMetric:
    """Counts over pages: a word read as often as it stands on its page is right, its place does not matter (the
    multiset of SROIE, ICDAR 2019, task 2)."""

    fold_case: bool = True
    n_truth: int = 0
    n_found: int = 0
    n_matched: int = 0

    def update(self, truth: Iterable[str], found: Iterable[str]) -> None:
        """Adds one page: the texts of its labelled regions (ignored ones left out by the caller) and those read."""
        truth_words = count_words(truth, fold_case=self.fold_case)
        found_words = count_words(found, fold_case=self.fold_case)
        self.n_truth += truth_words.total()
        self.n_found += found_words.total()
        self.n_matched += (truth_words & found_words).total()

    def result(self) -> dict[str, float]:
        """``precision``, ``recall`` and ``f1`` of words, each in 0..1."""
        precision = ratio(self.n_matched, self.n_found)
        recall = ratio(self.n_matched, self.n_truth)
        return {"precision": precision, "recall": recall, "f1": harmonic_mean(precision, recall)}


def assign_by_overlap(truth: Sequence[ArrayLike], found: Sequence[ArrayLike]) -> list[list[int]]:
    """For each truth the numbers of the findings that share more area with it than with any other truth, in the
    direction of its text. Outlines are (n, 2); those of truths begin with the top edge of the text."""
    assigned: list[list[int]] = [[] for _ in truth]
    if not truth:
        return assigned
    shapes = np.array([to_shape(outline) for outline in truth])
    tree = shapely.STRtree(shapes)
    for number, outline in enumerate(found):
        shape = to_shape(outline)
        near = tree.query(shape)
        areas = shapely.area(shapely.intersection(shapes[near], shape))
        if areas.size and areas.max() > 0:
            assigned[near[int(areas.argmax())]].append(number)
    for outline, numbers in zip(truth, assigned, strict=True):
        start, end = np.asarray(outline, np.float64)[:2]
        numbers.sort(key=lambda number: float(np.mean(np.asarray(found[number], np.float64) @ (end - start))))
    return assigned


@dataclass(slots=True)
class RegionTextMetric:
    """Character errors of labelled regions, case folded, spaces dropped: each region against all that was read on it
    (see :func:`assign_by_overlap`). What was read beside all regions is left to the precision of boxes and words."""

    n_characters: int = 0
    n_edits: int = 0

    def update(
        self,
        truth: Sequence[ArrayLike],
        truth_texts: Sequence[str | None],
        found: Sequence[ArrayLike],
        found_texts: Sequence[str],
    ) -> None:
        """Adds one page: outlines (n, 2) with their texts. A truth whose text is None draws findings to itself
        uncounted, which is how ignored regions take part."""
        for text, numbers in zip(truth_texts, assign_by_overlap(truth, found), strict=True):
            if text is not None:
                expected = _squeeze(text)
                self.n_characters += len(expected)
                self.n_edits += edit_distance(expected, _squeeze("".join(found_texts[number] for number in numbers)))

    def result(self) -> dict[str, float]:
        """``cer``: edits over characters, from 0, possibly above 1."""
        return {"cer": ratio(self.n_edits, self.n_characters)}


def _squeeze(text: str) -> str:
    return "".join(text.casefold().split())
