"""Which fonts are taken, and which of them for which text."""

from __future__ import annotations

import os
import pickle
import re
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from ocrbatch.data.regular import files_in
from ocrbatch.data.synth.fonts import Face, FontBook
from ocrbatch.errors import InputError


def test_usable_fonts_are_found_and_the_others_left_out(book: FontBook) -> None:
    assert sorted(face.family for face in book.faces) == ["Capitals", "No At", "Whole"]


def test_a_face_with_capitals_for_small_letters_is_known(book: FontBook) -> None:
    assert {face.family for face in book.faces if face.unicase} == {"Capitals"}


def test_small_letters_are_never_set_in_capitals(book: FontBook) -> None:
    rng = np.random.default_rng(0)
    assert "Capitals" not in {book.pick(rng, "Total").family for _ in range(60)}
    assert "Capitals" in {book.pick(rng, "TOTAL 12").family for _ in range(60)}


def test_the_face_has_every_character(book: FontBook) -> None:
    rng = np.random.default_rng(0)
    assert {book.pick(rng, "a@b").family for _ in range(40)} == {"Whole"}


def test_a_text_that_no_font_has_is_refused_by_name(book: FontBook) -> None:
    with pytest.raises(InputError, match="漢"):
        book.pick(np.random.default_rng(0), "漢字")


def test_an_unknown_style_or_name_falls_back(book: FontBook) -> None:
    rng = np.random.default_rng(0)
    assert book.pick(rng, "abc", "mono").style == "sans"
    assert book.pick(rng, "abc", "sans", re.compile("Nothing")).style == "sans"
    assert {book.pick(rng, "ABC", "sans", re.compile("At")).family for _ in range(20)} == {"No At"}


def test_families_are_equally_likely_however_many_faces_they_have() -> None:
    faces = (*(Face("big", n, "Big", "sans") for n in range(50)), Face("small", 0, "Small", "sans"))
    book = FontBook(faces, (frozenset(range(32, 127)),) * 51, ("",) * 51)
    rng = np.random.default_rng(0)
    seen = Counter(book.pick(rng, "abc").family for _ in range(400))
    assert 140 < seen["Small"] < 260


def test_regular_faces_are_seen_more_than_hairlines_and_italics() -> None:
    faces = tuple(
        Face(str(w), 0, "One", "sans", italic=i, weight=w) for w, i in ((400, False), (400, True), (100, False))
    )
    book = FontBook(faces, (frozenset(range(32, 127)),) * 3, ("",) * 3)
    rng = np.random.default_rng(0)
    seen = Counter(book.pick(rng, "abc") for _ in range(400))
    assert seen[faces[0]] > 3 * seen[faces[1]] > 0
    assert seen[faces[0]] > 5 * seen[faces[2]] > 0


def test_a_folder_without_fonts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"No usable font .*\.ttf"):
        FontBook.scan(tmp_path)


def test_a_book_travels_to_other_processes(book: FontBook) -> None:
    assert pickle.loads(pickle.dumps(book)) == book
    assert [row["family"] for row in book.licence_table()] == ["Capitals", "No At", "Whole"]


def test_a_sister_is_of_the_same_family() -> None:
    faces = (Face("a", 0, "One", "sans"), Face("b", 0, "One", "sans", italic=True), Face("c", 0, "Two", "sans"))
    book = FontBook(faces, (frozenset(range(32, 127)),) * 3, ("",) * 3)
    rng = np.random.default_rng(0)
    assert book.sister(rng, faces[0], "word") == faces[1]
    assert book.sister(rng, faces[2], "word") == faces[2]
    assert book.sister(rng, faces[0], "wörd") == faces[0]


def test_fonts_behind_links_are_found_once(font_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "fonts" / "own").mkdir(parents=True)
    (tmp_path / "fonts" / "linked").symlink_to(font_folder)
    (tmp_path / "fonts" / "again").symlink_to(font_folder / "sub")
    (tmp_path / "fonts" / "own" / "round").symlink_to(tmp_path / "fonts")
    (tmp_path / "fonts" / "own" / "above").symlink_to(tmp_path)
    (tmp_path / "fonts" / "nowhere").symlink_to(tmp_path / "gone")
    book = FontBook.scan(tmp_path / "fonts")
    assert sorted(face.family for face in book.faces) == ["Capitals", "No At", "Whole"]


def test_a_link_beside_its_folder_changes_no_path(font_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(font_folder, tmp_path / "real")
    before = FontBook.scan(tmp_path)
    (tmp_path / "a_link").symlink_to("real")
    assert FontBook.scan(tmp_path) == before


def test_a_pipe_is_no_font(font_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(font_folder, tmp_path / "fonts")
    (tmp_path / "fonts" / "null.ttf").symlink_to("/dev/null")
    os.mkfifo(tmp_path / "fonts" / "pipe.ttf")
    assert all(path.suffix != ".ttf" or "pipe" not in path.name for path in files_in(tmp_path / "fonts"))
    assert len(FontBook.scan(tmp_path / "fonts").faces) == 3


def test_what_is_printed_is_known_beforehand(book: FontBook) -> None:
    assert all(book.prints(text) for text in ("Total", "a@b", "12 %", ""))
    assert not any(book.prints(text) for text in ("漢字", "Tот"))
    capitals = FontBook.scan(Path(next(face.path for face in book.faces if face.unicase)).parent)
    assert (capitals.prints("TOTAL"), capitals.prints("Total")) == (True, False)
