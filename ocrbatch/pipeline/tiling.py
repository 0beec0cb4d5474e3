"""Cutting a page into overlapping tiles and joining what was found in them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ocrbatch.contracts import Detection
from ocrbatch.geometry import min_area_quad
from ocrbatch.types import Polygon

_SAME_LINE = 0.5  # of the lower one's height that two pieces of one line share
_SAME_ANGLE = math.radians(15)
_LEAST_SHARED_LENGTH = 0.3  # of the lower one's height that they share along the line


@dataclass(frozen=True, slots=True)
class Tile:
    """A rectangle of a page in pixels: left, top, right, bottom."""

    left: int
    top: int
    right: int
    bottom: int


def cut(width: int, height: int, side: int, overlap: float) -> list[Tile]:
    """Tiles of at most ``side`` pixels that cover a page, neighbours sharing at least ``overlap`` of a side."""
    return [
        Tile(left, top, right, bottom)
        for top, bottom in _spans(height, side, overlap)
        for left, right in _spans(width, side, overlap)
    ]


def merge(found: Sequence[Sequence[Detection]]) -> list[Detection]:
    """Detections of each tile, in page pixels, as detections of the page: pieces of one line that overlap in
    neighbouring tiles become the smallest rectangle around them, with the best of their scores."""
    pieces = [(number, detection) for number, tile in enumerate(found) for detection in tile]
    groups = list(range(len(pieces)))
    for one, other in _close_pairs([detection.points for _, detection in pieces]):
        apart = pieces[one][0] != pieces[other][0]
        if apart and _continue_each_other(pieces[one][1].points, pieces[other][1].points):
            _join(groups, one, other)
    members: dict[int, list[Detection]] = {}
    for number, (_, detection) in enumerate(pieces):
        members.setdefault(_root(groups, number), []).append(detection)
    return [_union(group) for group in members.values()]


def _spans(length: int, side: int, overlap: float) -> list[tuple[int, int]]:
    if length <= side:
        return [(0, length)]
    count = math.ceil((length - side) / (side * (1 - overlap))) + 1
    starts = np.linspace(0, length - side, count).round().astype(int)
    return [(int(start), int(start) + side) for start in starts]


def _close_pairs(quads: Sequence[Polygon]) -> Iterator[tuple[int, int]]:
    """Pairs whose upright bounding boxes overlap."""
    if not quads:
        return
    corners = np.stack(quads)
    low, high = corners.min(axis=1), corners.max(axis=1)
    for one in range(len(quads) - 1):
        rest = slice(one + 1, None)
        meets = np.all((low[rest] < high[one]) & (high[rest] > low[one]), axis=1)
        for other in np.flatnonzero(meets):
            yield one, one + 1 + int(other)


def _continue_each_other(one: Polygon, other: Polygon) -> bool:
    """Whether two boxes overlap and lie on one line: seen along the longer one, they share most of the lower height."""
    if _length(other) > _length(one):
        one, other = other, one
    along = one[1] - one[0]
    along = along / max(float(np.linalg.norm(along)), 1e-6)
    across = np.array([-along[1], along[0]])
    shared_height = _shared(one @ across, other @ across)
    shared_length = _shared(one @ along, other @ along)
    lower = min(float(np.ptp(one @ across)), float(np.ptp(other @ across)))
    if _length(other) > 2 * lower and _angle_between(one, other) > _SAME_ANGLE:
        return False
    enough = min(_LEAST_SHARED_LENGTH * lower, 0.5 * float(np.ptp(other @ along)))  # a sliver at a tile's edge
    return shared_height >= _SAME_LINE * lower and shared_length >= enough


def _shared(one: np.ndarray, other: np.ndarray) -> float:
    return float(min(one.max(), other.max()) - max(one.min(), other.min()))


def _length(quad: Polygon) -> float:
    return float(np.linalg.norm(quad[1] - quad[0]))


def _angle_between(one: Polygon, other: Polygon) -> float:
    (ax, ay), (bx, by) = one[1] - one[0], other[1] - other[0]
    return abs(math.atan2(ax * by - ay * bx, ax * bx + ay * by))


def _union(group: Sequence[Detection]) -> Detection:
    if len(group) == 1:
        return group[0]
    quad, _ = min_area_quad(np.concatenate([detection.points for detection in group]))
    return Detection(quad, max(detection.score for detection in group))


def _root(groups: list[int], number: int) -> int:
    while groups[number] != number:
        number = groups[number]
    return number


def _join(groups: list[int], one: int, other: int) -> None:
    first, second = sorted((_root(groups, one), _root(groups, other)))
    groups[second] = first
