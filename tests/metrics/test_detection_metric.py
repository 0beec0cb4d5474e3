"""The cases were written for this purpose; their counts are what PaddleOCR's evaluator (ppocr/metrics/eval_det_iou.py)
gives on them. The script of ICDAR 2015 agrees wherever it can read them and outlines are neither flat nor crossed.
Rates at score thresholds are those of PaddleOCR's ``DetFCEMetric``, to five decimals; the best are MMOCR's as well.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocrbatch.metrics.detection import DetectionMetric, ScoreSweep, match_page

CASES = json.loads((Path(__file__).parent / "cases" / "detection.json").read_text(encoding="utf-8"))
SCORED = [case for case in CASES if "scores" in case]
QUAD = [[0, 0], [10, 0], [10, 5], [0, 5]]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_counts_equal_the_reference(case: dict[str, Any]) -> None:
    page = match_page(case["truth"], case["ignore"], case["found"])
    assert [len(page.truth), len(page.found), len(page.pairs)] == case["counts"]


def test_all_cases_together_equal_the_reference() -> None:
    metric = DetectionMetric()
    for case in CASES:
        metric.update(case["truth"], case["ignore"], case["found"])
    assert metric.result() == pytest.approx(
        {"precision": 0.8169596690796277, "recall": 0.8846584546472565, "hmean": 0.8494623655913979}, abs=1e-12
    )


@pytest.mark.parametrize("case", SCORED, ids=lambda case: case["name"])
def test_rates_at_score_thresholds_equal_the_reference(case: dict[str, Any]) -> None:
    sweep = ScoreSweep()
    sweep.update(case["truth"], case["ignore"], case["found"], case["scores"])
    rates = [list(metric.result().values()) for metric in sweep.metrics.values()]
    assert rates == [pytest.approx(expected, abs=6e-6) for expected in case["sweep"]]
    result = sweep.result()
    assert [result[f"hmean_0.{tenth}"] for tenth in range(3, 10)] == [hmean for _, _, hmean in rates]
    assert result["best_hmean"] == pytest.approx(case["mmocr_best"])


def test_the_lowest_of_the_best_thresholds_is_named() -> None:
    sweep = ScoreSweep()
    far = [[point[0] + 100, point[1]] for point in QUAD]
    sweep.update([QUAD], [False], [far, QUAD], [0.45, 0.9])
    assert sweep.result() == {
        **{f"hmean_0.{tenth}": pytest.approx(2 / 3) for tenth in (3, 4)},
        **{f"hmean_0.{tenth}": 1.0 for tenth in (5, 6, 7, 8, 9)},
        **{"best_threshold": 0.5, "best_precision": 1.0, "best_recall": 1.0, "best_hmean": 1.0},
    }


def test_scores_must_fit_the_findings() -> None:
    with pytest.raises(ValueError, match="1 findings but 0 scores"):
        ScoreSweep().update([], [], [QUAD], [])


def test_no_page_scores_zero() -> None:
    assert DetectionMetric().result() == {"precision": 0.0, "recall": 0.0, "hmean": 0.0}


def test_pairs_name_positions_in_what_was_given() -> None:
    flat = [[0, 0], [10, 0], [20, 0]]
    assert match_page([flat, QUAD], [False, False], [flat, flat, QUAD]).pairs == ((1, 2),)


def test_too_few_points_are_dropped() -> None:
    page = match_page([QUAD], [False], [[[0, 0], [1, 1]]])
    assert (page.found, page.pairs) == ((), ())


def test_flags_must_fit_the_outlines() -> None:
    with pytest.raises(ValueError, match="1 outlines but 2 ignore flags"):
        match_page([QUAD], [True, False], [])


boxes = st.lists(
    st.tuples(*[st.integers(0, 60)] * 2, *[st.integers(1, 30)] * 2).map(
        lambda b: [[b[0], b[1]], [b[0] + b[2], b[1]], [b[0] + b[2], b[1] + b[3]], [b[0], b[1] + b[3]]]
    ),
    max_size=8,
)


@given(truth=boxes, found=boxes)
def test_matches_are_one_to_one(truth: list[Any], found: list[Any]) -> None:
    pairs = match_page(truth, [False] * len(truth), found).pairs
    assert len({t for t, _ in pairs}) == len({f for _, f in pairs}) == len(pairs)


@given(truth=boxes)
def test_truth_found_again_is_perfect(truth: list[Any]) -> None:
    metric = DetectionMetric()
    metric.update(truth, [False] * len(truth), truth)
    assert metric.n_matched == len(truth)
