from __future__ import annotations

import pickle
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from ocrbatch.data.synth import pages
from ocrbatch.data.synth.fonts import FontBook
from ocrbatch.data.synth.layouts.business import form, invoice, table_page
from ocrbatch.data.synth.layouts.prose import book_page, letter, newspaper
from ocrbatch.data.synth.layouts.receipt import receipt
from ocrbatch.data.synth.layouts.scene import scene
from ocrbatch.data.synth.layouts.sheet import Desk, Draft, Fill, Rule, Run, Sheet, Type
from ocrbatch.data.synth.layouts.till import Till
from ocrbatch.data.synth.marks import add_marks
from ocrbatch.data.synth.pages import render_page
from ocrbatch.data.synth.painting import paint
from ocrbatch.data.synth.text import TextSource
from ocrbatch.geometry import crop_quad, quad_size, signed_area

LAYOUTS = (receipt, letter, book_page, newspaper, invoice, form, table_page, scene)


@pytest.fixture
def type_(book: FontBook) -> Type:
    return Type(book.faces[0], 24, book.coverage[0])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_depend_on_the_seed_alone(layout, source: TextSource, book: FontBook) -> None:
    one, two, other = (layout(Desk(np.random.default_rng(seed), source, book)) for seed in (3, 3, 4))
    assert one == two
    assert one != other
    assert 300 <= one.height <= 2600
    assert 400 <= one.width <= 1400
    assert any(isinstance(item, Run) and item.label for item in one.items)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_labels_do_not_overlap(layout, source: TextSource, book: FontBook) -> None:
    _, regions = paint(layout(Desk(np.random.default_rng(5), source, book)))
    boxes = [(*region.points[0], *region.points[2]) for region in regions]
    for a, b in combinations(boxes, 2):
        wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
        smaller = min((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b))
        assert min(wide, high) <= 0 or wide * high <= 0.25 * smaller


def test_some_receipts_have_columns_of_lone_digits(source: TextSource, book: FontBook) -> None:
    sheets = [receipt(Desk(np.random.default_rng([7, seed]), source, book)) for seed in range(40)]
    lone = [
        sum(isinstance(item, Run) and item.text.isdigit() and len(item.text) == 1 for item in sheet.items)
        for sheet in sheets
    ]
    assert max(lone) >= 8


def test_a_label_holds_its_ink_and_little_else(type_: Type) -> None:
    picture, (region,) = paint(Sheet(200, 80, (Run("Sample, g", type_, 30, 50),)))
    dark = np.argwhere(picture[..., 0] < 128)[:, ::-1]
    low, high = region.points.min(axis=0), region.points.max(axis=0)
    assert (dark >= low).all()
    assert (dark <= high).all()
    assert (dark.min(axis=0) - low < 4).all()
    assert (high - dark.max(axis=0) < 4).all()


def test_small_letters_get_the_height_of_capitals(type_: Type) -> None:
    _, regions = paint(Sheet(200, 80, (Run("x.", type_, 30, 50), Run("X.", type_, 90, 50))))
    heights = [quad_size(region.points)[1] for region in regions]
    assert heights[0] == pytest.approx(heights[1], abs=1.5)


def test_separators_rules_and_fills_bear_no_label(type_: Type) -> None:
    rule, fill = Rule(0, 70, 199, 70), Fill((150, 10, 190, 30), (0, 0, 0))
    picture, regions = paint(Sheet(200, 80, (Run("-----", type_, 30, 50, label=False), rule, fill)))
    assert not regions
    assert (picture[70, :199] < 128).all()
    assert (picture[12:28, 152:188] == 0).all()


def test_what_would_print_over_a_label_is_left_out(type_: Type) -> None:
    _, regions = paint(Sheet(300, 80, (Run("first one", type_, 30, 50), Run("second", type_, 60, 52))))
    assert [region.text for region in regions] == ["first one"]


def _till(type_: Type, source: TextSource, book: FontBook) -> Till:
    desk, draft = Desk(np.random.default_rng(3), source, book), Draft(600)
    return Till(desk, draft, 20, 580, type_, type_, pitch=30, upper=False, centred=False, colon="apart", rule="none")


@pytest.mark.parametrize(
    ("before", "behind", "texts"),
    [
        (1.05, 5, {"Total :", "5.00"}),
        (5, 5, {"Total", ":", "5.00"}),
        (5, 1.05, {"Total", ": 5.00"}),
        (1.05, 1.05, {"Total : 5.00"}),
    ],
)
def test_a_colon_belongs_to_what_stands_near_it(
    type_: Type, source: TextSource, book: FontBook, before: float, behind: float, texts: set[str]
) -> None:
    till = _till(type_, source, book)
    colon = type_.width("Total") + before * type_.em
    value = colon + type_.width(":") + behind * type_.em
    till.row([("Total", 0, "left"), (":", colon / till.width, "left"), ("5.00", value / till.width, "left")])
    picture, regions = paint(Sheet(600, 80, tuple(till.draft.items)))
    assert {region.text for region in regions} == texts
    dark = np.argwhere(picture[..., 0] < 128)[:, ::-1]
    held = [((dark >= region.points[0]) & (dark <= region.points[2])).all(axis=1) for region in regions]
    assert np.sum(held, axis=0).min() == np.sum(held, axis=0).max() == 1


