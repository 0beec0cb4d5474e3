"""The cases were written for this purpose; expected counts are those of docTR and of ICDAR 2015's end-to-end script,
which does word spotting, too."""

from __future__ import annotations

import json
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocrbatch.metrics.assignment import best_assignment
from ocrbatch.metrics.spotting import DoctrMetric, SpottingMetric, icdar_equal, spotted_word

CASES = Path(__file__).parent / "cases"
PAGES = json.loads((CASES / "endtoend.json").read_text(encoding="utf-8"))
PLACES = [case for case in json.loads((CASES / "detection.json").read_text(encoding="utf-8")) if case["doctr"]]


def outlines(regions: list[dict[str, Any]]) -> list[Any]:
    return [region["points"] for region in regions]


def texts(regions: list[dict[str, Any]]) -> list[str]:
    return [region["text"] for region in regions]


def spot(metric: SpottingMetric, page: dict[str, Any]) -> None:
    truth, found = page["truth"], page["found"]
    ignore = [region["ignore"] for region in truth]
    metric.update(outlines(truth), texts(truth), ignore, outlines(found), texts(found))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page["name"])
def test_counts_equal_icdar(page: dict[str, Any]) -> None:
    metric = SpottingMetric()
    spot(metric, page)
    assert [metric.n_truth, metric.n_found, metric.n_matched] == page["icdar2015"]


def test_all_pages_together_equal_icdar() -> None:
    metric = SpottingMetric()
    for page in PAGES:
        spot(metric, page)
    assert metric.result() == pytest.approx(
        {"precision": 0.6443514644351465, "recall": 0.6814159292035398, "hmean": 0.6623655913978495}
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page["name"])
def test_words_spotted_equal_icdar(page: dict[str, Any]) -> None:
    metric = SpottingMetric(words_only=True)
    spot(metric, page)
    assert [metric.n_truth, metric.n_found, metric.n_matched] == page["word_spotting"]


def test_words_spotted_on_all_pages_together_equal_icdar() -> None:
    metric = SpottingMetric(words_only=True)
    for page in PAGES:
        spot(metric, page)
    assert metric.result() == pytest.approx(
        {"precision": 0.6305732484076433, "recall": 0.7021276595744681, "hmean": 0.6644295302013423}
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page["name"])
def test_texts_equal_doctr(page: dict[str, Any]) -> None:
    metric = DoctrMetric()
    metric.update(outlines(page["truth"]), texts(page["truth"]), outlines(page["found"]), texts(page["found"]))
    assert [metric.n_exact, metric.n_caseless] == page["doctr"]


@pytest.mark.parametrize("case", PLACES, ids=lambda case: case["name"])
def test_places_equal_doctr(case: dict[str, Any]) -> None:
    metric = DoctrMetric()
    metric.update(case["truth"], [""] * len(case["truth"]), case["found"], [""] * len(case["found"]))
    matches, overlap = case["doctr"]
    assert metric.n_located == matches
    assert metric.overlap == pytest.approx(overlap, abs=2e-5)  # docTR keeps IoU of polygons in float32


@pytest.mark.parametrize(
    ("truth", "found", "equal"),
    [
        ("(Total)", "total", True),
        ("(Total)", "total)", True),
        ("Total.", "TOTAL", True),
        ("Total..", "TOTAL", False),
        ("To.tal", "TOTAL", False),
        ("Total", "Total.", False),
        ("", "", True),
        (".", "", True),
    ],
)
def test_special_characters_may_be_missing_at_the_ends_of_the_truth(truth: str, found: str, equal: bool) -> None:
    assert icdar_equal(truth, found) is equal


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Main", "Main"),
        ("(Total),", "Total"),
        ("...what?!", "what"),
        ("-dash-", "dash"),
        ("e-mail", "e-mail"),
        ("Street's", "Street"),
        ("STREET'S", "STREET"),
        ("Street's.", ""),
        ("-dash-.", "dash-"),
        ("don't", ""),
        ("U.S.A.", ""),
        ("two words", ""),
        ("of", ""),
        ("it's", ""),
        ("Room-12", ""),
        ("2024", ""),
        ("caf\u00e9", "caf\u00e9"),
        ("\u0391\u0392\u0393", "\u0391\u0392\u0393"),
        ("\u0416\u0416\u0416", ""),
        ("two\u00d7two", ""),
        ("two\u00f7two", ""),
        ("", ""),
    ],
)
def test_words_that_are_looked_for(text: str, word: str) -> None:
    assert spotted_word(text) == word


@given(st.text("aB\u00e91-'.!s \u00d7", max_size=8))
def test_a_word_has_three_letters_and_no_sign_but_hyphens(text: str) -> None:
    word = spotted_word(text)
    assert word in text
    assert not word or (len(word) >= 3 and word.replace("-", "a").isalpha())


gains = st.tuples(st.integers(0, 5), st.integers(0, 4)).flatmap(
    lambda shape: st.lists(
        st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=shape[0] * shape[1], max_size=shape[0] * shape[1]
    ).map(lambda values: np.array(values, float).reshape(shape))
)


@given(gains)
def test_assignment_is_the_best_there_is(gain: np.ndarray) -> None:
    pairs = best_assignment(gain)
    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs) == min(gain.shape)
    tall = gain if gain.shape[0] >= gain.shape[1] else gain.T
    best = max(
        sum(tall[row, column] for column, row in enumerate(rows))
        for rows in permutations(range(len(tall)), tall.shape[1])
    )
    assert sum(gain[pair] for pair in pairs) == pytest.approx(best)
