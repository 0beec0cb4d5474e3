"""The field's protocols by name, each with one way to be fed and one way to be asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from numpy.typing import ArrayLike

from ocrbatch.metrics.detection import DetectionMetric, ScoreSweep, match_page
from ocrbatch.metrics.deteval import TOTAL_TEXT, DetEvalMetric
from ocrbatch.metrics.endtoend import WordMetric
from ocrbatch.metrics.recognition import RecognitionMetric
from ocrbatch.metrics.spotting import DoctrMetric, SpottingMetric


@dataclass(frozen=True, slots=True)
class PageOutcome:
    """What is labelled on a page and what was found on it: outlines (n, 2) in its pixels with their texts. ``ignore``
    marks truths that count neither as found nor as missed; a truth without text is None. ``found_scores``, in 0..1, say
    how sure the detector was of each finding."""

    truth: Sequence[ArrayLike]
    truth_texts: Sequence[str | None]
    ignore: Sequence[bool]
    found: Sequence[ArrayLike]
    found_texts: Sequence[str]
    found_scores: Sequence[float]

    def with_unread_ignored(self) -> PageOutcome:
        """The page with truths that have no text ignored: nobody can say whether they were read."""
        ignore = [flag or text is None for flag, text in zip(self.ignore, self.truth_texts, strict=True)]
        return replace(self, truth_texts=[text or "" for text in self.truth_texts], ignore=ignore)

    def without_ignored(self) -> PageOutcome:
        """The page without ignored truths and without what was found on them."""
        page = match_page(self.truth, self.ignore, self.found)
        return PageOutcome(
            [self.truth[n] for n in page.truth],
            [self.truth_texts[n] for n in page.truth],
            [False] * len(page.truth),
            [self.found[n] for n in page.found],
            [self.found_texts[n] for n in page.found],
            [self.found_scores[n] for n in page.found],
        )


class PageProtocol(Protocol):
    """Counts over pages."""

    def update(self, page: PageOutcome) -> None: ...

    def result(self) -> dict[str, float]: ...


@dataclass(slots=True)
class Icdar2015Detection:
    """Outlines by ICDAR 2015: ``precision``, ``recall``, ``hmean``."""

    metric: DetectionMetric = field(default_factory=DetectionMetric)

    def update(self, page: PageOutcome) -> None:
        """Adds one page."""
        self.metric.update(page.truth, page.ignore, page.found)

    def result(self) -> dict[str, float]:
        """Figures in 0..1."""
        return self.metric.result()


@dataclass(slots=True)
class Icdar2015Sweep:
    """Outlines by ICDAR 2015 at score thresholds from 0.3 to 0.9, and at the best of them, as MMOCR and PaddleOCR's
    FCENet report: ``hmean_*``, ``best_threshold``, ``best_precision``, ``best_recall``, ``best_hmean``."""

    metric: ScoreSweep = field(default_factory=ScoreSweep)

    def update(self, page: PageOutcome) -> None:
        """Adds one page."""
        self.metric.update(page.truth, page.ignore, page.found, page.found_scores)

    def result(self) -> dict[str, float]:
        """Figures in 0..1."""
        return self.metric.result()


@dataclass(slots=True)
class DetEvalDetection:
    """Outlines by DetEval (Wolf and Jolion 2006), as for ICDAR 2013 and SROIE, task 1: ``precision``, ``recall``,
    ``hmean``."""

    metric: DetEvalMetric = field(default_factory=DetEvalMetric)

    def update(self, page: PageOutcome) -> None:
        """Adds one page."""
        self.metric.update(page.truth, page.ignore, page.found)

    def result(self) -> dict[str, float]:
        """Figures in 0..1."""
        return self.metric.result()


def deteval_total_text() -> DetEvalDetection:
    """The same as for Total-Text: see :data:`ocrbatch.metrics.deteval.TOTAL_TEXT`."""
    return DetEvalDetection(DetEvalMetric(TOTAL_TEXT))


@dataclass(slots=True)
class DoctrDetection:
    """Outlines by docTR's ``LocalizationConfusion``, without ignored regions and what was found on them: ``precision``,
    ``recall``, ``hmean`` and ``mean_iou``."""

    metric: DoctrMetric = field(default_factory=DoctrMetric)

    def update(self, page: PageOutcome) -> None:
        """Adds one page."""
        counted = page.without_ignored()
        blank = [""] * max(len(counted.truth), len(counted.found))
        self.metric.update(counted.truth, blank, counted.found, blank)

    def result(self) -> dict[str, float]:
        """Figures in 0..1."""
        result = self.metric.result()
        return {name: result[name] for name in ("precision", "recall", "hmean", "mean_iou")}


@dataclass(slots=True)
class IcdarSpotting:
    """Outlines with their texts by ICDAR 2015: ``precision``, ``recall``, ``hmean``."""

    metric: SpottingMetric = field(default_factory=SpottingMetric)

    def update(self, page: PageOutcome) -> None:
        """Adds one page."""
        known = page.with_unread_ignored()
        texts = [text or "" for text in known.truth_texts]
        self.metric.update(known.truth, texts, known.ignore, known.found, known.found_texts)

    def result(self) -> dict[str, float]:
        """Figures in 0..1."""
        return self.metric.result()


def word_spotting() -> IcdarSpotting:
    """The same for words alone: see :func:`ocrbatch.metrics.spotting.spotted_word`."""
    return IcdarSpotting(SpottingMetric(words_only=True))


@dataclass(slots=True)
class DoctrEndToEnd:
    """Outlines with their texts by docTR's ``OCRMetric``, ignored regions and what was found on them left out."""

    metric: DoctrMetric = field(default_factory=DoctrMetric)

    def update(self, page: PageOutcome) -> None:
        """Adds one page."""
        counted = page.with_unread_ignored().without_ignored()
        texts = [text or "" for text in counted.truth_texts]
        self.metric.update(counted.truth, texts, counted.found, counted.found_texts)

    def result(self) -> dict[str, float]:
        """Figures in 0..1."""
        return self.metric.result()


