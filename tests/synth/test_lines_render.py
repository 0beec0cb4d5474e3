"""Whole line pictures and their labels."""

from __future__ import annotations

import numpy as np
import pytest

from ocrbatch.charset import load_charset
from ocrbatch.data.synth.crop import Crop, place
from ocrbatch.data.synth.fonts import FontBook
from ocrbatch.data.synth.ink import Ink, set_text
from ocrbatch.data.synth.line_text import _respaced, label, line_text
from ocrbatch.data.synth.lines import MAX_HEIGHT, _set, legible, render_line
from ocrbatch.data.synth.paper import background, contrasting, luminance, print_ink, scene
from ocrbatch.data.synth.text import TextSource

ASCII = load_charset("ascii")


@pytest.fixture(scope="module")
def lines(book: FontBook, source: TextSource) -> list[tuple[np.ndarray, str]]:
    return [render_line(np.random.default_rng([5, n]), source, book, ASCII) for n in range(150)]


def test_labels_are_clean(lines: list[tuple[np.ndarray, str]]) -> None:
    for _, text in lines:
        assert text
        assert text == " ".join(text.split())
        assert not ASCII.unknown(text)
        assert len(text) <= 91


def test_lengths_vary_from_figures_to_book_lines(lines: list[tuple[np.ndarray, str]]) -> None:
    lengths = np.array([len(text) for _, text in lines])
    assert (lengths <= 8).mean() > 0.15
    assert (lengths >= 35).mean() > 0.1
    assert np.mean([" " in text for _, text in lines]) > 0.35


def test_pictures_are_lines(lines: list[tuple[np.ndarray, str]]) -> None:
    for picture, text in lines:
        assert picture.dtype == np.uint8
        assert 4 <= picture.shape[0] <= MAX_HEIGHT
        assert picture.shape[1] >= 0.08 * picture.shape[0] * len(text)
        assert np.ptp(picture) > 14, f"nothing to be seen of {text!r}"


def test_grey_and_coloured_dark_and_light(lines: list[tuple[np.ndarray, str]]) -> None:
    assert {picture.ndim for picture, _ in lines} == {2, 3}
    means = np.array([picture.mean() for picture, _ in lines])
    assert (means < 110).any()
    assert np.median(means) > 150


def test_a_seed_gives_one_line(book: FontBook, source: TextSource) -> None:
    one, two = (render_line(np.random.default_rng([9, 4]), source, book, ASCII) for _ in range(2))
    assert one[1] == two[1]
    assert np.array_equal(one[0], two[0])


@pytest.mark.parametrize("kind", ["receipt", "document", "book", "scene"])
@pytest.mark.parametrize("name", ["en", "ascii", "latin"])
def test_text_stays_within_the_charset(source: TextSource, kind: str, name: str) -> None:
    charset = load_charset(name)
    for seed in range(60):
        text = line_text(np.random.default_rng(seed), source, kind, charset)
        assert text.strip() == text != ""
        assert not charset.unknown(label(text, charset))
        assert " " in charset or " " not in text


def test_receipts_are_often_in_capitals_and_have_lone_colons(source: TextSource) -> None:
    texts = [line_text(np.random.default_rng([6, seed]), source, "receipt", ASCII) for seed in range(400)]
    worded = [text for text in texts if sum(c.isalpha() for c in text) > 3]
    assert 0.3 < np.mean([text.isupper() for text in worded]) < 0.8
    assert sum(" :" in text for text in texts) > 10


def test_a_colon_may_stand_far_from_its_label(book: FontBook) -> None:
    face = book.faces[0]
    near = _set(np.random.default_rng(1), book, face, "Total: 5.00", "receipt")
    widths = [
        _set(np.random.default_rng(seed), book, face, "Total : 5.00", "receipt").mask.shape[1] / near.mask.shape[1]
        for seed in range(40)
    ]
    assert max(widths) > 1.5


def test_some_values_stand_behind_their_colon_without_the_label(source: TextSource) -> None:
    texts = [line_text(np.random.default_rng([8, seed]), source, "receipt", ASCII) for seed in range(800)]
    assert sum(text.startswith(": ") for text in texts) > 8
    assert any(text.startswith(":") and not text.startswith(": ") for text in texts)


@pytest.mark.parametrize("text", ["Total (RM): 5.00", "10, High St.", "a/b", ":", "no marks"])
def test_only_spaces_beside_marks_are_put_in_or_taken_out(text: str) -> None:
    variants = {_respaced(np.random.default_rng(seed), text) for seed in range(60)}
    assert {variant.replace(" ", "") for variant in variants} == {text.replace(" ", "")}
    assert all(variant == " ".join(variant.split()) for variant in variants)
    assert all(abs(len(variant) - len(text)) <= 1 for variant in variants)
    assert (len(variants) > 1) == any(c in ",.:;/(" for c in text[1:])


