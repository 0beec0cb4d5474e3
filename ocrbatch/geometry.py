"""Polygons in pixels: float32 (n, 2) as x, y. Everything here is a pure function of numpy arrays."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pyclipper
from numpy.typing import ArrayLike, NDArray

from ocrbatch.types import Image, Polygon

if TYPE_CHECKING:
    from shapely import Polygon as Shape

_CLIPPER_SCALE = 1024.0  # pyclipper works on integers and truncates
_PARALLEL = 0.05  # pixels by which a corner may miss the parallelogram of the others


def signed_area(polygon: ArrayLike) -> float:
    """Area by the shoelace formula; positive when clockwise on screen (y downwards)."""
    points = np.asarray(polygon, np.float64)
    following = next_points(points)
    return float(np.sum(points[:, 0] * following[:, 1] - following[:, 0] * points[:, 1]) / 2)


def perimeter(polygon: ArrayLike) -> float:
    """Length of the closed outline in pixels."""
    points = np.asarray(polygon, np.float64)
    return float(np.linalg.norm(points - next_points(points), axis=1).sum())


def next_points(points: NDArray[Any]) -> NDArray[Any]:
    """Each corner's successor along the closed outline (``np.roll`` costs ten times as much on a few corners)."""
    return np.concatenate([points[1:], points[:1]])


def order_quad(points: ArrayLike) -> Polygon:
    """The four corners clockwise from the top left: the start is the corner with the smallest x + y after turning the
    order clockwise, so a box tilted by less than 45 degrees starts where its text starts."""
    quad = np.asarray(points, np.float32).reshape(4, 2)
    centre = quad.mean(axis=0)
    angles = np.arctan2(quad[:, 1] - centre[1], quad[:, 0] - centre[0])
    quad = quad[np.argsort(angles, kind="stable")]
    return np.roll(quad, -int(np.argmin(quad.sum(axis=1))), axis=0)


def order_quads(quads: ArrayLike) -> Polygon:
    """Quadrilaterals (n, 4, 2), each ordered as :func:`order_quad` orders one."""
    points = np.asarray(quads, np.float32)
    offsets = points - points.mean(axis=1, keepdims=True)
    clockwise = np.argsort(np.arctan2(offsets[..., 1], offsets[..., 0]), axis=1, kind="stable")
    points = np.take_along_axis(points, clockwise[..., None], axis=1)
    starts = np.argmin(points.sum(axis=2), axis=1)
    return np.take_along_axis(points, ((starts[:, None] + np.arange(4)) % 4)[..., None], axis=1)


def rect_corners(rects: ArrayLike) -> Polygon:
    """Corners (n, 4, 2) of rectangles (n, 5): centre x, y, width, height, angle in radians."""
    x, y, width, height, angle = np.asarray(rects, np.float64).T
    across = np.stack([np.cos(angle), np.sin(angle)], axis=1) * (width / 2)[:, None]
    down = np.stack([-np.sin(angle), np.cos(angle)], axis=1) * (height / 2)[:, None]
    centre = np.stack([x, y], axis=1)
    corners = [centre - across - down, centre + across - down, centre + across + down, centre - across + down]
    return np.stack(corners, axis=1).astype(np.float32)


def min_area_quad(polygon: ArrayLike) -> tuple[Polygon, float]:
    """Smallest rotated rectangle around a polygon, ordered as :func:`order_quad`, and its shorter side in pixels."""
    rect = cv2.minAreaRect(np.asarray(polygon, np.float32))
    return order_quad(cv2.boxPoints(rect)), float(min(rect[1]))


def offset_polygon(polygon: ArrayLike, distance: float) -> list[Polygon]:
    """Outline moved outwards (or, when negative, inwards) by ``distance`` pixels with round joints. Shrinking may leave
    several pieces, or none."""
    offset = pyclipper.PyclipperOffset(arc_tolerance=0.1 * _CLIPPER_SCALE)
    path = np.rint(np.asarray(polygon, np.float64) * _CLIPPER_SCALE).astype(np.int64)
    if len(path) < 3:
        return []
    offset.AddPath(path.tolist(), pyclipper.JT_ROUND, pyclipper.ET_CLOSEDPOLYGON)
    pieces = offset.Execute(distance * _CLIPPER_SCALE)
    return [np.asarray(piece, np.float32) / np.float32(_CLIPPER_SCALE) for piece in pieces]


def clip_polygon(polygon: ArrayLike, width: float, height: float) -> Polygon:
    """Every corner moved into the page."""
    return np.clip(np.asarray(polygon, np.float32), 0, np.array([width, height], np.float32))


def to_shape(polygon: ArrayLike) -> Shape:
    """Shapely polygon, made valid when it crosses itself."""
    import shapely  # running needs none of it, and waits for its first page

    shape = shapely.Polygon(np.asarray(polygon, np.float64))
    return shape if shape.is_valid else shapely.make_valid(shape)


def iou(one: ArrayLike, other: ArrayLike) -> float:
    """Intersection over union of two polygons, in 0..1; 0 when both have no area."""
    a, b = to_shape(one), to_shape(other)
    common = a.intersection(b).area
    union = a.area + b.area - common
    return min(1.0, float(common / union)) if union > 0 else 0.0


def transform_points(points: ArrayLike, matrix: NDArray[np.floating]) -> Polygon:
    """Points (n, 2) under an affine (2, 3) or a projective (3, 3) matrix."""
    xy = np.asarray(points, np.float64)
    moved = np.hstack([xy, np.ones((len(xy), 1))]) @ np.asarray(matrix, np.float64).T
    if moved.shape[1] == 3:
        moved = moved[:, :2] / moved[:, 2:]
    return moved.astype(np.float32)


