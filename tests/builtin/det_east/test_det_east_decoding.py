"""Locality-aware suppression against brute force, and decoding of hand-made maps."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ocrbatch import geometry
from ocrbatch.contracts import PageFit
from ocrbatch_det_east.codec import EastCodec, is_convex, mean_inside
from ocrbatch_det_east.config import EastConfig
from ocrbatch_det_east.nms import locality_aware_nms, merge_neighbours, overlap, suppress

FIT = PageFit(1, 1, 200, 200)
Boxes = list[tuple[float, float, float, float, float]]
boxes = st.lists(
    st.tuples(st.floats(0, 60), st.floats(0, 60), st.floats(5, 40), st.floats(5, 40), st.floats(-1.5, 1.5)), max_size=12
)


def brute_force(quads: NDArray[np.float32], scores: list[float], thresh: float) -> tuple[list[np.ndarray], list[float]]:
    """The paper's algorithm 1, word by word, on exact polygons."""
    merged: list[tuple[np.ndarray, float]] = []
    for quad, score in zip(quads.astype(float), scores, strict=True):
        if merged and geometry.iou(merged[-1][0], quad) > thresh:
            last, weight = merged.pop()
            merged.append(((last * weight + quad * score) / (weight + score), weight + score))
        else:
            merged.append((quad, score))
    left, kept = sorted(merged, key=lambda one: -one[1]), []
    while left:
        best, *left = left
        kept.append(best)
        left = [one for one in left if geometry.iou(one[0], best[0]) <= thresh]
    return [quad for quad, _ in kept], [score for _, score in kept]


@given(boxes, st.floats(0.05, 0.8), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_suppression_against_brute_force(rects: Boxes, thresh: float, random: object) -> None:
    thresh += 0.00123  # not the overlap of any two of hypothesis's favourite boxes
    quads = geometry.rect_corners(np.array(rects, float).reshape(-1, 5))
    scores = [random.uniform(0.5, 1) for _ in rects]  # type: ignore[attr-defined]
    found, weights = locality_aware_nms(quads, np.array(scores), thresh)
    expected, totals = brute_force(quads, scores, thresh)
    assert weights.tolist() == pytest.approx(totals, abs=1e-4)
    assert np.allclose(found, np.array(expected).reshape(-1, 4, 2), atol=1e-2)


def test_hand_computed_merging() -> None:
    one = np.array([[0, 0], [10, 0], [10, 10], [0, 10]], np.float32)
    quads = np.stack([one, one + np.float32([2, 0]), one + 50])
    merged, scores = merge_neighbours(quads, np.array([1.0, 3.0, 0.5]), 0.2)
    assert np.allclose(merged, [one + np.float32([1.5, 0]), one + 50])
    assert scores.tolist() == [4.0, 0.5]


def test_suppression_keeps_the_best() -> None:
    one = np.array([[0, 0], [10, 0], [10, 10], [0, 10]], np.float32)
    kept, scores = suppress(np.stack([one, one + 1, one + 30]), np.array([0.5, 0.9, 0.7]), 0.2)
    assert np.array_equal(kept, [one + 1, one + 30])
    assert scores.tolist() == [0.9, 0.7]
    assert suppress(np.zeros((0, 4, 2), np.float32), np.zeros(0), 0.2)[0].shape == (0, 4, 2)


@given(boxes)
@settings(max_examples=30, deadline=None)
def test_overlap_agrees_with_shapely(rects: Boxes) -> None:
    quads = geometry.rect_corners(np.array(rects, float).reshape(-1, 5))
    for one, other in pairwise(quads):
        assert overlap(one, other) == pytest.approx(geometry.iou(one, other), abs=1e-3)


def test_convexity() -> None:
    square = np.array([[0, 0], [10, 0], [10, 10], [0, 10]], np.float32)
    bow_tie, dart, nothing = square[[0, 1, 3, 2]], square.copy(), np.full((4, 2), np.nan, np.float32)
    dart[2] = (2, 2)
    assert (
        is_convex(np.stack([square, square[::-1], bow_tie, dart, square * 0, nothing])).tolist() == [True] + [False] * 5
    )


def test_mean_inside_of_a_box_outside_is_zero() -> None:
    score = np.ones((10, 12), np.float32)
    assert mean_inside(score, np.array([[20, 20], [25, 20], [25, 25], [20, 25]])) == 0
    assert mean_inside(score, np.array([[-5, -5], [3, -5], [3, 3], [-5, 3]])) == 1


def maps_of(cells: list[tuple[int, int]], quad: NDArray[np.float32], score: float = 0.9) -> list[NDArray[np.float32]]:
    scores, values = np.zeros((50, 50, 1), np.float32), np.zeros((50, 50, 8), np.float32)
    for y, x in cells:
        scores[y, x] = score
        values[y, x] = (np.float32([4 * x, 4 * y]) - quad).ravel()
    return [scores, values]


def test_cells_of_one_box_make_one_detection() -> None:
    quad = np.array([[36, 36], [60, 38], [60, 56], [36, 54]], np.float32)
    cells = [(y, x) for y in range(10, 14) for x in range(10, 15)]
    (found,) = EastCodec(EastConfig()).decode(maps_of(cells, quad), FIT)
    assert np.allclose(found.points, quad, atol=1e-3)
    assert found.score == pytest.approx(0.9 * 20 / 35, abs=0.1)
    assert EastCodec(EastConfig(score_thresh=0.95)).decode(maps_of(cells, quad), FIT) == []
    assert EastCodec(EastConfig(cover_thresh=0.9)).decode(maps_of(cells, quad), FIT) == []


def test_boxes_come_in_page_pixels_clipped_to_the_page() -> None:
    quad = np.array([[-20, 36], [60, 36], [60, 56], [-20, 56]], np.float32)
    cells = [(y, x) for y in range(10, 14) for x in range(2, 14)]
    (found,) = EastCodec(EastConfig()).decode(maps_of(cells, quad), PageFit(0.5, 0.25, 800, 110))
    assert np.allclose(found.points, [[0, 144], [110, 144], [110, 224], [0, 224]])


def test_a_page_full_of_proposals_is_decoded_within_the_limit() -> None:
    rng = np.random.default_rng(0)
    outputs = [rng.random((50, 50, 1)).astype(np.float32), rng.normal(0, 30, (50, 50, 8)).astype(np.float32)]
    found = EastCodec(EastConfig(score_thresh=0.0, cover_thresh=0.0, max_candidates=200)).decode(outputs, FIT)
    assert len(found) <= 200
    assert all(np.isfinite(one.points).all() for one in found)
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
