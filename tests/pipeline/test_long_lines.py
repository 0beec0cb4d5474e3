from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pipeline_doubles import GreyCodec, Same

from ocrbatch import Chain
from ocrbatch.config.run import RunConfig
from ocrbatch.config.values import validate
from ocrbatch.contracts import Reading
from ocrbatch.pipeline.long_lines import Piece, join, pieces
from ocrbatch.pipeline.recognize import Recognizer
from ocrbatch.plugin_system.host import Host
from ocrbatch.types import TextRegion


def line(width: int, *gaps: tuple[int, int]) -> np.ndarray:
    """A line 10 pixels high, striped like print, with white gaps."""
    picture = np.full((10, width, 3), 255, np.uint8)
    picture[2:8, ::2] = 0
    for start, stop in gaps:
        picture[:, start:stop] = 255
    return picture


def reading(text: str, score: float = 0.5) -> Reading:
    edges = np.linspace(0, 1, len(text) + 1, dtype=np.float32)
    return Reading(text, score, np.stack([edges[:-1], edges[1:]], axis=1))


def test_a_line_that_fits_stays_whole() -> None:
    assert pieces(line(400), 40) == [Piece(0, 400)]
    assert pieces(line(450), 40) == [Piece(0, 450)]
    assert pieces(line(9000), float("inf")) == [Piece(0, 9000)]


def test_cuts_stand_in_the_gaps_between_words() -> None:
    parts = pieces(line(900, (100, 103), (290, 298), (620, 630)), 30)
    assert [part.spaced for part in parts] == [False, True, True]
    assert 290 <= parts[1].start < 298
    assert 620 <= parts[2].start < 630


def test_a_cut_through_a_word_adds_no_space() -> None:
    assert [part.spaced for part in pieces(line(900), 30)] == [False, False, False]


@given(st.integers(1, 3000), st.floats(1, 50))
def test_pieces_cover_the_line(width: int, longest: float) -> None:
    parts = pieces(line(width), longest)
    assert parts[0].start == 0
    assert parts[-1].stop == width
    assert all(before.stop == after.start for before, after in pairwise(parts))
    assert all(0 < part.stop - part.start <= max(longest * 1.7, longest + 2) * 10 for part in parts)


def test_joined_readings_stand_where_they_were_read() -> None:
    whole = join(
        [reading("ab", 0.9), reading(""), reading("cde", 0.4)], [Piece(0, 40), Piece(40, 50), Piece(50, 80, True)]
    )
    assert whole.text == "ab cde"
    assert whole.score == pytest.approx((2 * 0.9 + 3 * 0.4) / 5)
    assert whole.spans.shape == (6, 2)
    assert whole.spans[0].tolist() == [0, 0.25]
    assert whole.spans[2].tolist() == [0.5, 0.625]
    assert whole.spans[-1, 1] == 1
    assert (whole.spans[1:, 0] >= whole.spans[:-1, 0]).all()
    assert join([reading(""), reading("")], [Piece(0, 1), Piece(1, 2)]).text == ""


def test_words_of_a_long_line_have_their_places() -> None:
    recognizer = Recognizer(GreyCodec(), Same(), 4, 1.5, "m", longest=10)
    picture = np.full((40, 500, 3), 255, np.uint8)
    picture[8:22, 20:160], picture[8:22, 180:460] = 50, 90
    quad = np.array([[20, 5], [460, 5], [460, 25], [20, 25]], np.float32)
    (view,) = recognizer.views(picture, [TextRegion(quad)])[0]
    assert len(view.lines) == 3
    text = join(recognizer.read(view.lines), view.pieces).text
    assert "g50" in text
    assert text.endswith("g90")
    assert sum(part.spaced for part in view.pieces) == 1


@pytest.mark.parametrize(
    ("width", "max_length", "count"), [(32 * 12, 25, 1), (32 * 40, 25, 4), (32 * 40, 100, 1)], ids=str
)
def test_a_recognizer_of_a_single_width_reads_no_more_letters_at_once_than_labels_had(
    bundles: dict[str, str], width: int, max_length: int, count: int
) -> None:
    rec = {"bundle": bundles["rec"], "max_length": max_length, "input": {"widths": [100]}}
    chain = Chain.build(validate(RunConfig, {"stages": ["rec"], "rec": rec, "post": []}), Host.load(environ={}), 1)
    assert chain.read(np.full((32, width, 3), 255, np.uint8)).text.replace(" ", "") == "ab12" * count
