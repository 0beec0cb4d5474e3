from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocrbatch.types import TextRegion
from ocrbatch_post_text.config import ReadingOrderConfig
from ocrbatch_post_text.layout import Box, _Band, _joined
from ocrbatch_post_text.reading_order import ReadingOrder


def region(text: str, left: float, top: float, right: float, bottom: float, kept: bool = True) -> TextRegion:
    points = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
    return TextRegion(points, text=text, kept=kept)


def order(regions: list[TextRegion], **options: float) -> tuple[TextRegion, ...]:
    return ReadingOrder(ReadingOrderConfig(**options))(tuple(regions), 1000, 1000)


def texts(regions: list[TextRegion], **options: float) -> list[str]:
    """Texts in reading order, those of a line joined by spaces."""
    lines: dict[int, list[str]] = {}
    for one in order(regions, **options):
        if one.kept:
            lines.setdefault(one.line, []).append(one.text)
    return [" ".join(line) for line in lines.values()]


def shuffled(regions: list[TextRegion]) -> list[TextRegion]:
    return [regions[n] for n in np.random.default_rng(1).permutation(len(regions))]


def turned(regions: list[TextRegion], degrees: float) -> list[TextRegion]:
    angle = np.radians(degrees)
    matrix = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return [TextRegion((one.points @ matrix).astype(np.float32), text=one.text, kept=one.kept) for one in regions]


def scaled(regions: list[TextRegion], factor: float) -> list[TextRegion]:
    return [TextRegion(one.points * np.float32(factor), text=one.text, kept=one.kept) for one in regions]


def paragraph(
    name: str, left: float, top: float, lines: int = 6, width: float = 300, step: float = 30
) -> list[TextRegion]:
    """Justified lines, the last one short."""
    return [
        region(f"{name}{n}", left, top + n * step, left + (width if n < lines - 1 else width / 2), top + n * step + 20)
        for n in range(lines)
    ]


def names(name: str, lines: int = 6) -> list[str]:
    return [f"{name}{n}" for n in range(lines)]


RECEIPT = [
    region("SHOP", 150, 10, 250, 30),
    *[region(f"item{n}", 20, 60 + 30 * n, 90 + 35 * (n % 3), 80 + 30 * n) for n in range(6)],
    *[region(f"price{n}", 340, 61 + 30 * n, 380, 81 + 30 * n) for n in range(6)],
    region("TOTAL", 20, 260, 100, 290),
    region("99.00", 320, 262, 382, 291),
]
RECEIPT_LINES = ["SHOP", *[f"item{n} price{n}" for n in range(6)], "TOTAL 99.00"]
TWO_COLUMNS = [
    region("TITLE", 100, 0, 600, 40),
    *paragraph("l", 20, 70),
    *paragraph("r", 360, 70),
    region("footer", 250, 300, 450, 320),
]


def test_words_of_a_line_go_from_left_to_right() -> None:
    words = [region("a", 0, 0, 40, 20), region("b", 50, 3, 90, 24), region("c", 100, -2, 140, 18)]
    assert texts(shuffled(words)) == ["a b c"]


def test_prices_stay_with_their_items() -> None:
    assert texts(shuffled(RECEIPT)) == RECEIPT_LINES


def test_columns_are_read_one_after_the_other() -> None:
    assert texts(shuffled(TWO_COLUMNS)) == ["TITLE", *names("l"), *names("r"), "footer"]
    blocks = {one.text: one.block for one in order(TWO_COLUMNS)}
    assert len({blocks["TITLE"], blocks["l0"], blocks["r0"], blocks["footer"]}) == 4
    assert blocks["l0"] == blocks["l5"]


def test_columns_whose_lines_do_not_stand_side_by_side() -> None:
    page = [*paragraph("l", 0, 0, step=31), *paragraph("r", 340, 13, step=27)]
    assert texts(shuffled(page)) == [*names("l"), *names("r")]


def test_three_columns_between_full_lines() -> None:
    columns = [one for n, name in enumerate("abc") for one in paragraph(name, 250 * n, 60, width=220)]
    page = [region("head", 0, 0, 720, 20), *columns, region("tail", 0, 300, 720, 320)]
    assert texts(shuffled(page)) == ["head", *names("a"), *names("b"), *names("c"), "tail"]


