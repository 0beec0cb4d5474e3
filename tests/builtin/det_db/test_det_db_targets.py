"""The maps that DB learns, against hand-computed values and a brute-force distance."""

from __future__ import annotations

import time

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ocrbatch import geometry
from ocrbatch.types import Polygon
from ocrbatch_det_db.config import DBConfig
from ocrbatch_det_db.offset import shrink_distance, unclip_distance, unshrink_distance
from ocrbatch_det_db.targets import make_targets, shrink

BOX = np.array([[10, 10], [50, 10], [50, 30], [10, 30]], np.float32)


def brute_force_distance(outline: Polygon, size: tuple[int, int]) -> NDArray[np.float64]:
    """Distance of each pixel to the outline, sampled every 1 / 8 of a pixel."""
    ends = zip(outline.astype(float), np.roll(outline, -1, axis=0).astype(float), strict=True)
    steps = [np.linspace(a, b, int(8 * np.linalg.norm(b - a)) + 2) for a, b in ends]
    pixels = np.stack(np.meshgrid(np.arange(size[1]), np.arange(size[0])), axis=-1).reshape(-1, 1, 2)
    nearest = [np.linalg.norm(pixels - side, axis=2).min(axis=1) for side in steps]
    return np.min(nearest, axis=0).reshape(size)


def test_shrink_distance_of_a_hand_computed_box() -> None:
    # A = 40 x 20 = 800, L = 120, D = 800 (1 - 0.16) / 120 = 5.6
    inner, distance = shrink(BOX, 0.4)
    assert distance == pytest.approx(5.6)
    assert np.allclose(inner[0], [[15.6, 15.6], [44.4, 15.6], [44.4, 24.4], [15.6, 24.4]], atol=1e-4)


def test_shrinking_agrees_with_vatti_clipping() -> None:
    outline = np.array([[10, 10], [60, 16], [56, 40], [12, 30]], np.float32)
    inner, distance = shrink(outline, 0.6)
    (clipped,) = geometry.offset_polygon(outline, -distance)
    assert geometry.iou(inner[0], clipped) > 0.999


def test_a_concave_outline_is_shrunk_too() -> None:
    bent = np.array([[5, 5], [60, 5], [60, 60], [45, 60], [45, 20], [5, 20]], np.float32)
    inner, distance = shrink(bent, 0.4)
    assert len(inner) == 1
    assert geometry.iou(inner[0], geometry.offset_polygon(bent, -distance)[0]) > 0.999


def test_probability_map_is_the_shrunk_outline() -> None:
    maps = make_targets(DBConfig(), (48, 64), [BOX], [False])
    expected = np.zeros((48, 64), np.uint8)
    expected[16:25, 16:45] = 1  # 15.6 .. 24.4 and 15.6 .. 44.4 to the nearest pixel
    assert np.array_equal(maps["probability"], expected)
    assert maps["probability_mask"].all()


@pytest.mark.parametrize(
    "outline",
    [
        BOX,
        np.array([[12, 14], [50, 20], [46, 36], [8, 30]], np.float32),
        np.array([[-8, 5], [30, 5], [30, 60], [-8, 60]], np.float32),
        np.array([[5, 5], [58, 5], [58, 44], [45, 44], [45, 20], [5, 20]], np.float32),
    ],
    ids=["upright", "tilted", "leaving the picture", "concave"],
)
def test_threshold_map_against_a_brute_force_distance(outline: Polygon) -> None:
    size = (48, 64)
    maps = make_targets(DBConfig(), size, [outline], [False])
    reach = shrink_distance(abs(geometry.signed_area(outline)), geometry.perimeter(outline), 0.4)
    distance = brute_force_distance(outline, size)
    expected = 0.3 + 0.4 * np.clip(1 - distance / reach, 0, 1)
    assert np.abs(maps["threshold"] - expected).max() < 0.006
    inside = np.zeros(size, np.uint8)
    cv2.fillPoly(inside, [outline.astype(np.int32)], 1)
    differs = maps["threshold_mask"] != ((distance < reach) | (inside > 0))
    assert np.abs(distance - reach)[differs].max(initial=0) < 0.1


def test_hand_computed_threshold_values() -> None:
    threshold = make_targets(DBConfig(), (48, 64), [BOX], [False])["threshold"]
    # D = 5.6; on the outline 0.7, 2 pixels off either way 0.3 + 0.4 (1 - 2 / 5.6), in the middle 0.3
    assert threshold[10, 30] == pytest.approx(0.7, abs=1e-3)
    assert threshold[12, 30] == pytest.approx(0.557143, abs=1e-3)
    assert threshold[8, 30] == pytest.approx(0.557143, abs=1e-3)
    assert threshold[20, 30] == pytest.approx(0.3, abs=1e-3)
    # off the corner (10, 10) the distance is round: sqrt(2^2 + 2^2)
    assert threshold[8, 8] == pytest.approx(0.3 + 0.4 * (1 - 8**0.5 / 5.6), abs=1e-3)


