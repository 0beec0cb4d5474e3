"""The maps that EAST learns, against hand-computed values, and that decoding undoes them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ocrbatch import geometry
from ocrbatch.contracts import PageFit
from ocrbatch_det_east.codec import EastCodec, from_corners, from_sides
from ocrbatch_det_east.config import EastConfig
from ocrbatch_det_east.targets import make_targets, shrink, to_corners, to_sides

BOX = np.array([[20, 12], [100, 12], [100, 52], [20, 52]], np.float32)


def test_hand_computed_shrinking() -> None:
    # the shorter neighbouring side is 40 at every corner: 12 pixels off along both sides
    assert np.allclose(shrink(BOX, 0.3), [[32, 24], [88, 24], [88, 40], [32, 40]])
    assert np.allclose(shrink(BOX, 0), BOX)
    upright = BOX[:, ::-1][[0, 3, 2, 1]]
    assert np.allclose(shrink(upright, 0.3), [[24, 32], [40, 32], [40, 88], [24, 88]])


def test_score_is_one_inside_the_shrunk_outline() -> None:
    maps = make_targets(EastConfig(), (64, 128), [BOX], [False])
    expected = np.zeros((16, 32), np.uint8)
    expected[6:11, 8:23] = 1
    assert np.array_equal(maps["score"], expected)
    assert maps["mask"].all()
    assert set(np.unique(maps["side"])) == {1.0, 40.0}


def test_hand_computed_geometry() -> None:
    quad = make_targets(EastConfig(), (64, 128), [BOX], [False])["geometry"]
    assert quad[8, 10].tolist() == [40 - 20, 32 - 12, 40 - 100, 32 - 12, 40 - 100, 32 - 52, 40 - 20, 32 - 52]
    rbox = make_targets(EastConfig(geometry="rbox"), (64, 128), [BOX], [False])["geometry"]
    assert rbox[8, 10] == pytest.approx([20, 60, 20, 20, 0])  # top, right, bottom, left, angle
    assert not quad[0, 0].any()
    assert not rbox[0, 0].any()


@given(
    centre=st.tuples(st.floats(50, 150), st.floats(50, 150)),
    width=st.floats(10, 100),
    height=st.floats(10, 100),
    degrees=st.floats(-90, 90),
)
@settings(max_examples=60, deadline=None)
def test_geometry_says_where_the_corners_are(
    centre: tuple[float, float], width: float, height: float, degrees: float
) -> None:
    quad = geometry.order_quad(geometry.rect_corners([[*centre, width, height, np.deg2rad(degrees)]])[0])
    assume(abs(abs(degrees) - 45) > 0.5)
    pixels = np.array([centre, quad.mean(axis=0) * 0.8 + quad[0] * 0.2], np.float32)
    assert np.allclose(from_corners(pixels, to_corners(pixels, quad)), quad, atol=1e-2)
    sides = to_sides(pixels, quad)
    assert np.allclose(from_sides(pixels, sides), quad, atol=2e-2)
    assert np.abs(sides[:, 4]).max() <= np.pi / 4 + 1e-3


@pytest.mark.parametrize("kind", ["quad", "rbox"])
@given(
    width=st.floats(30, 120),
    height=st.floats(20, 60),
    degrees=st.floats(-40, 40),
    x=st.floats(90, 110),
    y=st.floats(90, 110),
)
@settings(max_examples=25, deadline=None)
def test_decoding_targets_gives_the_boxes_back(
    kind: str, width: float, height: float, degrees: float, x: float, y: float
) -> None:
    config = EastConfig(geometry=kind)  # type: ignore[arg-type]
    quad = geometry.rect_corners([[x, y, width, height, np.deg2rad(degrees)]])[0]
    maps = make_targets(config, (192, 192), [quad], [False])
    outputs = [maps["score"][..., None].astype(np.float32), maps["geometry"]]
    (found,) = EastCodec(config).decode(outputs, PageFit(1, 1, 192, 192))
    assert geometry.iou(found.points, quad) > 0.95
    assert found.score > 0.05


def test_curved_text_is_learnt_as_its_rectangle() -> None:
    bent = np.array([[20, 12], [60, 20], [100, 12], [100, 52], [60, 60], [20, 52]], np.float32)
    maps = make_targets(EastConfig(), (64, 128), [bent], [False])
    rectangle = geometry.min_area_quad(bent)[0]
    (values,) = {tuple(row) for row in maps["geometry"][8, 12:13].tolist()}
    assert np.allclose(from_corners(np.float32([[48, 32]]), np.float32([values]))[0], rectangle, atol=1e-2)


@pytest.mark.parametrize(("quad", "ignored"), [(BOX, True), (BOX * (1, 0.15), False)], ids=["ignored", "too small"])
def test_text_that_is_not_learnt_is_masked(quad: np.ndarray, ignored: bool) -> None:
    maps = make_targets(EastConfig(), (64, 128), [quad], [ignored])
    assert not maps["score"].any()
    y, x = (quad.mean(axis=0)[::-1] / 4).round().astype(int)
    assert maps["mask"][y, x] == 0
    assert 0 < (maps["mask"] == 0).sum() < 300


@given(st.lists(st.tuples(st.floats(-40, 160), st.floats(-40, 160)), min_size=4, max_size=8), st.booleans())
@settings(max_examples=60, deadline=None)
def test_any_outline_gives_finite_maps(points: list[tuple[float, float]], rbox: bool) -> None:
    config = EastConfig(geometry="rbox" if rbox else "quad")
    maps = make_targets(config, (96, 128), [np.array(points, np.float32)], [False])
    assert all(np.isfinite(each).all() for each in maps.values())
    assert maps["side"].min() >= 1
    assert set(np.unique(maps["score"])) <= {0, 1}
