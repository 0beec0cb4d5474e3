"""Locality-aware non-maximum suppression (Zhou et al., 2017, section 3.6)."""

from __future__ import annotations

from typing import Any

import cv2
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
    """Intersection over union of two convex quads; 0 when both have no area."""
    a, b = np.asarray(one, np.float32), np.asarray(other, np.float32)
    common = cv2.intersectConvexConvex(a, b)[0]
    union = cv2.contourArea(a) + cv2.contourArea(b) - common
    return common / union if union > 0 else 0.0
