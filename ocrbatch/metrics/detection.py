"""How well outlines were found, by the protocol of ICDAR 2015 (Incidental Scene Text, task 4.1).

Karatzas et al., "ICDAR 2015 Competition on Robust Reading", section IV. Where implementations of it differ, this one
sides with PaddleOCR's evaluator: an IoU of exactly 0.5 is no match, self-crossing and flat outlines are dropped on both
sides, and a rate with nothing to divide by is 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

IOU_THRESHOLD = 0.5
COVER_THRESHOLD = 0.5
SCORE_THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True, slots=True)
class PageMatches:
    """Positions, in what was given, of the truths and findings that count, and of the matched pairs of them."""

    truth: tuple[int, ...]
    found: tuple[int, ...]
    pairs: tuple[tuple[int, int], ...]


def match_page(
    truth: Sequence[ArrayLike],
    ignore: Sequence[bool],
    found: Sequence[ArrayLike],
    iou_threshold: float = IOU_THRESHOLD,
) -> PageMatches:
    """Pairs each truth with the first free finding whose IoU exceeds the threshold.

    ``truth`` and ``found`` hold outlines (n, 2) in the same pixels, of either winding; ``ignore`` has a flag for each
    truth. A finding with more than half of its own area in one ignored truth counts neither as right nor as wrong.
    """
    if len(truth) != len(ignore):
        raise ValueError(f"{len(truth)} outlines but {len(ignore)} ignore flags")
    all_truths, all_found = _shapes(truth), _shapes(found)
    ignored = np.asarray(ignore, bool)
    truth_ids = np.flatnonzero(_usable(all_truths))
    found_ids = np.flatnonzero(_usable(all_found))
    care_ids = truth_ids[~ignored[truth_ids]]
    covered = _covered(all_found[found_ids], all_truths[truth_ids[ignored[truth_ids]]])
    found_ids = found_ids[~covered]
    overlaps = _iou_matrix(all_truths[care_ids], all_found[found_ids])
    pairs = tuple((int(care_ids[t]), int(found_ids[f])) for t, f in _first_come(overlaps > iou_threshold))
    return PageMatches(tuple(care_ids.tolist()), tuple(found_ids.tolist()), pairs)


@dataclass(slots=True)
class DetectionMetric:
    """Counts over pages; the rates are those of all pages together (micro average)."""

    iou_threshold: float = IOU_THRESHOLD
    n_truth: int = 0
    n_found: int = 0
    n_matched: int = 0

    def update(self, truth: Sequence[ArrayLike], ignore: Sequence[bool], found: Sequence[ArrayLike]) -> PageMatches:
        """Adds one page; arguments as for :func:`match_page`."""
        page = match_page(truth, ignore, found, self.iou_threshold)
        self.n_truth += len(page.truth)
        self.n_found += len(page.found)
        self.n_matched += len(page.pairs)
        return page

    def result(self) -> dict[str, float]:
        """``precision``, ``recall`` and their harmonic mean ``hmean``, each in 0..1."""
        precision = ratio(self.n_matched, self.n_found)
        recall = ratio(self.n_matched, self.n_truth)
        return {"precision": precision, "recall": recall, "hmean": harmonic_mean(precision, recall)}


@dataclass(slots=True)
class ScoreSweep:
    """The same with only the findings that score from a threshold on, for each of several thresholds: how MMOCR
    (``HmeanIOUMetric``) and PaddleOCR (``DetFCEMetric``) choose the harmonic mean that they report, the best one."""

    metrics: dict[float, DetectionMetric] = field(
        default_factory=lambda: {threshold: DetectionMetric() for threshold in SCORE_THRESHOLDS}
    )

    def update(
        self,
        truth: Sequence[ArrayLike],
        ignore: Sequence[bool],
        found: Sequence[ArrayLike],
        scores: Sequence[float],
    ) -> None:
        """Adds one page; arguments as for :func:`match_page`, and a score in 0..1 for each finding."""
        if len(found) != len(scores):
            raise ValueError(f"{len(found)} findings but {len(scores)} scores")
        for threshold, metric in self.metrics.items():
            kept = [outline for outline, score in zip(found, scores, strict=True) if score >= threshold]
            metric.update(truth, ignore, kept)

    def result(self) -> dict[str, float]:
        """``hmean_0.3`` and so on, by threshold; ``best_threshold``, the lowest of the best ones, with its
        ``best_precision``, ``best_recall`` and ``best_hmean``."""
        results = {threshold: metric.result() for threshold, metric in self.metrics.items()}
        best = max(results, key=lambda threshold: results[threshold]["hmean"])
        sweep = {f"hmean_{threshold}": result["hmean"] for threshold, result in results.items()}
        return sweep | {"best_threshold": best} | {f"best_{name}": value for name, value in results[best].items()}


def ratio(part: float, whole: float) -> float:
    """``part / whole``; 0 when there is no whole."""
    return part / whole if whole else 0.0


def harmonic_mean(one: float, other: float) -> float:
    """Harmonic mean of two rates; 0 when both are 0."""
    return ratio(2 * one * other, one + other)


def iou_of(truth: Sequence[ArrayLike], found: Sequence[ArrayLike]) -> NDArray[np.float64]:
    """Intersection over union of every truth (rows) with every finding (columns), float64; outlines (n, 2), n >= 3."""
    return _iou_matrix(_shapes(truth), _shapes(found))


def _iou_matrix(truth: NDArray[np.object_], found: NDArray[np.object_]) -> NDArray[np.float64]:
    overlaps = np.zeros((len(truth), len(found)))
    rows, columns = _touching(truth, found)
    common = shapely.area(shapely.intersection(found[columns], truth[rows]))
    union = shapely.area(shapely.union(found[columns], truth[rows]))
    overlaps[rows, columns] = common / union
    return overlaps


def _shapes(outlines: Sequence[ArrayLike]) -> NDArray[np.object_]:
    """Shapely polygons; None for an outline of fewer than three points."""
    shapes = np.empty(len(outlines), object)
    for number, outline in enumerate(outlines):
        points = np.asarray(outline, np.float64)
        shapes[number] = shapely.Polygon(points) if len(points) >= 3 else None
    return shapes


def _usable(shapes: NDArray[np.object_]) -> NDArray[np.bool_]:
    return shapely.is_valid(shapes) & shapely.is_simple(shapes) & (shapely.area(shapes) > 0)


def _touching(one: NDArray[np.object_], other: NDArray[np.object_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices of the pairs whose bounding boxes meet."""
    if not len(one) or not len(other):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    left, top, right, bottom = (side[:, None] for side in shapely.bounds(one).T)
    boxes = shapely.bounds(other)
    meet = (left < boxes[:, 2]) & (right > boxes[:, 0]) & (top < boxes[:, 3]) & (bottom > boxes[:, 1])
    rows, columns = np.nonzero(meet)
    return rows, columns


def _covered(found: NDArray[np.object_], regions: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Which findings have more than half of their own area in one of the regions."""
    covered = np.zeros(len(found), bool)
    rows, columns = _touching(found, regions)
    common = shapely.area(shapely.intersection(found[rows], regions[columns]))
    covered[rows[common / shapely.area(found[rows]) > COVER_THRESHOLD]] = True
    return covered


def _first_come(allowed: NDArray[np.bool_]) -> list[tuple[int, int]]:
    free = np.ones(allowed.shape[1], bool)
    pairs = []
    for row, candidates in enumerate(allowed):
        columns = np.flatnonzero(candidates & free)
        if len(columns):
            free[columns[0]] = False
            pairs.append((row, int(columns[0])))
    return pairs
