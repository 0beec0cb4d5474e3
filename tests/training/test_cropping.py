from __future__ import annotations

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ocrbatch.config.schema import DetectorInput
from ocrbatch.data.labels import RegionLabel
from ocrbatch.training.cropping import Cropper

INPUT = DetectorInput(limit_side=4000)


def quad(x: float, y: float, width: float, height: float) -> np.ndarray:
    return np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]], np.float32)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(40, 700),
    st.integers(40, 700),
    st.floats(0.4, 2.0),
    st.integers(0, 2**31 - 1),
)
def test_outlines_move_with_their_pixels(height: int, width: int, scale: float, seed: int) -> None:
    box = quad(width // 4, height // 3, max(8, width // 5), max(8, height // 6))
    page = np.zeros((height, width, 3), np.uint8)
    cv2.fillPoly(page, [box.astype(np.int32)], (255, 255, 255))
    crop, polygons, ignore = Cropper(128, (scale, scale))(page, [RegionLabel(box)], INPUT, np.random.default_rng(seed))
    assert crop.shape == (128, 128, 3)
    assert len(polygons) == len(ignore)
    shown = np.zeros((128, 128), np.uint8)
    for polygon in polygons:
        assert polygon.min() >= -0.01
        assert polygon.max() <= 128.01
        cv2.fillPoly(shown, [np.rint(polygon).astype(np.int32)], 1)
    white = (crop[..., 0] > 250).sum()
    if white > 200:
        inside = (crop[..., 0] > 250)[shown > 0].sum()
        assert inside >= 0.85 * white


def test_a_sliver_of_a_region_is_ignored_and_an_unseen_one_left_out() -> None:
    from ocrbatch.training.cropping import _visible

    assert _visible(quad(-95, 10, 100, 10), 128) is not None
    assert _visible(quad(-95, 10, 100, 10), 128)[1] is False  # type: ignore[index]
    assert _visible(quad(-50, 10, 100, 10), 128)[1] is True  # type: ignore[index]
    assert _visible(quad(-120, 10, 100, 10), 128) is None


def test_a_page_smaller_than_the_crop_is_shown_whole_on_padding() -> None:
    page = np.full((30, 50, 3), 255, np.uint8)
    crop, polygons, _ = Cropper(96, (1.0, 1.0))(
        page, [RegionLabel(quad(5, 5, 30, 10))], INPUT, np.random.default_rng(1)
    )
    assert (crop == 255).all(axis=2).sum() == 30 * 50
    assert np.ptp(polygons[0], axis=0).tolist() == [30, 10]
