from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocrbatch.config.schema import DetectorInput, RecognizerInput
from ocrbatch.data.fit import MID_GREY, convert_color, fit_line, fit_page, normalize

GRAY = {"color": "gray", "mean": (0.5,), "std": (0.5,)}


def test_line_takes_the_first_width_that_holds_it_and_is_padded_with_mid_grey():
    fitted, used = fit_line(np.full((64, 220, 3), 255, np.uint8), RecognizerInput(widths=(100, 160, 240)))
    assert fitted.shape == (32, 160, 3)
    assert used == pytest.approx(110 / 160)
    assert (fitted[:, :110] == 255).all()
    assert (fitted[:, 110:] == MID_GREY).all()


def test_line_longer_than_the_ladder_is_squeezed():
    line = np.zeros((32, 1000, 3), np.uint8)
    line[:, 500:] = 255
    fitted, used = fit_line(line, RecognizerInput(widths=(100, 200)))
    assert (fitted.shape, used) == ((32, 200, 3), 1.0)
    assert fitted[:, :99].max() < 10
    assert fitted[:, 101:].min() > 245


@pytest.mark.parametrize("size", [(32, 1000), (128, 400)])
def test_lines_that_are_shrunk_much_are_averaged(size):
    line = np.zeros((*size, 3), np.uint8)
    line[::2, ::2] = 240
    fitted, used = fit_line(line, RecognizerInput(widths=(100, 200)))
    shown = fitted[:, : round(used * fitted.shape[1])]
    assert abs(float(shown.mean()) - 60) < 3
    if size[0] > 32:
        assert shown.std() < 10


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 70), st.integers(1, 400), st.sampled_from(["rgb", "gray"]))
def test_any_line_fits(height, width, color):
    kind = GRAY if color == "gray" else {"color": color}
    fitted, used = fit_line(np.zeros((height, width, 3), np.uint8), RecognizerInput(widths=(64, 128), **kind))
    assert fitted.shape[0] == 32
    assert fitted.shape[1] in (64, 128)
    assert fitted.shape[2] == (1 if color == "gray" else 3)
    assert 0 < used <= 1


@pytest.mark.parametrize(
    ("limit_type", "limit", "size", "scaled", "padded"),
    [
        ("max", 64, (100, 200), (32, 64), (32, 64)),
        ("max", 960, (100, 200), (100, 200), (128, 224)),
        ("min", 200, (100, 200), (200, 400), (224, 416)),
        ("min", 50, (100, 200), (100, 200), (128, 224)),
        ("max", 64, (1, 1000), (1, 64), (32, 64)),
    ],
)
def test_page_is_scaled_then_padded(limit_type, limit, size, scaled, padded):
    fitted, fit = fit_page(np.zeros((*size, 3), np.uint8), DetectorInput(limit_type=limit_type, limit_side=limit))
    assert fitted.shape == (*padded, 3)
    assert (fit.height, fit.width) == size
    assert (size[0] * fit.scale_y, size[1] * fit.scale_x) == pytest.approx(scaled)


def test_page_padding_is_zero_after_normalising():
    page_input = DetectorInput()
    fitted, _ = fit_page(np.full((40, 40, 3), 255, np.uint8), page_input)
    assert np.abs(normalize(fitted, page_input)[40:]).max() < 0.01


def test_colors_keep_their_order():
    red = np.zeros((2, 3, 3), np.uint8)
    red[..., 0] = 200
    assert convert_color(red, "rgb")[0, 0].tolist() == [200, 0, 0]
    assert convert_color(red, "bgr")[0, 0].tolist() == [0, 0, 200]
    assert convert_color(red, "gray").shape == (2, 3, 1)
