"""The tools of ``benchmarks/`` that write word lists, with a few words in place of the package wordfreq."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from ocrbatch.lexicon import load_lexicon

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
FREQUENCIES = {
    "en": {"the": 5e-2, "of": 3e-2, "house": 2e-4, "don't": 1e-3, "Rate": 3e-5, "mp3": 1e-5},
    "de": {"Straße": 3e-4, "house": 1e-6},
}


@pytest.fixture
def run_tool(monkeypatch: pytest.MonkeyPatch):
    """Runs a tool of the folder benchmarks as a command."""

    def top_n_list(language: str, size: int, wordlist: str) -> list[str]:
        assert wordlist == "best"
        return list(FREQUENCIES.get(language, {}))[:size]

    known = SimpleNamespace(
        top_n_list=top_n_list,
        word_frequency=lambda word, language: FREQUENCIES[language][word],
    )
    monkeypatch.setitem(sys.modules, "wordfreq", known)
    monkeypatch.syspath_prepend(str(BENCHMARKS))

    def run(name: str, out: Path) -> None:
        result = CliRunner().invoke(runpy.run_path(str(BENCHMARKS / f"{name}.py"))["main"], [str(out)])
        assert result.exit_code == 0, result.output

    return run


def test_the_lexicon_has_the_words_of_all_languages_and_of_tills_by_frequency(tmp_path: Path, run_tool) -> None:
    run_tool("make_lexicon", tmp_path / "words.txt")
    words = (tmp_path / "words.txt").read_text(encoding="utf-8").splitlines()
    assert words[:2] == ["the", "strasse"]  # one of English, one of German; "of" is too short
    assert not {"of", "don't", "mp3"} & set(words)
    places = [words.index(word) for word in ("house", "cash", "rate")]
    assert places[0] < min(places[1:])  # what tills print counts as much as the commonest words
    assert len(set(words)) == len(words)
    assert "Straße" in load_lexicon(str(tmp_path / "words.txt"))


def test_corpora_hold_words_with_counts_english_twenty_times(tmp_path: Path, run_tool) -> None:
    run_tool("make_corpus", tmp_path / "corpus")
    rows = dict(line.split("\t") for line in (tmp_path / "corpus" / "en.tsv").read_text("utf-8").splitlines())
    assert (rows["the"], rows["mp3"]) == ("1000000000", "200000")
    assert (tmp_path / "corpus" / "de.tsv").read_text("utf-8") == "Straße\t300000\nhouse\t1000\n"
    assert (tmp_path / "corpus" / "id.tsv").read_text("utf-8") == ""
