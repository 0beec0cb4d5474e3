"""How well outlines were found by DetEval, which lets one outline stand for several and several for one.

Wolf and Jolion, "Object Count/Area Graphs for the Evaluation of Object Detection and Segmentation Algorithms",
International Journal on Document Analysis and Recognition 8 (2006): the protocol of ICDAR 2013 (Focused Scene Text,
task 1) and of SROIE (ICDAR 2019, task 1). Sigma is the share of a truth that a finding covers, tau the share of the
finding that lies in the truth. The contests' script takes upright boxes and counts the pixels at both ends; here areas
are those of the outlines. It also asks for centres less than half the sum of the diagonals apart, which boxes that
overlap always are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from ocrbatch.metrics.detection import COVER_THRESHOLD, harmonic_mean, ratio

Shares = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class DetEvalRules:
    """The least share of a truth to be covered (``tr``), the least share of a finding to lie on it (``tp``), and what
    counts each outline of a truth that was found in parts (``split``) or of several found as one (``merge``); those of
    a pair count 1. The defaults are the contests'. ``total_text`` is the dialect of :data:`TOTAL_TEXT`."""

    tr: float = 0.8
    tp: float = 0.4
    split: float = 0.8
    merge: float = 1.0
    total_text: bool = False


TOTAL_TEXT = DetEvalRules(tr=0.7, tp=0.6, split=0.8, merge=0.8, total_text=True)
"""The script of Total-Text (Ch'ng and Chan, ICDAR 2017) as PaddleOCR has it (``ppocr/utils/e2e_metric/Deteval.py``):
coordinates without fractions, shares in hundredths, pairs above the thresholds, merges with tr and tp exchanged."""


@dataclass(slots=True)
class DetEvalMetric:
    """Counts over pages; the rates are those of all pages together."""

    rules: DetEvalRules = field(default_factory=DetEvalRules)
    n_truth: int = 0
    n_found: int = 0
    recalled: float = 0.0
    precise: float = 0.0

    def update(self, truth: Sequence[ArrayLike], ignore: Sequence[bool], found: Sequence[ArrayLike]) -> None:
        """Adds one page; arguments as for :func:`ocrbatch.metrics.detection.match_page`. A finding with more than tp
        (Total-Text: half) of its area in one ignored truth counts neither way, as do truths without an area."""
        if len(truth) != len(ignore):
            raise ValueError(f"{len(truth)} outlines but {len(ignore)} ignore flags")
        truths = _polygons(truth, whole=self.rules.total_text)
        sigma, tau = _shares(truths, _polygons(found, whole=self.rules.total_text))
        ignored = np.asarray(ignore, bool)
        limit = COVER_THRESHOLD if self.rules.total_text else self.rules.tp
        counted = ~(tau[ignored] > limit).any(axis=0)
        cared = ~ignored & (shapely.area(truths) > 0)
        recalled, precise = _credits(sigma[cared][:, counted], tau[cared][:, counted], self.rules)
        self.n_truth += int(cared.sum())
        self.n_found += int(counted.sum())
        self.recalled += recalled
        self.precise += precise

    def result(self) -> dict[str, float]:
        """``precision``, ``recall`` and their harmonic mean ``hmean``, each in 0..1."""
        precision, recall = ratio(self.precise, self.n_found), ratio(self.recalled, self.n_truth)
        return {"precision": precision, "recall": recall, "hmean": harmonic_mean(precision, recall)}


def _credits(sigma: Shares, tau: Shares, rules: DetEvalRules) -> tuple[float, float]:
    """What truths (rows of ``sigma`` and ``tau``) count for recall, and findings (columns) for precision."""
    if rules.total_text:
        sigma, tau = sigma.round(2), tau.round(2)
    fits = (sigma >= rules.tr) & (tau >= rules.tp)
    pairs = _pairs(sigma, tau, fits, rules)
    free_truth, free_found = pairs.sum(axis=1) == 0, pairs.sum(axis=0) == 0
    recalled = precise = float(pairs.sum())
    for parts in _groups(sigma, tau, fits, (free_truth, free_found), (rules.tp, rules.tr)):
        credit = rules.split if parts > 1 else 1.0
        recalled += credit
        precise += credit * parts
    limits = (rules.tp, rules.tr) if rules.total_text else (rules.tr, rules.tp)
    for parts in _groups(tau.T, sigma.T, fits.T, (free_found, free_truth), limits):
        credit = rules.merge if parts > 1 else 1.0
        recalled += credit * parts
        precise += credit
    return recalled, precise


def _pairs(sigma: Shares, tau: Shares, fits: Mask, rules: DetEvalRules) -> Mask:
    """Which truths and findings are pairs: they touch nothing else, or in Total-Text nothing else above a threshold."""
    if rules.total_text:
        filled = _alone(tau > rules.tp).any(axis=1, keepdims=True)  # by whichever finding: the script does not ask
        return _alone(sigma > rules.tr) & filled
    return _alone(sigma > 0) & fits


def _alone(mask: Mask) -> Mask:
    """What is true and the only one in its row and in its column."""
    return mask & (mask.sum(axis=0) == 1) & (mask.sum(axis=1, keepdims=True) == 1)


def _groups(
    whole: Shares, part: Shares, fits: Mask, free: tuple[Mask, Mask], limits: tuple[float, float]
) -> Iterator[int]:
    """How many columns stand for a row, for each free row that touches several columns: free ones whose share ``part``
    reaches the first limit, if their shares ``whole`` of the row add up to the second; a single one must fit. Takes
    what it yields out of ``free``."""
    free_rows, free_columns = free
    least, enough = limits
    for row in np.flatnonzero(free_rows & ((whole > 0).sum(axis=1) >= 2)):
        columns = np.flatnonzero(free_columns & (part[row] >= least))
        together = fits[row, columns].all() if len(columns) == 1 else round(whole[row, columns].sum(), 4) >= enough
        if len(columns) and together:
            free_rows[row] = free_columns[columns] = False
            yield len(columns)


def _polygons(outlines: Sequence[ArrayLike], *, whole: bool) -> NDArray[np.object_]:
    """Shapely polygons, empty ones for outlines of fewer than three points."""
    shapes = np.empty(len(outlines), object)
    for number, outline in enumerate(outlines):
        points = np.asarray(outline, np.float64)
        shapes[number] = shapely.Polygon((np.trunc(points) if whole else points) if len(points) >= 3 else None)
    return shapes


def _shares(truth: NDArray[np.object_], found: NDArray[np.object_]) -> tuple[Shares, Shares]:
    """Sigma and tau of every truth (rows) with every finding (columns); 0 where there is no area to share."""
    common = np.zeros((len(truth), len(found)))
    truths, findings = shapely.buffer(truth, 0), shapely.buffer(found, 0)  # outlines that cross themselves: one lobe
    rows, columns = shapely.STRtree(findings).query(truths, predicate="intersects")
    common[rows, columns] = shapely.area(shapely.intersection(truths[rows], findings[columns]))
    truth_areas, found_areas = shapely.area(truth)[:, None], shapely.area(found)
    nothing = np.zeros_like(common)
    sigma = np.divide(common, truth_areas, out=nothing.copy(), where=truth_areas > 0)
    return sigma, np.divide(common, found_areas, out=nothing, where=found_areas > 0)
