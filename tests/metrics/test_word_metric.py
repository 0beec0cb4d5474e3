from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ocrbatch.metrics.endtoend import WordMetric

CASES = json.loads((Path(__file__).parent / "cases" / "endtoend.json").read_text(encoding="utf-8"))


def texts(case: dict[str, Any]) -> tuple[list[str], list[str]]:
    return [r["text"] for r in case["truth"] if not r["ignore"]], [r["text"] for r in case["found"]]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_counts_equal_the_bag_of_words(case: dict[str, Any]) -> None:
    metric = WordMetric(fold_case=False)
    metric.update(*texts(case))
    assert [metric.n_truth, metric.n_found, metric.n_matched] == case["words"]


def test_all_pages_together() -> None:
    metric = WordMetric(fold_case=False)
    for case in CASES:
        metric.update(*texts(case))
    assert metric.result() == pytest.approx(
        {"precision": 0.6532258064516129, "recall": 0.7043478260869566, "f1": 0.6778242677824268}
    )


def test_a_word_counts_as_often_as_it_stands_on_its_page() -> None:
    metric = WordMetric()
    metric.update(["the cat", "The  hat"], ["the the the hat"])
    assert (metric.n_truth, metric.n_found, metric.n_matched) == (4, 4, 3)


def test_words_of_one_page_do_not_help_another() -> None:
    metric = WordMetric()
    metric.update(["one"], ["two"])
    metric.update(["two"], ["one"])
    assert metric.result() == {"precision": 0.0, "recall": 0.0, "f1": 0.0}


def test_case_folding_is_the_default() -> None:
    metric = WordMetric()
    metric.update(["STRASSE"], ["straße"])
    assert metric.result()["f1"] == 1.0
