from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pipeline_doubles import MODELS, BoxCodec, FateSession, page

from ocrbatch.config.run import TileConfig
from ocrbatch.config.schema import DetectorInput
from ocrbatch.contracts import Detection
from ocrbatch.pipeline.detect import Detector
from ocrbatch.pipeline.tiling import cut, merge


def box(left: float, top: float, right: float, bottom: float, score: float = 0.5) -> Detection:
    return Detection(np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32), score)


def extents(detections: list[Detection]) -> list[tuple[float, ...]]:
    return sorted((*one.points.min(axis=0).tolist(), *one.points.max(axis=0).tolist()) for one in detections)


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(64, 1200), st.floats(0.05, 0.45))
def test_tiles_cover_the_page_and_overlap(width: int, height: int, side: int, overlap: float) -> None:
    tiles = cut(width, height, side, overlap)
    seen = np.zeros((2, max(width, height) + 1), bool)
    for tile in tiles:
        assert 0 <= tile.left < tile.right <= width
        assert 0 <= tile.top < tile.bottom <= height
        assert max(tile.right - tile.left, tile.bottom - tile.top) <= side
        seen[0, tile.left : tile.right] = seen[1, tile.top : tile.bottom] = True
    assert seen[0, :width].all()
    assert seen[1, :height].all()
    columns = sorted({(tile.left, tile.right) for tile in tiles})
    assert all(before[1] - after[0] >= overlap * side - 1 for before, after in pairwise(columns))


def test_pieces_of_a_line_in_neighbouring_tiles_become_one() -> None:
    merged = merge([[box(10, 20, 100, 40, 0.6)], [box(80, 21, 200, 41, 0.9)], [box(180, 20, 300, 40)]])
    assert len(merged) == 1
    assert np.allclose(extents(merged)[0], (10, 20, 300, 41), atol=1)
    assert merged[0].score == 0.9


def test_a_line_cut_lengthwise_is_whole_again() -> None:
    assert extents(merge([[box(10, 90, 80, 100)], [box(10, 85, 80, 110)]])) == [(10, 85, 80, 110)]


@pytest.mark.parametrize(
    "other",
    [box(10, 42, 100, 60), box(10, 36, 100, 58), box(103, 20, 200, 40)],
    ids=["below", "overlapping a little below", "beside"],
)
def test_neighbours_stay_apart(other: Detection) -> None:
    assert len(merge([[box(10, 20, 100, 40)], [other]])) == 2


def test_boxes_of_one_tile_are_never_merged() -> None:
    assert len(merge([[box(10, 20, 100, 40), box(90, 20, 200, 40)]])) == 2


def test_slanted_pieces_merge_too() -> None:
    turn = np.array([[0.94, 0.34], [-0.34, 0.94]], np.float32)
    pieces = [Detection(one.points @ turn, one.score) for one in (box(10, 20, 100, 40), box(80, 20, 200, 40))]
    whole = box(10, 20, 200, 40).points @ turn
    (merged,) = merge([[pieces[0]], [pieces[1]]])
    assert np.abs(merged.points.mean(axis=0) - whole.mean(axis=0)).max() < 2


def detector(side: int, session: FateSession, tiles: TileConfig) -> Detector:
    return Detector(BoxCodec(side), session, DetectorInput(limit_side=side), tiles, MODELS[0])


@pytest.mark.parametrize("size", [(4000, 300), (300, 4000), (2500, 2500)])
def test_small_print_of_large_pages_is_found_as_on_small_ones(size: tuple[int, int]) -> None:
    """A detector that shrinks to 400 pixels sees nothing of 3-pixel marks in a 4,000-pixel page, but in its tiles."""
    rng = np.random.default_rng(3)
    marks = [
        (int(rng.integers(0, size[1] // 45)) * 45 + 3, int(rng.integers(0, size[0] // 25)) * 25 + 4, 30, 9)
        for _ in range(40)
    ]
    picture = page(*sorted(set(marks)), size=size)
    picture[picture < 250] = 0
    tiled = detector(400, FateSession(), TileConfig(min_scale=0.9, overlap=0.15))
    whole = detector(8192, FateSession(), TileConfig())
    expected, found = whole.find(picture), tiled.find(picture)
    assert len(found) == len(expected) == len(set(marks))
    centres = [
        np.array(sorted(region.points.mean(axis=0).round().tolist() for region in some)) for some in (expected, found)
    ]
    assert np.abs(centres[0] - centres[1]).max() <= 3


def test_pages_that_are_not_shrunk_far_are_looked_at_once() -> None:
    seen: list[tuple[int, ...]] = []

    class Counting(FateSession):
        def __call__(self, batch: np.ndarray) -> tuple[np.ndarray, ...]:
            seen.append(batch.shape)
            return super().__call__(batch)

    detector(400, Counting(), TileConfig(min_scale=0.3, overlap=0.15)).find(page(size=(1200, 900)))
    assert len(seen) == 1
