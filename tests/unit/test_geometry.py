"""Properties of polygons in pixels, against closed forms and shapely."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from shapely import Point
from shapely import Polygon as Shape

from ocrbatch import geometry

SQUARE = np.array([[0, 0], [10, 0], [10, 10], [0, 10]], np.float32)


def rects(smallest: float = 2.0) -> SearchStrategy[list[float]]:
    """Centre x, y, width, height, angle."""
    sides = st.floats(smallest, 200)
    return st.tuples(st.floats(-50, 500), st.floats(-50, 500), sides, sides, st.floats(-3.2, 3.2)).map(list)


def polygons() -> SearchStrategy[np.ndarray]:
    """Star-shaped outlines of 3 to 9 corners around (100, 100), so never crossing themselves."""
    return st.lists(st.floats(5, 80), min_size=3, max_size=9).map(_star)


def _star(radii: list[float]) -> np.ndarray:
    angles = np.linspace(0, 2 * np.pi, len(radii), endpoint=False)
    return (100 + np.array(radii)[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)).astype(np.float32)


@given(polygons())
def test_area_and_perimeter_agree_with_shapely(polygon: np.ndarray) -> None:
    shape = Shape(polygon.astype(float))
    assert geometry.signed_area(polygon) == pytest.approx(shape.area, rel=1e-6)
    assert geometry.signed_area(polygon[::-1]) == pytest.approx(-shape.area, rel=1e-6)
    assert geometry.perimeter(polygon) == pytest.approx(shape.length, rel=1e-6)


@given(rects(), st.permutations(range(4)))
def test_order_quad_does_not_depend_on_the_order_it_is_given(rect: list[float], order: list[int]) -> None:
    quad = geometry.rect_corners([rect])[0]
    ordered = geometry.order_quad(quad[order])
    assert geometry.signed_area(ordered) > 0
    sums = np.sort(ordered.sum(axis=1))
    assert ordered[0].sum() == pytest.approx(sums[0], abs=1e-2)
    assume(sums[1] - sums[0] > 0.01)
    assert np.array_equal(ordered, geometry.order_quad(quad))


@given(st.lists(rects(), min_size=1, max_size=5))
def test_order_quads_orders_each_like_order_quad(many: list[list[float]]) -> None:
    quads = geometry.rect_corners(many)[:, [2, 0, 3, 1]]
    assert np.array_equal(geometry.order_quads(quads), np.stack([geometry.order_quad(quad) for quad in quads]))


def test_text_tilted_by_less_than_45_degrees_starts_where_it_starts() -> None:
    for degrees in (-40, -10, 0, 10, 40):
        quad = geometry.rect_corners([[50, 50, 60, 20, np.deg2rad(degrees)]])[0]
        assert np.array_equal(geometry.order_quad(quad[[1, 2, 3, 0]]), quad)


@given(rects())
def test_rect_corners_are_those_of_opencv(rect: list[float]) -> None:
    x, y, width, height, angle = rect
    expected = cv2.boxPoints(((x, y), (width, height), float(np.rad2deg(angle))))
    got = geometry.rect_corners([rect])[0]
    assert all(np.linalg.norm(expected - corner, axis=1).min() < 0.01 for corner in got)
    assert geometry.signed_area(got) > 0


@given(rects())
def test_min_area_quad_of_a_rectangle_is_the_rectangle(rect: list[float]) -> None:
    quad = geometry.rect_corners([rect])[0]
    found, short = geometry.min_area_quad(np.concatenate([quad, (quad + np.roll(quad, 1, axis=0)) / 2]))
    assert geometry.iou(found, quad) > 0.98
    assert short == pytest.approx(min(rect[2:4]), abs=0.05)


@given(rects(), st.floats(0.5, 30))
def test_growing_follows_steiner(rect: list[float], distance: float) -> None:
    quad = geometry.rect_corners([rect])[0]
    (grown,) = geometry.offset_polygon(quad, distance)
    area = rect[2] * rect[3] + 2 * (rect[2] + rect[3]) * distance + np.pi * distance**2
    arcs = 2 * np.pi * distance  # drawn as chords at most a tenth of a pixel inside
    assert abs(geometry.signed_area(grown)) == pytest.approx(area, abs=0.15 * arcs + geometry.perimeter(quad) / 1024)


def test_shrinking_can_leave_several_pieces_or_none() -> None:
    dumbbell = [[0, 0], [30, 0], [30, 12], [60, 12], [60, 0], [90, 0], [90, 30], [60, 30], [60, 18], [30, 18], [30, 30]]
    assert len(geometry.offset_polygon([*dumbbell, [0, 30]], -5)) == 2
    assert geometry.offset_polygon(SQUARE, -6) == []
    assert geometry.offset_polygon(SQUARE[:2], 3) == []


@given(rects(), st.floats(0.01, 0.45))
def test_inset_of_a_rectangle(rect: list[float], part: float) -> None:
    distance = part * min(rect[2:4])
    inner = geometry.inset_convex(geometry.rect_corners([rect])[0], distance)
    expected = geometry.rect_corners([[rect[0], rect[1], rect[2] - 2 * distance, rect[3] - 2 * distance, rect[4]]])[0]
    assert inner is not None
    assert np.allclose(inner, expected, atol=0.02)


@given(polygons(), st.floats(0.1, 20))
@settings(deadline=None)
def test_inset_agrees_with_vatti_clipping_or_declines(polygon: np.ndarray, distance: float) -> None:
    inner = geometry.inset_convex(polygon, distance)
    if inner is None:
        return
    expected = Shape(polygon.astype(float)).buffer(-distance, join_style="mitre", mitre_limit=1e6)
    assert Shape(inner.astype(float)).symmetric_difference(expected).area < 0.02 * expected.area + 0.5
    assert np.array_equal(geometry.inset_convex(polygon[::-1], distance)[::-1].round(2), inner.round(2))


def test_inset_declines_what_it_cannot_do() -> None:
    dart = np.array([[0, 0], [40, 20], [0, 40], [10, 20]], np.float32)
    assert geometry.inset_convex(dart, 1) is None
    assert geometry.inset_convex(SQUARE, 5.5) is None
    assert geometry.inset_convex(SQUARE[[0, 0, 1, 2, 3]], 1) is None
    assert geometry.inset_convex(SQUARE[:2], 1) is None


@given(polygons(), st.integers(0, 150), st.integers(0, 150))
@settings(max_examples=40, deadline=None)
def test_distance_to_outline_agrees_with_shapely(polygon: np.ndarray, left: int, top: int) -> None:
    got = geometry.distance_to_outline(polygon, (left, top, left + 5, top + 3))
    boundary = Shape(polygon.astype(float)).exterior
    expected = [[boundary.distance(Point(left + x, top + y)) for x in range(5)] for y in range(3)]
    assert np.allclose(got, expected, atol=2e-2)
    assert got.dtype == np.float32


def test_distance_to_an_outline_without_area() -> None:
    point = np.full((4, 2), 3, np.float32)
    assert np.allclose(geometry.distance_to_outline(point, (3, 3, 8, 4)), [[0, 1, 2, 3, 4]], atol=1e-3)


@given(polygons(), st.floats(1, 150), st.floats(1, 150))
def test_clipped_corners_are_on_the_page(polygon: np.ndarray, width: float, height: float) -> None:
    clipped = geometry.clip_polygon(polygon - 60, width, height)
    assert (clipped >= 0).all()
    assert (clipped <= np.float32([width, height])).all()


def test_hand_computed_overlaps() -> None:
    assert geometry.iou(SQUARE, SQUARE) == 1
    assert geometry.iou(SQUARE, SQUARE + np.float32([5, 0])) == pytest.approx(50 / 150)
    assert geometry.iou(SQUARE, SQUARE + 20) == 0
    assert geometry.iou(SQUARE[[0, 0, 0, 0]], SQUARE) == 0
    bow_tie = SQUARE[[0, 1, 3, 2]]  # crosses itself: two triangles of 25 each
    assert geometry.iou(bow_tie, SQUARE) == pytest.approx(0.5)


@given(rects(), rects())
@settings(deadline=None)
def test_overlap_is_symmetric_and_in_range(one: list[float], other: list[float]) -> None:
    a, b = geometry.rect_corners([one, other])
    assert geometry.iou(a, b) == pytest.approx(geometry.iou(b, a), abs=1e-9)
    assert 0 <= geometry.iou(a, b) <= 1


@given(polygons(), st.floats(-3, 3), st.floats(0.5, 2))
def test_transforming_there_and_back(polygon: np.ndarray, angle: float, scale: float) -> None:
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    affine = np.array([[cos, -sin, 7], [sin, cos, -3]])
    projective = np.vstack([affine, [1e-4, -2e-4, 1]])
    for matrix in (affine, projective):
        inverse = np.linalg.inv(matrix if len(matrix) == 3 else np.vstack([matrix, [0, 0, 1]]))
        assert np.allclose(
            geometry.transform_points(geometry.transform_points(polygon, matrix), inverse), polygon, atol=0.02
        )


def test_cropping_an_upright_box_is_slicing() -> None:
    page = np.random.default_rng(0).integers(0, 256, (60, 90, 3), np.uint8)
    crop = geometry.crop_quad(page, [[20, 10], [70, 10], [70, 40], [20, 40]])
    assert np.array_equal(crop, page[10:40, 20:70])


@given(st.floats(2, 60), st.floats(2, 30), st.floats(6, 25), st.floats(6, 25))
def test_an_upright_box_is_sampled_as_one_that_is_nearly_upright(
    left: float, top: float, width: float, height: float
) -> None:
    assume(all(abs(side % 1 - 0.5) > 0.01 for side in (width, height)))  # else the tilt decides how it is rounded
    rows, columns = np.mgrid[:60, :90].astype(np.float32)
    page = np.uint8(127 + 60 * np.sin(columns / 9) + 60 * np.cos(rows / 7))
    quad = np.array([[left, top], [left + width, top], [left + width, top + height], [left, top + height]], np.float32)
    tilted = quad + np.array([[0, 1e-3], [0, 0], [0, 0], [0, 1e-3]], np.float32)
    upright, other = (geometry.crop_quad(page, points, turn_tall=None).astype(int) for points in (quad, tilted))
    assert upright.shape == other.shape
    assert np.abs(upright - other).max() <= 8  # half a pixel, by which sides are rounded, is 4


def test_sizes_of_many_quadrilaterals_are_those_of_each() -> None:
    quads = np.random.default_rng(0).uniform(0, 100, (20, 4, 2))
    assert np.allclose(geometry.quad_sizes(quads), [geometry.quad_size(quad) for quad in quads])
    assert np.array_equal(geometry.with_height(quads, 0.8)[3], geometry.with_height(quads[3], 0.8))


def test_a_tall_box_is_turned_unless_told_not_to() -> None:
    page = np.random.default_rng(0).integers(0, 256, (90, 60, 3), np.uint8)
    quad = [[20, 10], [40, 10], [40, 70], [20, 70]]
    assert np.array_equal(geometry.crop_quad(page, quad), np.rot90(page[10:70, 20:40]))
    assert geometry.crop_quad(page, quad, turn_tall=None).shape == (60, 20, 3)


@pytest.mark.parametrize("quad", [np.zeros((4, 2)), SQUARE * 0.01, SQUARE - 100, SQUARE + 1000])
def test_any_box_gives_a_picture(quad: np.ndarray) -> None:
    crop = geometry.crop_quad(np.zeros((50, 50, 3), np.uint8), quad)
    assert min(crop.shape[:2]) >= 1


@given(st.floats(0.3, 2), st.floats(-3, 3))
def test_a_quad_changes_its_height_around_its_middle(share: float, angle: float) -> None:
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    quad = np.array([[0, 0], [80, 0], [80, 20], [0, 20]]) @ turn + 100
    changed = geometry.with_height(quad, share)
    np.testing.assert_allclose(changed.mean(axis=0), quad.mean(axis=0), atol=1e-3)
    np.testing.assert_allclose(geometry.quad_size(changed), (80, 20 * share), atol=1e-3)