@dataclass(slots=True)
class SroieWords:
    """The page's words as a bag, case folded, wherever they are (SROIE, task 2): ``precision``, ``recall``, ``f1``."""

    metric: WordMetric = field(default_factory=WordMetric)

    def update(self, page: PageOutcome) -> None:
        """Adds one page."""
        counted = page.with_unread_ignored().without_ignored()
        self.metric.update([text or "" for text in counted.truth_texts], counted.found_texts)

    def result(self) -> dict[str, float]:
        """Figures in 0..1."""
        return self.metric.result()


PAGE_PROTOCOLS: Mapping[str, Mapping[str, Callable[[], PageProtocol]]] = {
    "det": {
        "icdar2015": Icdar2015Detection,
        "icdar2015-sweep": Icdar2015Sweep,
        "doctr": DoctrDetection,
        "deteval": DetEvalDetection,
        "deteval-totaltext": deteval_total_text,
    },
    "e2e": {"doctr": DoctrEndToEnd, "icdar": IcdarSpotting, "word-spotting": word_spotting, "sroie": SroieWords},
}
"""Protocols for pages, by task and name."""

LINE_PROTOCOLS: Mapping[str, tuple[str, ...]] = {
    "exact": ("accuracy",),
    "case-insensitive": ("accuracy_case_insensitive",),
    "alphanumeric": ("accuracy_alphanumeric",),
    "one-minus-ned": ("one_minus_ned",),
    "cer": ("cer",),
    "wer": ("wer",),
    "space-f1": ("space_precision", "space_recall", "space_f1"),
}
"""Protocols for lines: the figures of :class:`RecognitionMetric` that each stands for. Spaces count in all of them but
``alphanumeric``."""


def protocol_names(task: str) -> tuple[str, ...]:
    """The protocols of det, rec or e2e."""
    return tuple(LINE_PROTOCOLS if task == "rec" else PAGE_PROTOCOLS[task])


def line_figures(metric: RecognitionMetric, names: Sequence[str]) -> dict[str, dict[str, float]]:
    """The figures of each named protocol for lines."""
    result = metric.result()
    return {name: {figure: result[figure] for figure in LINE_PROTOCOLS[name]} for name in names}
