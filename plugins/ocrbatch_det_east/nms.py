"""Locality-aware non-maximum suppression (Zhou et al., 2017, section 3.6)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Quads = NDArray[np.float32]
Scores = NDArray[np.floating[Any]]


def locality_aware_nms(quads: Quads, scores: Scores, thresh: float) -> tuple[Quads, Scores]:
    """Convex quads (n, 4, 2) as found row by row, with their scores: neighbours merged, then the rest suppressed.

    A merged quad's score is the sum of its parts' scores.
    """
    return suppress(*merge_neighbours(quads, scores, thresh), thresh)


def merge_neighbours(quads: Quads, scores: Scores, thresh: float) -> tuple[Quads, Scores]:
    """Each run of quads that overlap the mean so far by more than ``thresh`` as their mean, weighted by score."""
    merged: list[NDArray[np.float64]] = []
    weights: list[float] = []
    for quad, score in zip(quads.astype(np.float64), scores.tolist(), strict=True):
        if merged and overlap(merged[-1], quad) > thresh:
            total = weights[-1] + score
            merged[-1], weights[-1] = (weights[-1] * merged[-1] + score * quad) / total, total
        else:
            merged.append(quad)
            weights.append(score)
    return np.array(merged, np.float32).reshape(-1, 4, 2), np.array(weights)


def suppress(quads: Quads, scores: Scores, thresh: float) -> tuple[Quads, Scores]:
    """The quads, best score first, that no better one overlaps by more than ``thresh``."""
    kept: list[int] = []
    lows, highs = quads.min(axis=1, initial=np.inf), quads.max(axis=1, initial=-np.inf)
    for index in np.argsort(-scores, kind="stable").tolist():
        touching = np.all((lows[kept] < highs[index]) & (highs[kept] > lows[index]), axis=1)
        rivals = (kept[position] for position in np.flatnonzero(touching))
        if all(overlap(quads[rival], quads[index]) <= thresh for rival in rivals):
            kept.append(index)
    return quads[kept], scores[kept]


def overlap(one: NDArray[Any], other: NDArray[Any]) -> float:
    """Intersection over union of two convex, clockwise quads; 0 when both have no area.

    Plain floats: faster on four corners than arrays, and, unlike OpenCV's intersection of convex polygons, right for
    quads that are almost the same.
    """
    a, b = one.tolist(), other.tolist()
    common = _area(_clipped(a, b))
    union = _area(a) + _area(b) - common
    return common / union if union > 0 else 0.0


def _clipped(subject: list[list[float]], window: list[list[float]]) -> list[list[float]]:
    """The part of a convex polygon inside a convex, clockwise one (Sutherland and Hodgman, 1974)."""
    for (ax, ay), (bx, by) in zip(window, [*window[1:], window[0]], strict=True):
        depths = [(bx - ax) * (y - ay) - (by - ay) * (x - ax) for x, y in subject]
        clipped = []
        for index, (point, depth) in enumerate(zip(subject, depths, strict=True)):
            before, previous = depths[index - 1], subject[index - 1]
            if (depth < 0) != (before < 0):
                part = before / (before - depth)
                clipped.append([p + part * (q - p) for p, q in zip(previous, point, strict=True)])
            if depth >= 0:
                clipped.append(point)
        subject = clipped
    return subject


def _area(points: list[list[float]]) -> float:
    return abs(sum(p[0] * q[1] - q[0] * p[1] for p, q in zip(points, points[1:] + points[:1], strict=True))) / 2