def test_where_borders_overlap_the_nearer_outline_counts() -> None:
    below = BOX + np.array([0, 24], np.float32)
    both = make_targets(DBConfig(), (64, 64), [BOX, below], [False, False])["threshold"]
    each = [make_targets(DBConfig(), (64, 64), [box], [False])["threshold"] for box in (BOX, below)]
    assert np.array_equal(both, np.maximum(*each))


@pytest.mark.parametrize(
    ("outline", "ignored"),
    [(BOX, True), (np.array([[5, 5], [40, 5], [40, 8], [5, 8]], np.float32), False)],
    ids=["ignored", "too small"],
)
def test_text_that_is_not_learnt_is_masked(outline: Polygon, ignored: bool) -> None:
    maps = make_targets(DBConfig(), (48, 64), [outline], [ignored])
    left, top, right, bottom = (int(v) for v in (*outline.min(axis=0), *outline.max(axis=0)))
    assert not maps["probability_mask"][top : bottom + 1, left : right + 1].any()
    assert maps["probability_mask"].sum() == 48 * 64 - (bottom - top + 1) * (right - left + 1)
    assert not maps["probability"].any()
    assert not maps["threshold_mask"].any()


def test_a_picture_without_text_has_a_full_mask_and_nothing_else() -> None:
    maps = make_targets(DBConfig(), (32, 64), [], [])
    assert {name: (m.shape, m.dtype.name, int(m.sum() > 0)) for name, m in maps.items()} == {
        "probability": ((32, 64), "uint8", 0),
        "probability_mask": ((32, 64), "float16", 1),
        "threshold": ((32, 64), "float16", 1),
        "threshold_mask": ((32, 64), "uint8", 0),
    }
    assert np.all(maps["threshold"] == np.float16(0.3))


@given(st.lists(st.tuples(st.floats(-20, 90), st.floats(-20, 90)), min_size=3, max_size=8), st.floats(0.1, 0.9))
@settings(max_examples=60, deadline=None)
def test_any_outline_gives_maps_in_range(points: list[tuple[float, float]], ratio: float) -> None:
    maps = make_targets(DBConfig(shrink_ratio=ratio), (48, 64), [np.array(points, np.float32)], [False])
    assert set(np.unique(maps["probability"])) <= {0, 1}
    assert maps["threshold"].min() >= np.float16(0.3)
    assert maps["threshold"].max() <= np.float16(0.7)


@given(st.floats(1, 500), st.floats(1, 500), st.floats(0.2, 0.95))
def test_unshrinking_undoes_shrinking_of_rectangles(width: float, height: float, ratio: float) -> None:
    distance = shrink_distance(width * height, 2 * (width + height), ratio)
    w, h = width - 2 * distance, height - 2 * distance
    area, length = np.array([w * h]), np.array([2 * (w + h)])
    assert unshrink_distance(area, length, ratio)[0] == pytest.approx(distance, rel=1e-3)


def test_unclip_distance_of_a_hand_computed_box() -> None:
    assert unclip_distance(np.array([800.0]), np.array([120.0]), 1.5)[0] == pytest.approx(10.0)
    assert unclip_distance(np.array([0.0]), np.array([0.0]), 1.5)[0] == 0


def test_targets_of_a_dense_crop_are_quick() -> None:
    rng = np.random.default_rng(0)
    rects = np.column_stack([rng.uniform(20, 620, (60, 2)), rng.uniform(30, 300, 60), rng.uniform(10, 30, 60)])
    quads = list(geometry.rect_corners(np.column_stack([rects, rng.normal(0, 0.05, 60)])))
    seconds = []
    for _ in range(5):
        start = time.process_time()
        make_targets(DBConfig(), (640, 640), quads, [False] * len(quads))
        seconds.append(time.process_time() - start)
    assert min(seconds) < 0.06  # 12 ms on a quiet core


def test_small_text_counts_more_when_asked() -> None:
    digit = np.array([[54, 34], [60, 34], [60, 44], [54, 44]], np.float32)
    plain, weighted = (
        make_targets(DBConfig(small_text_area=area), (48, 64), [BOX, digit], [False, False]) for area in (0, 200)
    )
    assert set(np.unique(plain["probability_mask"])) == {1}
    assert np.array_equal(plain["probability"], weighted["probability"])
    mask = weighted["probability_mask"]
    # the box shrinks to 28.8 x 8.8 = 253 pixels, the digit by 60 x 0.84 / 32 = 1.575 to 2.85 x 6.85 = 19.5
    assert mask[20, 30] == 1
    assert mask[39, 57] == pytest.approx(np.sqrt(200 / 19.52), abs=0.01)
    assert set(np.unique(mask[weighted["probability"] == 0])) == {1}
