from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow
from pipeline_doubles import tiny_chain, write_page

from ocrbatch import Chain
from ocrbatch.data.sources import SourceFile
from ocrbatch.outputs.rows import SCHEMA
from ocrbatch.pipeline.process import Processor
from ocrbatch.pipeline.turning import longest_lines, mean_score, turned, turned_back, upside_down
from ocrbatch.pipeline.units import Span, Unit
from ocrbatch.types import TextRegion, Word

LETTER = Path(__file__).parents[2] / "docs/samples/letter.jpg"
HOW = {1: "90 degrees counterclockwise", 2: "180 degrees", 3: "90 degrees clockwise"}


@given(
    st.integers(2, 40),
    st.integers(2, 40),
    st.integers(0, 3),
    st.data(),
)
def test_what_is_found_on_a_turned_picture_gets_back_to_its_pixels(
    width: int, height: int, quarters: int, data: st.DataObject
) -> None:
    x, y = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    page = np.zeros((height, width, 3), np.uint8)
    page[y, x] = 255
    (row, column), *_ = np.argwhere(turned(page, quarters)[..., 0])
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    seen = np.add(square, (column, row))
    region = TextRegion(seen.astype(np.float32), seen.astype(np.float32), "a", words=(Word("a", seen, 1.0),))
    (back,) = turned_back([region], quarters, width, height)
    assert back.polygon is not None
    for points in (back.points, back.polygon, back.words[0].points):
        np.testing.assert_array_equal(points, np.roll(square, -quarters, axis=0) + np.array([x, y]))


def test_a_few_letters_tell_nothing() -> None:
    few = [TextRegion(np.zeros((4, 2), np.float32), text="a" * 19, rec_score=0.1)]
    assert mean_score(few) == 0
    more = [*few, TextRegion(np.zeros((4, 2), np.float32), text="b", rec_score=0.9)]
    assert mean_score(more) == pytest.approx((19 * 0.1 + 0.9) / 20)


def test_the_longest_lines_are_the_sample() -> None:
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    wide = [TextRegion(square * [n, 1], text=str(n)) for n in range(1, 31)]
    tall = [TextRegion(square * [1, n], text="tall") for n in range(1, 31)]
    assert [region.text for region in longest_lines([*tall, *wide])] == [str(n) for n in range(30, 18, -1)]
    assert longest_lines(tall) == longest_lines([]) == []
    for region, half in zip(wide, upside_down(wide), strict=True):
        np.testing.assert_array_equal(half.points, region.points[[2, 3, 0, 1]])


@pytest.fixture(scope="module")
def chain() -> Chain:
    return Chain.default(threads=2)


@pytest.fixture(scope="module")
def letter() -> np.ndarray:
    return np.asarray(Pillow.open(LETTER).convert("RGB"))


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_page_that_does_not_lie_upright_is_read_turned(chain: Chain, letter: np.ndarray, quarters: int) -> None:
    upright = chain.read(letter)
    assert upright.warnings == ()
    page = np.ascontiguousarray(np.rot90(letter, -quarters))
    result = chain.read(page)
    assert result.text == upright.text
    assert result.warnings == (f"The page does not lie upright: it was read turned by {HOW[quarters]}.",)
    assert (result.height, result.width) == page.shape[:2]
    expected = turned_back(upright.regions, quarters, result.width, result.height)
    for region, other in zip(result.regions, expected, strict=True):
        np.testing.assert_allclose(region.points, other.points, atol=1e-3)


def test_turning_can_be_turned_off(letter: np.ndarray) -> None:
    result = Chain.load(threads=2, turn_below=0).read(np.ascontiguousarray(letter[::-1, ::-1]))
    assert result.warnings == ()
    assert "Set AG" not in result.text


def test_a_page_that_is_merely_bad_stays_as_it_lies(chain: Chain, letter: np.ndarray) -> None:
    """The more it is blurred the worse it is read, until nothing is; no model decides at which blur."""
    results = [chain.read(cv2.GaussianBlur(letter, (0, 0), sigma)) for sigma in np.arange(2.4, 4, 0.2)]
    assert any(0 < mean_score(result.regions) < chain.turn_below for result in results)
    assert {result.warnings for result in results} == {()}


def test_a_page_that_was_read_outlives_a_second_look_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("no such angle")

    write_page(tmp_path / "p.png", (10, 10, 20, 10), (10, 40, 30, 12), (10, 70, 30, 12))
    path = str(tmp_path / "p.png")
    unit = Unit((Span(SourceFile(path, path, 0, 0, 0), sha256="", n_pages=1, ordinal=0),), 4)
    monkeypatch.setattr(Chain, "upright", fail)
    reply = Processor(replace(tiny_chain(), turn_below=0.9))(unit, lambda _: None)
    (row,) = pa.ipc.read_record_batch(pa.py_buffer(reply.rows), SCHEMA).to_pylist()
    assert (row["status"], row["text"].split()) == ("ok", ["w20", "g10", "w30", "g20", "w30", "g30"])
    assert row["warnings"] == ["Whether the page lies upright could not be found out (no such angle)."]
