"""Reading outlines off probability maps."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ocrbatch import geometry
from ocrbatch.config.schema import DetectorInput
from ocrbatch.contracts import Detection, PageFit
from ocrbatch.types import Polygon
from ocrbatch_det_db.codec import DBCodec, mean_inside, tight_rect
from ocrbatch_det_db.config import DBConfig
from ocrbatch_det_db.targets import make_targets

SAME = PageFit(1.0, 1.0, 200, 240)
INVERSE = DBConfig(shrink_ratio=0.6, unclip_ratio=None)


def probability_of(
    config: DBConfig, polygons: list[Polygon], size: tuple[int, int] = (200, 240)
) -> NDArray[np.float32]:
    return make_targets(config, size, polygons, [False] * len(polygons))["probability"][..., None].astype(np.float32)


def decode(config: DBConfig, probability: NDArray[np.float32], fit: PageFit = SAME) -> list[Detection]:
    return DBCodec(config).decode([probability], fit)


@given(
    centre=st.tuples(st.floats(90, 150), st.floats(90, 110)),
    width=st.floats(40, 120),
    height=st.floats(24, 60),
    degrees=st.floats(-90, 90),
    ratio=st.sampled_from([0.5, 0.6, 0.7, 0.8]),
)
@settings(max_examples=80, deadline=None)
def test_decoding_targets_gives_the_boxes_back(
    centre: tuple[float, float], width: float, height: float, degrees: float, ratio: float
) -> None:
    quad = geometry.rect_corners([[*centre, width, height, np.deg2rad(degrees)]])[0]
    assume((quad > 0).all() and (quad < (239, 199)).all())
    config = DBConfig(shrink_ratio=ratio, unclip_ratio=None)
    (found,) = decode(config, probability_of(config, [quad]))
    assert geometry.iou(found.points, quad) > 0.8
    assert found.score > 0.8
    assert geometry.signed_area(found.points) > 0


def test_a_hand_computed_box_with_the_classic_ratio() -> None:
    probability = np.zeros((64, 96, 1), np.float32)
    probability[20:29, 30:51] = 0.9  # 20 x 8 between centres: A = 160, L = 56, D' = 1.5 A / L = 4.2857
    (found,) = decode(DBConfig(), probability, PageFit(1, 1, 64, 96))
    low, high = np.array([30, 20]) - 30 / 7, np.array([50, 28]) + 30 / 7
    expected = [[low[0], low[1]], [high[0], low[1]], [high[0], high[1]], [low[0], high[1]]]
    assert np.allclose(found.points, expected, atol=1e-3)
    assert found.score == pytest.approx(0.9, abs=1e-5)
    assert found.polygon is None


@pytest.mark.parametrize("margin", [-0.1, 0.0, 0.2])
def test_a_margin_is_a_share_of_the_shorter_side(margin: float) -> None:
    probability = np.zeros((64, 96, 1), np.float32)
    probability[20:29, 30:51] = 0.9
    plain, changed = (decode(DBConfig(margin=m), probability, PageFit(1, 1, 64, 96))[0].points for m in (0.0, margin))
    (width, height), (new_width, new_height) = geometry.quad_size(plain), geometry.quad_size(changed)
    assert new_height == pytest.approx((1 + margin) * height, abs=1e-3)
    assert new_width == pytest.approx(width + margin * height, abs=1e-3)
    np.testing.assert_allclose(changed.mean(axis=0), plain.mean(axis=0), atol=1e-3)


def test_unclipping_agrees_with_vatti_clipping() -> None:
    quad = geometry.rect_corners([[120, 100, 80, 20, 0.3]])[0]
    config = DBConfig(shrink_ratio=0.7)
    (found,) = decode(config, probability_of(config, [quad]))
    contour, _ = cv2.findContours(
        (probability_of(config, [quad]) > 0.3).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    inner, _ = geometry.min_area_quad(contour[0][:, 0])
    distance = abs(geometry.signed_area(inner)) * 1.5 / geometry.perimeter(inner)
    grown, _ = geometry.min_area_quad(geometry.offset_polygon(inner, distance)[0])
    assert geometry.iou(found.points, grown) > 0.99


def test_boxes_come_in_page_pixels_clipped_to_the_page() -> None:
    quad = np.array([[4, 40], [100, 40], [100, 80], [4, 80]], np.float32)
    probability = probability_of(INVERSE, [quad, quad + np.float32([120, 0])])
    found = decode(INVERSE, probability, PageFit(0.5, 0.25, 600, 420))
    assert len(found) == 2
    left, right = sorted(found, key=lambda one: one.points[0, 0])
    assert geometry.iou(left.points, quad * (2, 4)) > 0.8
    assert right.points[:, 0].max() == 420
    assert all((one.points >= 0).all() and (one.points <= (420, 600)).all() for one in found)


def test_a_box_beyond_the_page_is_dropped() -> None:
    quad = np.array([[120, 40], [200, 40], [200, 80], [120, 80]], np.float32)
    assert decode(INVERSE, probability_of(INVERSE, [quad]), PageFit(1, 1, 200, 100)) == []


def test_upright_text_gives_upright_boxes() -> None:
    outline = np.array([[[10, 10]], [[60, 10]], [[61, 11]], [[61, 17]], [[40, 18]], [[10, 17]]], np.int32)
    x, y, width, height, angle = tight_rect(outline)
    assert angle == 0
    assert (x, width) == (35.5, pytest.approx(51, abs=1.5))
    assert (y, height) == (14, pytest.approx(8, abs=1.5))
    turned = outline[..., ::-1].copy()
    assert np.allclose(tight_rect(turned), [y, x, height, width, 0], atol=1e-3)


def test_tilted_text_keeps_its_tilt() -> None:
    quad = geometry.rect_corners([[120, 100, 160, 24, 0.05]])[0]
    (found,) = decode(INVERSE, probability_of(INVERSE, [quad]))
    across = found.points[1] - found.points[0]
    assert np.arctan2(across[1], across[0]) == pytest.approx(0.05, abs=0.02)


def test_weak_outlines_are_dropped() -> None:
    quad = np.array([[20, 20], [120, 20], [120, 60], [20, 60]], np.float32)
    probability = probability_of(INVERSE, [quad])
    assert decode(INVERSE, 0.55 * probability) == []
    assert len(decode(INVERSE, 0.65 * probability)) == 1
    assert decode(INVERSE, 0.0 * probability) == []


def test_specks_and_hairlines_are_dropped() -> None:
    probability = np.zeros((200, 240, 1), np.float32)
    probability[50, 60] = 1
    probability[100, 20:220] = 1
    assert decode(DBConfig(), probability) == []


def test_slow_score_counts_the_outline_alone() -> None:
    probability = np.zeros((200, 240, 1), np.float32)
    cv2.fillPoly(probability, [np.array([[20, 20], [180, 20], [20, 180]])], 1.0)
    assert decode(DBConfig(), probability) == []  # the triangle fills half of its box
    (found,) = decode(DBConfig(score_mode="slow"), probability)
    assert found.score == pytest.approx(1.0, abs=0.02)


def test_mean_inside_against_brute_force() -> None:
    probability = np.add.outer(np.arange(40), np.arange(50) ** 2).astype(np.float32) / 2500
    quad = np.array([[-6, 10], [30, -4], [58, 33], [20, 44]], np.float32)
    mask = np.zeros((120, 130), np.uint8)
    cv2.fillPoly(mask, [(quad + 40).astype(np.int32)], 1)
    inside = mask[40:80, 40:90] > 0
    assert mean_inside(probability, quad) == pytest.approx(float(probability[inside].mean()), abs=5e-3)


@pytest.mark.parametrize("points", [[[3, 4], [17, 4], [17, 9], [3, 9]], [[-6, 20], [12, 20], [12, 60], [-6, 60]]])
def test_an_upright_box_is_scored_by_all_pixels_that_it_covers(points: list[list[int]]) -> None:
    probability = np.random.default_rng(0).random((40, 50), np.float32)
    mask = np.zeros((100, 110), np.uint8)
    cv2.fillPoly(mask, [np.array(points) + 30], 1)
    inside = mask[30:70, 30:80] > 0
    assert mean_inside(probability, np.array(points, np.float32)) == pytest.approx(float(probability[inside].mean()))
    diamond = np.array([[20, 4], [36, 20], [20, 36], [4, 20]], np.float32)
    probability[:12, :12] = 1000  # corners of the window that the diamond leaves out
    assert mean_inside(probability, diamond) < 1


def test_polygons_follow_curved_text() -> None:
    t = np.linspace(np.pi, 2 * np.pi, 20)
    arc = np.concatenate([np.stack([r * np.cos(t), r * np.sin(t)], 1)[::step] for r, step in ((90, 1), (60, -1))])
    arc = (arc + 120).astype(np.float32)
    config = DBConfig(shrink_ratio=0.6, unclip_ratio=None, polygons=True, score_mode="slow")
    (found,) = decode(config, probability_of(config, [arc]))
    assert found.polygon is not None
    assert geometry.iou(found.polygon, arc) > 0.85
    assert geometry.iou(found.points, arc) < 0.7


def test_dilation_joins_what_a_pixel_parts() -> None:
    probability = np.zeros((200, 240, 1), np.float32)
    probability[50:70, 20:100] = 1
    probability[50:70, 101:180] = 1
    assert len(decode(DBConfig(), probability)) == 2
    assert len(decode(DBConfig(use_dilation=True), probability)) == 1


def test_text_inside_a_ring_is_found_and_the_hole_is_not() -> None:
    probability = np.zeros((200, 240, 1), np.float32)
    cv2.rectangle(probability, (20, 20), (220, 180), 1.0, 12)
    probability[90:110, 60:180] = 1
    found = decode(DBConfig(score_mode="slow", box_thresh=0.05), probability)
    assert len(found) == 2


def test_of_too_many_candidates_the_largest_are_kept() -> None:
    probability = np.zeros((200, 240, 1), np.float32)
    for row in range(10):
        probability[20 * row + 2 : 20 * row + 12, 10 : 40 + 18 * row] = 1
    found = decode(DBConfig(max_candidates=3), probability)
    assert [round(float(one.points[0, 1])) // 20 for one in found] == [6, 7, 8] or len(found) == 3
    assert min(one.points[:, 0].max() for one in found) > 150


def test_boxes_come_from_top_to_bottom() -> None:
    probability = np.zeros((200, 240, 1), np.float32)
    for row in range(8):
        probability[24 * row + 2 : 24 * row + 14, 10:100] = 1
    tops = [float(one.points[0, 1]) for one in decode(DBConfig(), probability)]
    assert tops == sorted(tops)
    assert len(tops) == 8


def test_encoding_fits_the_page() -> None:
    codec = DBCodec(DBConfig(input=DetectorInput(limit_side=64)))
    array, fit = codec.encode(np.full((100, 200, 3), 255, np.uint8))
    assert array.shape == (32, 64, 3)
    assert (fit.scale_x, fit.scale_y, fit.height, fit.width) == (0.32, 0.32, 100, 200)


def smeared(thin: float = 0.35) -> NDArray[np.float32]:
    """Two lines of text; a large faint patch runs into the lower one."""
    probability = np.zeros((200, 240, 1), np.float32)
    probability[100:180, 10:230] = thin
    probability[130:142, 60:160] = 0.9
    probability[40:52, 60:160] = 0.9
    return probability


def test_text_in_a_smear_is_found_by_its_core() -> None:
    assert [round(one.points[0, 1]) < 60 for one in decode(INVERSE, smeared())] == [True]
    upper, lower = decode(INVERSE.model_copy(update={"core_thresh": 0.7}), smeared())
    assert lower.score == pytest.approx((16_400 * 0.35 + 1_200 * 0.9) / 17_600, abs=1e-4)  # that of the whole patch
    np.testing.assert_allclose(lower.points - upper.points, [[-1, 89], [1, 89], [1, 91], [-1, 91]], atol=2)


def test_cores_come_in_their_order_and_none_of_what_is_found_without_them() -> None:
    config = INVERSE.model_copy(update={"core_thresh": 0.7})
    tops = [one.points[0, 1] for one in decode(config, np.flipud(smeared()).copy())]
    assert tops == sorted(tops)
    alone = probability_of(INVERSE, [np.array([[20, 20], [120, 20], [120, 60], [20, 60]], np.float32)])
    (plain,), (same,) = decode(INVERSE, alone), decode(config, alone)
    np.testing.assert_array_equal(plain.points, same.points)


def test_a_smear_without_a_core_and_specks_in_one_stay_lost() -> None:
    config = INVERSE.model_copy(update={"core_thresh": 0.7})
    probability = np.full((200, 240, 1), 0.35, np.float32)
    assert decode(config, probability) == []
    probability[50:52, 60:160] = 0.9
    assert decode(config, probability) == []


@given(seed=st.integers(0, 10_000), core=st.floats(0.3, 0.95))
@settings(max_examples=40, deadline=None)
def test_cores_only_add(seed: int, core: float) -> None:
    rng = np.random.default_rng(seed)
    probability = cv2.GaussianBlur(rng.random((200, 240), np.float32), (0, 0), 5)
    probability = ((probability - probability.min()) / np.ptp(probability))[..., None]
    without = decode(DBConfig(), probability)
    added = decode(DBConfig(core_thresh=core), probability)
    assert len(added) >= len(without)
    kept = {one.points.tobytes() for one in added}
    assert all(one.points.tobytes() in kept for one in without)