def quad_size(quad: ArrayLike) -> tuple[float, float]:
    """Width and height in pixels of a quadrilateral: the longer of each pair of opposite sides."""
    # plain numbers: numpy on four corners costs ten times as much, and a page has hundreds of regions
    tl, tr, br, bl = np.asarray(quad, np.float64).tolist()
    return max(math.dist(tl, tr), math.dist(bl, br)), max(math.dist(tl, bl), math.dist(tr, br))


def quad_sizes(quads: ArrayLike) -> NDArray[np.floating[Any]]:
    """Widths and heights (n, 2) of quadrilaterals (n, 4, 2), as :func:`quad_size` gives those of one."""
    points = np.asarray(quads)
    sides = np.linalg.norm(points - np.roll(points, -1, axis=1), axis=2)
    return np.maximum(sides[:, :2], sides[:, 2:])


def crop_quad(page: Image, quad: ArrayLike, *, turn_tall: float | None = 1.5) -> Image:
    """The quadrilateral of ``page`` as an upright picture (bilinear, borders replicated), at least 1 x 1 pixel. One
    that is at least ``turn_tall`` times as tall as wide is turned a quarter anticlockwise; None turns nothing."""
    corners = np.asarray(quad, np.float32)
    size = width, height = tuple(max(1, round(side)) for side in quad_size(corners))
    if (middle := _middle(corners)) is not None:  # most boxes: a third of the time
        crop = cv2.getRectSubPix(page, size, middle)
    elif (steps := _steps(corners, width, height)) is not None:  # nearly all others: half the time
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        crop = cv2.warpAffine(page, steps, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    else:
        target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
        matrix = cv2.getPerspectiveTransform(corners, target)
        crop = cv2.warpPerspective(page, matrix, size, borderMode=cv2.BORDER_REPLICATE)
    if turn_tall is not None and height >= turn_tall * width:
        crop = np.rot90(crop)
    return np.ascontiguousarray(crop)


def _middle(corners: Polygon) -> tuple[float, float] | None:
    """The pixel in the middle of an upright box that starts at its top left; None for other quadrilaterals."""
    (left, top), (x1, y1), (right, bottom), (x3, y3) = corners.tolist()
    upright = left == x3 <= x1 == right and top == y1 <= y3 == bottom
    return ((left + right - 1) / 2, (top + bottom - 1) / 2) if upright else None


def _steps(corners: Polygon, width: int, height: int) -> NDArray[np.float64] | None:
    """The affine matrix (2, 3) from pixels of a crop to those of the page; None for what is no parallelogram."""
    (x, y), (x1, y1), (x2, y2), (x3, y3) = corners.tolist()
    if max(abs(x + x2 - x1 - x3), abs(y + y2 - y1 - y3)) >= _PARALLEL:
        return None
    return np.array([[(x1 - x) / width, (x3 - x) / height, x], [(y1 - y) / width, (y3 - y) / height, y]])


def with_height(quads: ArrayLike, share: float) -> Polygon:
    """Quadrilaterals (..., 4, 2), clockwise from their top left, ``share`` times as high around their middle lines."""
    corners = np.asarray(quads, np.float32)
    return np.asarray((corners * (1 + share) + corners[..., ::-1, :] * (1 - share)) / 2, np.float32)


def inset_convex(polygon: ArrayLike, distance: float) -> Polygon | None:
    """A convex outline moved inwards by ``distance`` pixels, corner by corner; None when the outline is not convex or
    an edge would vanish (then :func:`offset_polygon` gives the answer)."""
    points = np.asarray(polygon, np.float64)
    edges = next_points(points) - points
    lengths = np.hypot(edges[:, 0], edges[:, 1])
    if len(points) < 3 or lengths.min() < 1e-6:
        return None
    after = edges / lengths[:, None]
    before = np.concatenate([after[-1:], after[:-1]])
    sines = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    if sines.min() < 1e-6 and sines.max() > -1e-6:
        return None
    moved = points + (distance / np.abs(sines))[:, None] * (after - before)
    keeps_edges = np.sum((next_points(moved) - moved) * edges, axis=1) > 0
    return moved.astype(np.float32) if keeps_edges.all() else None


def distance_to_outline(polygon: ArrayLike, window: tuple[int, int, int, int]) -> NDArray[np.float32]:
    """Distance in pixels from each pixel of ``window`` (left, top, right, bottom; the last two excluded) to the closed
    outline, float32 (bottom - top, right - left)."""
    left, top, right, bottom = window
    points = np.asarray(polygon, np.float32)
    x, y = np.arange(left, right, dtype=np.float32), np.arange(top, bottom, dtype=np.float32)[:, None]
    nearest = np.full((bottom - top, right - left), np.inf, np.float32)
    for start, end in zip(points, next_points(points), strict=True):
        length = float(np.hypot(*(end - start)))
        ux, uy = (end - start) / np.float32(length) if length > 0 else (np.float32(1), np.float32(0))
        dx, dy = x - start[0], y - start[1]
        along, across = dx * ux + dy * uy, dx * uy - dy * ux
        along -= np.clip(along, 0.0, length)
        np.multiply(along, along, out=along)
        np.multiply(across, across, out=across)
        along += across
        np.minimum(nearest, along, out=nearest)
    return np.sqrt(nearest, out=nearest)
