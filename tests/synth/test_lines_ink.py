"""Text as coverage masks: boxes, spacing, shapes."""

from __future__ import annotations

import numpy as np
import pytest

from ocrbatch.data.synth import ink
from ocrbatch.data.synth.fonts import Face, FontBook


@pytest.fixture(scope="module")
def face(book: FontBook) -> Face:
    return next(face for face in book.faces if face.family == "Whole")


def test_a_mask_is_cut_to_its_ink(face: Face) -> None:
    mask = ink.render(face, 32, "Hamburg")
    assert mask.dtype == np.uint8
    assert all(side.any() for side in (mask[0], mask[-1], mask[:, 0], mask[:, -1]))
    assert mask.max() == 255


def test_the_box_is_told_from_the_baseline(face: Face) -> None:
    flat, deep = ink.set_text(face, 40, "HHH"), ink.set_text(face, 40, "Hgj")
    assert flat.top + flat.mask.shape[0] == pytest.approx(0, abs=1)
    assert 25 < -flat.top < 33
    assert deep.top + deep.mask.shape[0] >= 6


def test_a_blank_text_has_no_ink(face: Face) -> None:
    for text in ("", " "):
        assert not ink.render(face, 20, text).any()


@pytest.mark.parametrize("gap", [1.5, 3.0])
def test_word_gaps_widen_the_line_by_the_space_only(face: Face, gap: float) -> None:
    plain, wide = (ink.set_text(face, 40, "one two", word_gap=g) for g in (1.0, gap))
    space = ink.set_text(face, 40, "a b").advance - ink.set_text(face, 40, "ab").advance
    assert wide.advance - plain.advance == pytest.approx((gap - 1) * space, abs=2)


def test_tracking_spreads_letters(face: Face) -> None:
    plain, spread = (ink.set_text(face, 40, "Receipt", tracking=t) for t in (0.0, 0.25))
    assert spread.advance - plain.advance == pytest.approx(6 * 0.25 * 40, abs=4)


def test_a_gap_after_a_sentence_is_wider_than_between_words(face: Face) -> None:
    narrow, wide = (ink.set_text(face, 40, "on. On", sentence_gap=gap).advance for gap in (1.0, 2.0))
    assert wide > narrow + 5
    same = (ink.set_text(face, 40, "on, On", sentence_gap=gap).advance for gap in (1.0, 2.0))
    assert next(same) == pytest.approx(next(same), abs=1)


def test_every_word_of_a_justified_line_stands_apart(face: Face) -> None:
    columns = ink.render(face, 40, "ill will till", word_gap=3).any(axis=0)
    edges = np.flatnonzero(np.diff(np.flatnonzero(columns)) > 12)
    assert len(edges) == 2


def test_shapes_keep_what_they_say(face: Face) -> None:
    mask = ink.render(face, 32, "Total")
    height, width = mask.shape
    assert ink.stretch(mask, 0.6).shape == (height, round(width * 0.6))
    assert ink.embolden(mask, 1.4).sum() > mask.sum()
    assert ink.embolden(mask, 1.4).shape == mask.shape
    assert ink.slant(mask, 0.2).shape[1] > width
    assert ink.outline(mask, 2).sum() < mask.sum()
    assert ink.bitmap(mask, 9).shape == mask.shape


def test_shrunk_ink_keeps_its_amount_and_its_look(face: Face) -> None:
    mask = ink.render(face, 60, "Amount")
    small = ink.shrink(mask, 2)
    assert small.shape == pytest.approx(np.array(mask.shape) / 2, abs=1)
    assert small.mean() == pytest.approx(mask.mean(), rel=0.05)
    assert ink.shrink(mask, 1) is mask
    assert ink.shrink(mask[:2, :2], 2).size  # never nothing


def test_needles_print_separate_dots(face: Face) -> None:
    dots = ink.dot_matrix(ink.render(face, 60, "I"), rows=9, pitch=6, roundness=0.3)
    assert dots.shape[0] == 54
    stem = dots[:, dots.sum(axis=0).argmax()] > 127
    assert np.count_nonzero(np.diff(stem.astype(int)) == 1) + int(stem[0]) == 9


def test_dense_needles_print_overlapping_dots(face: Face) -> None:
    mask = ink.render(face, 60, "Total")
    apart, dense = (ink.dot_matrix(mask, rows=9, pitch=6, roundness=0.45, dense=dense) for dense in (False, True))
    assert dense.shape == apart.shape
    assert dense.sum() > 1.2 * apart.sum()
    columns = [(mask > 127).any(axis=0).mean() for mask in (apart, dense)]
    assert columns[1] > columns[0]  # between the dots, too


def test_a_line_is_the_same_each_time(face: Face) -> None:
    assert np.array_equal(ink.render(face, 21.3, "same"), ink.render(face, 21.3, "same"))


def test_pieces_are_joined_on_one_baseline(face: Face) -> None:
    one, two = ink.set_text(face, 40, "HE"), ink.set_text(face, 40, "gp")
    both = ink.join([one, two], 12.0)
    assert both.advance == pytest.approx(one.advance + 12 + two.advance)
    assert both.top == min(one.top, two.top)
    assert both.top + both.mask.shape[0] == two.top + two.mask.shape[0]
    assert both.mask.astype(int).sum() == one.mask.astype(int).sum() + two.mask.astype(int).sum()


@pytest.mark.parametrize("cell", [0.45, 0.8])
def test_letters_stand_in_cells_of_one_width(face: Face, cell: float) -> None:
    width = cell * 40
    narrow, wide = (ink.set_in_cells(face, 40, letter * 5, cell) for letter in "lM")
    assert narrow.advance == pytest.approx(5 * width)
    assert wide.advance == pytest.approx(narrow.advance)
    gaps = np.flatnonzero(~wide.mask.any(axis=0))
    assert gaps.size >= 4, "wide letters are squeezed, not laid over each other"
    columns = np.flatnonzero(np.diff((narrow.mask.max(axis=0) > 0).astype(int)) == 1)
    assert np.diff(columns) == pytest.approx(width, abs=1)


def test_a_space_is_an_empty_cell(face: Face) -> None:
    together, apart = (ink.set_in_cells(face, 40, text, 0.6) for text in ("AB", "A B"))
    assert apart.advance - together.advance == pytest.approx(0.6 * 40)
