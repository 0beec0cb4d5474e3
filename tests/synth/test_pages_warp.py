from __future__ import annotations

import numpy as np
import pytest

from ocrbatch.data.synth.warp import Warp, lay

SIZE = (300, 400)


def _dotted(points: list[tuple[int, int]]) -> np.ndarray:
    sheet = np.full((SIZE[1], SIZE[0], 3), 255, np.uint8)
    for x, y in points:
        sheet[y - 3 : y + 4, x - 3 : x + 4] = 0
    return sheet


@pytest.mark.parametrize(
    "look", [{"turn": 7.0}, {"tilt": 0.05}, {"turn": -3.0, "tilt": 0.03, "curl": 9.0}, {"margin": (0.1, 0.2)}]
)
def test_pixels_and_points_move_alike(look: dict) -> None:
    dots = [(60, 80), (240, 70), (150, 200), (70, 330), (230, 320)]
    warp = lay(SIZE, np.random.default_rng(1), **look)
    ground = np.full((warp.size[1], warp.size[0], 3), 255, np.uint8)
    picture = warp.picture(_dotted(dots), ground)
    for x, y in warp.points(np.array(dots, np.float32)):
        near = picture[round(y) - 8 : round(y) + 9, round(x) - 8 : round(x) + 9, 0] < 128
        rows, columns = np.nonzero(near)
        assert rows.mean() - 8 == pytest.approx(0, abs=1)
        assert columns.mean() - 8 == pytest.approx(0, abs=1)


def test_ground_shows_around_the_sheet() -> None:
    warp = lay(SIZE, np.random.default_rng(2), margin=(0.1, 0.1))
    ground = np.full((warp.size[1], warp.size[0], 3), 77, np.uint8)
    picture = warp.picture(np.zeros((SIZE[1], SIZE[0], 3), np.uint8), ground)
    assert (picture[:20, :20] == 77).all()
    assert (picture[200, 150] == 0).all()
    assert warp.size == (360, 460)


def test_a_curled_label_still_holds_its_points() -> None:
    warp = Warp(np.eye(3), SIZE, wave=(12.0, 300.0, 0.0))
    quad = np.array([[50, 100], [250, 100], [250, 120], [50, 120]], np.float32)
    x0, y0 = warp.quad(quad).min(axis=0)
    x1, y1 = warp.quad(quad).max(axis=0)
    inside = warp.points(np.array([[100, 110], [150, 110], [200, 110]], np.float32))
    assert (inside > [x0, y0]).all()
    assert (inside < [x1, y1]).all()
    assert y1 - y0 > 30


def test_without_a_wave_corners_are_exact() -> None:
    matrix = np.array([[1, 0, 5], [0, 1, 7], [0, 0, 1]], np.float64)
    quad = np.array([[1, 2], [9, 2], [9, 6], [1, 6]], np.float32)
    np.testing.assert_allclose(Warp(matrix, SIZE).quad(quad), quad + np.array([5, 7]), atol=1e-4)
