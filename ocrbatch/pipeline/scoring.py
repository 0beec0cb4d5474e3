"""Scores of bundles on labelled data, through the chain that runs them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ocrbatch.charset import normalize
from ocrbatch.data.formats.lmdb import is_stored
from ocrbatch.data.images import probe, read_page, stamp
from ocrbatch.data.labels import LineLabel, PageLabel, RegionLabel
from ocrbatch.data.pictures import read_picture
from ocrbatch.metrics.protocols import PAGE_PROTOCOLS, PageOutcome, line_figures
from ocrbatch.metrics.recognition import RecognitionMetric, normalized_similarity
from ocrbatch.pipeline.chain import Chain
from ocrbatch.types import Image, TextRegion

_LINES_AT_ONCE = 64

Figures = dict[str, dict[str, float]]
"""Figures by protocol and name."""


@dataclass(frozen=True, slots=True)
class ReadLine:
    """The picture of a line, its label, and what was read."""

    image: Path
    truth: str
    read: str


@dataclass(frozen=True, slots=True)
class ReadPage:
    """A page, its labelled regions (ignored ones as rejected), and what was found."""

    image: Path
    truth: tuple[TextRegion, ...]
    found: tuple[TextRegion, ...]
    outcome: PageOutcome


class LineScores:
    """Scores of lines by the named protocols."""

    def __init__(self, protocols: Sequence[str]) -> None:
        self._protocols = tuple(protocols)
        self._metric = RecognitionMetric()

    def update(self, line: ReadLine) -> None:
        """Adds one line."""
        self._metric.update(line.truth, line.read)

    def result(self) -> Figures:
        """Figures by protocol."""
        return line_figures(self._metric, self._protocols)

    def alone(self, line: ReadLine) -> float:
        """How well one line was read: 1-NED."""
        return normalized_similarity(line.truth, line.read)


class PageScores:
    """Scores of pages by the named protocols of det or e2e."""

    def __init__(self, task: str, protocols: Sequence[str]) -> None:
        self._makers = {name: PAGE_PROTOCOLS[task][name] for name in protocols}
        self._metrics = {name: make() for name, make in self._makers.items()}

    def update(self, page: ReadPage) -> None:
        """Adds one page."""
        for metric in self._metrics.values():
            metric.update(page.outcome)

    def result(self) -> Figures:
        """Figures by protocol."""
        return {name: metric.result() for name, metric in self._metrics.items()}

    def alone(self, page: ReadPage) -> float:
        """How well one page was read: its own mean of precision and recall by the first protocol, 1 where there was
        nothing to find."""
        counted = page.outcome.without_ignored()
        if not len(counted.truth) and not len(counted.found):
            return 1.0
        metric = next(iter(self._makers.values()))()
        metric.update(page.outcome)
        figures = metric.result()
        return next(figures[name] for name in ("caseless_hmean", "hmean", "f1", "best_hmean") if name in figures)


def read_lines(chain: Chain, labels: Sequence[LineLabel]) -> Iterator[ReadLine]:
    """Reads labelled lines. Raises InputError for a picture that cannot be read."""
    if chain.recognizer is None:
        raise ValueError("a chain without a recognizer reads nothing")
    for start in range(0, len(labels), _LINES_AT_ONCE):
        some = labels[start : start + _LINES_AT_ONCE]
        lines = [chain.recognizer.line(picture_of(label.image, chain)) for label in some]
        for label, reading in zip(some, chain.recognizer.read(lines), strict=True):
            yield ReadLine(label.image, label.text, normalize(reading.text))


def read_pages(chain: Chain, labels: Sequence[PageLabel]) -> Iterator[ReadPage]:
    """Reads labelled pages; regions that the chain rejects do not count as found. Raises InputError for a picture that
    cannot be read."""
    for label in labels:
        found = tuple(region for region in chain.read(picture_of(label.image, chain)).regions if region.kept)
        outcome = PageOutcome(
            [region.points for region in label.regions],
            [region.text for region in label.regions],
            [region.ignore for region in label.regions],
            [region.points if region.polygon is None else region.polygon for region in found],
            [region.text for region in found],
            [region.det_score for region in found],
        )
        yield ReadPage(label.image, tuple(map(_labelled, label.regions)), found, outcome)


def picture_of(path: Path, chain: Chain) -> Image:
    """A picture as the chain sees it, RGB uint8 (H, W, 3). Raises InputError."""
    if is_stored(path):
        return read_picture(path)
    return read_page(probe(path, *stamp(path)), 0, chain.how)[0]


def _labelled(label: RegionLabel) -> TextRegion:
    quad = label.points if len(label.points) == 4 else _box(label.points)
    return TextRegion(quad, label.points, text=label.text or "", kept=not label.ignore)


def _box(points: np.ndarray) -> np.ndarray:
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