@pytest.mark.parametrize("centred", [False, True])
def test_cells_abreast_are_regions_of_their_own_little_more_than_a_space_apart(
    type_: Type, source: TextSource, book: FontBook, centred: bool
) -> None:
    till = _till(type_, source, book)
    till.abreast(["Tel: 03-123", "Fax: 03-456", "no room " * 9, "dropped"], centred)
    _, regions = paint(Sheet(600, 80, tuple(till.draft.items)))
    assert [region.text for region in regions] == ["Tel: 03-123", "Fax: 03-456"]
    tel, fax = (run for run in till.draft.items if isinstance(run, Run))
    gap = fax.x - tel.x - type_.width(tel.text)
    assert 1.0 <= gap / type_.width("0") <= 2.4
    end = fax.x + type_.width(fax.text)
    assert tel.x == (pytest.approx(600 - end) if centred else till.left)


def test_a_run_joined_to_one_left_out_has_its_own_label(type_: Type) -> None:
    items = (Run("Sample", type_, 130, 50), Run("Other", type_, 128, 52), Run("Far", type_, 30, 50, joined=True))
    _, regions = paint(Sheet(300, 80, items))
    assert [region.text for region in regions] == ["Sample", "Far"]


def test_a_page_is_set_in_cells_of_one_width(type_: Type) -> None:
    cells = replace(type_, cell=0.7)
    assert cells.width("iiii") == cells.width("WWWW") == pytest.approx(4 * 0.7 * 24)
    _, regions = paint(Sheet(300, 120, (Run("iiiiiiii", cells, 30, 50), Run("WWWWWWWW", cells, 30, 100))))
    narrow, wide = (np.ptp(region.points[:, 0]) for region in regions)
    assert abs(narrow - wide) < 0.7 * 24


def test_stretched_dotted_and_bold_print_keep_their_places(book: FontBook) -> None:
    for look in ({"wide": 2.0}, {"tall": 2.0}, {"dots": 2.5}, {"bold": 2.0}):
        kind = Type(book.faces[0], 24, book.coverage[0], **look)
        picture, (region,) = paint(Sheet(400, 120, (Run("PAID", kind, 40, 80),)))
        plain = quad_size(paint(Sheet(400, 120, (Run("PAID", Type(*_plain(book)), 40, 80),)))[1][0].points)
        width, height = quad_size(region.points)
        assert width == pytest.approx(plain[0] * look.get("wide", 1), rel=0.15)
        assert height == pytest.approx(plain[1] * look.get("tall", 1), rel=0.15)
        assert crop_quad(picture, region.points).min() < 60


def _plain(book: FontBook) -> tuple[object, ...]:
    return book.faces[0], 24, book.coverage[0]


def test_fit_cuts_words_then_letters(type_: Type) -> None:
    text = "alpha beta gamma"
    assert type_.fit(text, 1e4) == text
    assert type_.fit(text, type_.width("alpha beta") + 1) == "alpha beta"
    assert "alpha".startswith(cut := type_.fit(text, type_.width("alp") + 1))
    assert cut
    assert type_.fit(text, 0) == ""


def test_clean_reduces_what_the_face_lacks(book: FontBook) -> None:
    kind = Type(book.faces[0], 20, frozenset(map(ord, "abcde ")))
    assert kind.clean("ábc  dé★") == "abc de"


def test_justified_lines_fill_their_width(type_: Type) -> None:
    draft = Draft(500)
    width = 1.1 * type_.width("two words here")
    draft.justified("two words here", type_, 20, 40, width)
    _, (region,) = paint(Sheet(500, 80, tuple(draft.items)))
    assert quad_size(region.points)[0] == pytest.approx(width, abs=5)


def test_pages_are_repeatable_and_their_labels_sound(source: TextSource, book: FontBook) -> None:
    copy = pickle.loads(pickle.dumps((source, book)))
    for seed in range(3):
        picture, regions = render_page(np.random.default_rng(seed), source, book)
        again, same = render_page(np.random.default_rng(seed), *copy)
        np.testing.assert_array_equal(picture, again)
        assert [region.text for region in regions] == [region.text for region in same]
        assert picture.dtype == np.uint8
        assert picture.ndim == 3
        for region in regions:
            assert region.points.shape == (4, 2)
            assert region.points.dtype == np.float32
            assert (region.points >= 0).all()
            assert (region.points <= picture.shape[1::-1]).all()
            assert signed_area(region.points) > 0
            assert region.text
            assert region.text == region.text.strip()


def test_marks_change_the_page_but_keep_its_shape(source: TextSource, book: FontBook) -> None:
    changed = 0
    for seed in range(25):
        picture = np.full((500, 400, 3), 250, np.uint8)
        add_marks(Desk(np.random.default_rng(seed), source, book), picture, [])
        assert picture.shape == (500, 400, 3)
        changed += bool((picture != 250).any())
    assert changed > 10


@pytest.mark.parametrize("flat", [True, False])
def test_text_off_the_page_has_no_label(flat, type_: Type, source: TextSource, book: FontBook, monkeypatch) -> None:
    runs = (Run("Within", type_, 40, 60), Run("Beyond", type_, 40, 240))
    monkeypatch.setattr(pages, "_LAYOUTS", ((1.0, lambda _: Sheet(300, 200, runs), "scan"),))
    if flat:
        monkeypatch.setattr(pages, "_place", lambda *_: None)
    _, regions = render_page(np.random.default_rng(2), source, book)
    assert [region.text for region in regions] == ["Within"]