@pytest.mark.parametrize("text", ["5.00", "1,234.50", "08:44:00", "RM12.90", "3,5 kg"])
def test_no_space_is_put_into_a_number_or_a_time(text: str) -> None:
    assert {_respaced(np.random.default_rng(seed), text) for seed in range(20)} == {text}


def test_capitals_that_the_charset_lacks_are_labelled_small() -> None:
    assert label("Total 12", load_charset("en")) == "total 12"
    assert label("Total 12", ASCII) == "Total 12"


def _bar(width: int = 60, height: int = 20) -> Ink:
    return Ink(np.full((height, width), 255, np.uint8), 0, -height, float(width), 28.0)


def test_margins_are_where_they_were_asked_for() -> None:
    mask = place(np.random.default_rng(0), _bar(), [], Crop(top=0.5, bottom=0.25, left=1.0, right=0.0))
    assert mask.shape == (20 + 14 + 7, 60 + 28)
    assert not mask[:14].any()
    assert not mask[34:].any()
    assert not mask[:, :28].any()
    assert mask[14:34, 28:].all()


def test_a_negative_margin_cuts_the_ink_a_little() -> None:
    mask = place(np.random.default_rng(0), _bar(), [], Crop(top=-0.05, bottom=0.0, left=0.0, right=0.0))
    assert mask.shape == (19, 60)


def test_neighbours_show_at_the_edges_only() -> None:
    other = Ink(np.full((25, 60), 255, np.uint8), 0, -20, 60.0, 28.0)
    crop = Crop(top=0.4, bottom=0.4, left=0.0, right=0.0)
    seen = [place(np.random.default_rng(n), _bar(), [other, other], crop) for n in range(30)]
    assert {mask.shape for mask in seen} == {(20 + 11, 60)}
    assert any(mask[0].any() for mask in seen)
    assert all(mask[6:26].all() and not mask[27:].any() for mask in seen)


@pytest.mark.parametrize(
    "crop",
    [
        Crop(0.1, 0.1, 0.1, 0.1, angle=0.1),
        Crop(0.1, 0.1, 0.1, 0.1, keystone=(0.2, 0.1)),
        Crop(0.1, 0.1, 0.1, 0.1, bow=0.2),
        Crop(0.1, 0.1, 0.1, 0.1, wobble=0.03),
    ],
)
def test_leaning_and_bending_keep_the_ink(crop: Crop) -> None:
    mask = place(np.random.default_rng(0), _bar(), [], crop)
    assert mask.astype(float).sum() / 255 == pytest.approx(60 * 20, rel=0.12)


def test_rules_are_drawn_beside_the_text() -> None:
    plain, ruled = (
        place(np.random.default_rng(0), _bar(), [], Crop(0.4, 0.5, 0.6, 0.6, rules=rules))
        for rules in ((), ("under", "left", "right"))
    )
    assert ruled.shape == plain.shape
    assert ruled.astype(int).sum() > plain.astype(int).sum()


def test_print_is_dark_on_light_or_the_other_way_round(book: FontBook) -> None:
    mask = set_text(book.faces[0], 30, "TEXT").mask
    for seed in range(20):
        dark = print_ink(np.random.default_rng(seed), mask)
        light = print_ink(np.random.default_rng(seed), mask, inverse=True, colour=True)
        assert dark[mask > 200].mean() + 50 < dark[mask < 50].mean()
        assert light[mask > 200].mean() > light[mask < 50].mean() + 50
        assert light.shape == (*mask.shape, 3)


def test_words_of_scenes_stand_out_from_their_ground(book: FontBook) -> None:
    mask = set_text(book.faces[0], 40, "EXIT").mask
    seen = [legible(scene(np.random.default_rng(seed), mask), mask) for seed in range(40)]
    assert np.mean(seen) > 0.75


def test_what_cannot_be_read_is_told() -> None:
    mask = np.zeros((20, 40), np.uint8)
    mask[5:15, 5:35:4] = 255
    assert legible(255 - mask, mask)
    assert not legible(np.full_like(mask, 200), mask)
    assert not legible(np.random.default_rng(0).integers(0, 255, mask.shape, np.uint8), mask)


def test_contrasting_colours_contrast() -> None:
    rng = np.random.default_rng(0)
    for level in (0, 90, 127, 255):
        ground = np.full(3, level, np.float32)
        assert abs(luminance(contrasting(rng, ground, 80)) - level) >= 80


def test_backgrounds_have_the_asked_size() -> None:
    for seed in range(25):
        ground = background(np.random.default_rng(seed), 21, 77)
        assert ground.shape == (21, 77, 3)
        assert 0 <= ground.min() <= ground.max() <= 255
