from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from ocrbatch.data.synth import kinds
from ocrbatch.data.synth.text import TextSource, Vocabulary, fit_words
from ocrbatch.errors import InputError


@pytest.fixture
def source(tmp_path: Path) -> TextSource:
    listed, plain = tmp_path / "en.tsv", tmp_path / "book.txt"
    listed.write_text("the\t900\nhouse\t50\nbécause\t50\n", encoding="utf-8")
    plain.write_text("It was a dark night.\n\nNothing moved, he said; nothing at all.\n", encoding="utf-8")
    return TextSource.load([listed, plain])


def test_lists_and_plain_text_are_told_apart(source: TextSource) -> None:
    assert source.vocabularies[0].words == ("the", "house", "bécause")
    assert source.lines == ("It was a dark night.", "Nothing moved, he said; nothing at all.")
    assert "night" in source.vocabularies[1].words


def test_words_follow_their_counts() -> None:
    vocabulary = Vocabulary.of([("often", 99), ("rare", 1)])
    rng = np.random.default_rng(0)
    often = sum(vocabulary.word(rng) == "often" for _ in range(2000)) / 2000
    assert 0.77 < often < 0.87  # 65 % by frequency, the rest evenly


def test_phrases_fit_and_have_no_outer_spaces(source: TextSource) -> None:
    rng = np.random.default_rng(1)
    for limit in (1, 7, 30, 200):
        for phrase in (source.phrase(rng, limit) for _ in range(400)):
            assert 1 <= len(phrase) <= limit
            assert phrase == " ".join(phrase.split())


def test_phrases_use_all_of_ascii(source: TextSource) -> None:
    rng = np.random.default_rng(2)
    seen = set("".join(source.phrase(rng) for _ in range(4000)))
    assert {chr(code) for code in range(32, 127)} <= seen


def test_same_seed_same_text_after_pickling(source: TextSource) -> None:
    copy = pickle.loads(pickle.dumps(source))
    one, two = np.random.default_rng(5), np.random.default_rng(5)
    assert [source.phrase(one) for _ in range(50)] == [copy.phrase(two) for _ in range(50)]


def test_fit_words_cuts_at_spaces() -> None:
    assert fit_words(["one", "two", "three"], 8) == "one two"
    assert fit_words(["elephant"], 4) == "elep"
    assert fit_words([], 4) == ""


def test_prices_and_dates_have_digits() -> None:
    rng = np.random.default_rng(3)
    assert all(
        any(c.isdigit() for c in make(rng)) for make in (kinds.price, kinds.date, kinds.time) for _ in range(200)
    )


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "words.bin"
    path.write_bytes(b"\xff\xfe\x00\xd8")
    with pytest.raises(InputError, match=r"words\.bin"):
        TextSource.load([path])
    (tmp_path / "empty.txt").write_text("\n")
    with pytest.raises(InputError, match="holds no words"):
        TextSource.load([tmp_path / "empty.txt"])
    with pytest.raises(InputError, match="at least one file"):
        TextSource.load([])


def test_words_are_chosen_and_the_others_named(source: TextSource) -> None:
    assert source.only(lambda _: True) == (source, [])
    kept, others = source.only(str.isascii)
    assert others == ["bécause"]
    assert kept.vocabularies[0].words == ("the", "house")
    assert kept.vocabularies[0].cumulative == pytest.approx([900 / 950, 1])
    assert kept.vocabularies[0].total == pytest.approx(950)
    kept, others = source.only(lambda word: word not in ("night", "nothing", "Nothing"))
    assert kept.lines == ("It was a dark", "moved, he said; at all.")
    kept, others = source.only(lambda _: False)
    assert (kept.vocabularies, kept.lines, len(others)) == ((), (), 15)


def test_words_that_no_page_has_room_for_are_cut_and_counted(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(f"fine {'x' * 5000}\n{'y' * 5000}\n")
    (tmp_path / "b.tsv").write_text(f"{'z' * 101}\t3\n{'z' * 100}\t3\n")
    source = TextSource.load([tmp_path / "a.txt", tmp_path / "b.tsv"])
    assert source.cut == 3
    words = [word for vocabulary in source.vocabularies for word in vocabulary.words]
    assert sorted(map(len, words)) == [4, 100, 100, 100, 100]
    kept, _ = source.only(lambda word: not word.startswith("x"))
    assert [line[:4] for line in kept.lines] == ["fine", "yyyy"]


def test_counts_without_end_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text(f"a\t{'9' * 400}\nb\t1\n")
    with pytest.raises(InputError, match=r"a\.tsv holds a count that is larger than any"):
        TextSource.load([tmp_path / "a.tsv"])