def test_columns_within_a_column() -> None:
    inner = [*paragraph("x", 340, 100, width=140), *paragraph("y", 510, 100, width=140)]
    page = [*paragraph("l", 0, 0, lines=10), *paragraph("top", 340, 0, lines=3, width=310), *inner]
    assert texts(shuffled(page)) == [*names("l", 10), *names("top", 3), *names("x"), *names("y")]


def test_a_table_is_read_by_rows() -> None:
    cells = [
        region(f"r{row}c{column}", 200 * column, 30 * row, 200 * column + 60 + 37 * ((row + column) % 3), 30 * row + 20)
        for row in range(5)
        for column in range(4)
    ]
    assert texts(shuffled(cells)) == [" ".join(f"r{row}c{column}" for column in range(4)) for row in range(5)]


def test_columns_can_be_switched_off() -> None:
    page = [*paragraph("l", 0, 0), *paragraph("r", 340, 0)]
    assert texts(page, columns=False) == [f"l{n} r{n}" for n in range(6)]


@pytest.mark.parametrize("degrees", [-12, -3, 2, 15])
def test_slanted_pages(degrees: float) -> None:
    assert texts(turned(shuffled(TWO_COLUMNS), degrees)) == ["TITLE", *names("l"), *names("r"), "footer"]
    assert texts(turned(shuffled(RECEIPT), degrees)) == RECEIPT_LINES


@pytest.mark.parametrize("factor", [0.2, 7.0])
def test_resolution_does_not_matter(factor: float) -> None:
    assert texts(scaled(shuffled(TWO_COLUMNS), factor)) == texts(TWO_COLUMNS)
    assert texts(scaled(shuffled(RECEIPT), factor)) == RECEIPT_LINES


def test_lines_that_touch_stay_apart() -> None:
    lines = [region(f"t{n}", 0, 18 * n, 300, 18 * n + 22) for n in range(5)]
    assert texts(shuffled(lines)) == names("t", 5)


def test_a_large_letter_does_not_swallow_lines() -> None:
    page = [region("D", 0, 0, 50, 60), region("one", 60, 2, 300, 20), region("two", 60, 36, 300, 56)]
    assert texts(shuffled(page)) in (["D one", "two"], ["one", "D two"], ["D one two"])


def test_white_space_between_lines_starts_a_block() -> None:
    page = [*paragraph("a", 0, 0, 3), *paragraph("b", 0, 140, 3)]
    blocks = [one.block for one in order(page)]
    assert blocks == [0, 0, 0, 1, 1, 1]


def test_rejected_regions_take_no_place() -> None:
    noise = region("noise", 320, 0, 350, 400, kept=False)
    ordered = order([noise, *TWO_COLUMNS])
    assert ordered[-1].text == "noise"
    assert (ordered[-1].order, ordered[-1].line, ordered[-1].block) == (-1, -1, -1)
    assert texts([noise, *TWO_COLUMNS]) == texts(TWO_COLUMNS)


@given(
    st.lists(
        st.tuples(*[st.floats(0, 900)] * 2, *[st.floats(0, 300)] * 2, st.booleans()),
        max_size=25,
    )
)
def test_no_region_is_lost_and_numbers_are_whole(boxes: list[tuple[float, float, float, float, bool]]) -> None:
    regions = [region(str(n), x, y, x + w, y + h, kept) for n, (x, y, w, h, kept) in enumerate(boxes)]
    ordered = order(regions)
    assert sorted(one.text for one in ordered) == sorted(one.text for one in regions)
    kept = [one for one in ordered if one.kept]
    assert [one.order for one in kept] == list(range(len(kept)))
    for numbers in ([one.line for one in kept], [one.block for one in kept]):
        assert sorted(set(numbers)) == list(range(len(set(numbers))))
        assert numbers == sorted(numbers)


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 25)), min_size=1, max_size=25), st.integers(1, 9))
def test_bands_are_what_lies_between_wide_white_ones(spans: list[tuple[int, int]], gap: int) -> None:
    bands: list[_Band] = []
    for number, (left, width) in enumerate(spans):
        bands = _joined(bands, Box(number, left, 0, left + width, 1), gap)
    expected: list[list[int]] = []
    for left, width in sorted(spans):
        if expected and left < expected[-1][1] + gap:
            expected[-1] = [expected[-1][0], max(expected[-1][1], left + width), expected[-1][2] + 1]
        else:
            expected.append([left, left + width, 1])
    assert [list(band) for band in sorted(bands)] == expected
