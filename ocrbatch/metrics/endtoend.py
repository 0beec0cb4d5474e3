"""How much of a page's text came out, wherever it stood: words as a multiset, as in SROIE (ICDAR 2019), task 2."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from ocrbatch.metrics.detection import harmonic_mean, ratio


def count_words(texts: Iterable[str], *, fold_case: bool = True) -> Counter[str]:
    """How often each word, cut at white space, stands in the texts."""
    return Counter(word for text in texts for word in (text.casefold() if fold_case else text).split())


@dataclass(slots=True)
class WordMetric:
    """Counts over pages: a word read as often as it stands on its page is right, its place does not matter."""

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
