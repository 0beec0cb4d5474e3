from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from pipeline_doubles import MODELS, BoxCodec, FateSession

from ocrbatch.config.run import TileConfig
from ocrbatch.config.schema import DetectorInput
from ocrbatch.data.gray import as_gray, as_rgb
from ocrbatch.pipeline.detect import Detector
from ocrbatch.pipeline.text_size import letter_height, shrunk

TEXT = "seven men saw a crane in our river near some"  # x-height letters only, or almost


@cache
def written(*sizes: int, lines: int = 8) -> np.ndarray:
    """A page, uint8 (H, W, 3), with some lines of each size of print, and a line of the first alone at the top."""
    picture = Image.new("RGB", (1600, 40 + sum(2 * size * lines for size in sizes)), "white")
    draw, top = ImageDraw.Draw(picture), 20
    for size in sizes:
        font = ImageFont.load_default(size)
        words = TEXT[: max(4, int(1500 / font.getlength(TEXT) * len(TEXT)))]
        for _ in range(lines):
            draw.text((30, top), words, "black", font)
            top += 2 * size
    return np.asarray(picture)


def x_height(size: int) -> float:
    _, top, _, bottom = ImageFont.load_default(size).getbbox("x")
    return bottom - top


@pytest.mark.parametrize("size", [16, 24, 40, 64])
def test_the_height_of_letters_is_seen(size: int) -> None:
    height = letter_height(written(size)[..., 0])
    assert height is not None
    assert abs(height - x_height(size)) <= max(3, 0.15 * x_height(size))


def test_small_print_below_large_print_counts() -> None:
    height = letter_height(written(48, 24)[..., 0])
    assert height is None or height <= x_height(24) + 3


@pytest.mark.parametrize(
    "page",
    [
        np.full((600, 800), 255, np.uint8),
        np.random.default_rng(0).integers(0, 256, (600, 800), np.uint8),
        np.full((1, 1), 7, np.uint8),
        np.full((3000, 2), 7, np.uint8),
    ],
    ids=["blank", "noise", "a pixel", "a thread"],
)
def test_a_page_without_print_tells_nothing(page: np.ndarray) -> None:
    assert letter_height(page) is None


def test_light_print_on_dark_is_not_taken_for_larger() -> None:
    height = letter_height(255 - written(40)[..., 0])
    assert height is None or height <= x_height(40) + 3


class Watching(FateSession):
    """Remembers what it was shown."""

    def __init__(self) -> None:
        super().__init__()
        object.__setattr__(self, "shapes", [])

    def __call__(self, batch: np.ndarray) -> tuple[np.ndarray, ...]:
        self.shapes.append(batch.shape)
        return super().__call__(batch)


def found(page: np.ndarray, letters: float | None, side: int = 1600) -> tuple[tuple[int, ...], np.ndarray]:
    """The shape that the network saw, and the corners (n, 2, 2) of the boxes."""
    session = Watching()
    regions = Detector(BoxCodec(side), session, DetectorInput(limit_side=side), TileConfig(), MODELS[0], letters).find(
        page
    )
    [shape] = session.shapes
    return shape[1:3], np.array([[r.points.min(axis=0), r.points.max(axis=0)] for r in regions])


@pytest.mark.parametrize("side", [1600, 1200])
def test_large_print_is_looked_at_on_a_smaller_page_and_found_where_it_is(side: int) -> None:
    page = written(64)
    (height, width), boxes = found(page, 13, side)
    assert max(height, width) < 0.7 * side
    _, expected = found(page, None, side)
    assert np.abs(boxes[:, 0].min(axis=0) - expected[:, 0].min(axis=0)).max() <= 4
    assert np.abs(boxes[:, 1].max(axis=0) - expected[:, 1].max(axis=0)).max() <= 4
    assert height / width == pytest.approx(page.shape[0] / page.shape[1], rel=0.01)


@pytest.mark.parametrize("letters", [13, 40])
def test_small_print_keeps_its_size(letters: float) -> None:
    page = written(16 if letters == 13 else 64)
    assert found(page, letters)[0] == page.shape[:2]


def test_no_page_is_shrunk_to_nothing() -> None:
    (_, width), _ = found(written(64), 4)
    assert width == 640


def test_the_height_of_letters_is_that_after_scaling() -> None:
    page = written(48)[..., 0]
    full, smaller = letter_height(page), letter_height(page, 0.6)
    assert full is not None
    assert smaller is not None
    assert abs(smaller - 0.6 * full) <= 2.0


def test_dirt_between_the_lines_does_not_hide_the_size_of_print() -> None:
    page = written(40)[..., 0].copy()
    for top in [top for line in range(20, 600, 80) for top in range(line + 50, line + 75, 10)]:
        for left in range(40, 1500, 40):
            page[top : top + 6, left : left + 4] = 0
    height = letter_height(page)
    assert height is not None
    assert abs(height - x_height(40)) <= 4


def test_more_specks_than_sixteen_bits_number_do_not_hide_the_size_of_print() -> None:
    specks = np.full((1600, 1600), 255, np.uint8)
    specks[::4, ::4] = specks[1::4, ::4] = specks[::4, 1::4] = specks[1::4, 1::4] = 0
    alone = letter_height(written(40)[..., 0])
    assert alone is not None
    assert letter_height(np.vstack([written(40)[..., 0], specks])) == alone


@pytest.mark.parametrize("scale", [0.9, 0.5, 0.4, 0.2, 0.01])
def test_a_smaller_page_is_the_mean_of_what_it_shows(scale: float) -> None:
    page = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (401, 303, 3), np.uint8), (0, 0), 8)
    small = shrunk(page, scale)
    assert small.shape == (max(1, round(401 * scale)), max(1, round(303 * scale)), 3)
    exact = cv2.resize(page, small.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(small.astype(int) - exact).mean() <= 3


def test_a_page_shrunk_in_gray_is_the_gray_of_the_shrunk_page() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (90, 70, 3), np.uint8)
    colored, gray = shrunk(picture, 0.4), shrunk(as_rgb(as_gray(picture)), 0.4)
    assert colored.shape == gray.shape == (36, 28, 3)
    assert np.array_equal(gray[..., 0], gray[..., 2])
    weighted = colored @ np.array([0.299, 0.587, 0.114])
    assert np.abs(weighted - gray[..., 0]).max() <= 2
