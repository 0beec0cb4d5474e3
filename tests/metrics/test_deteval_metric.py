"""Expected rates of Total-Text's dialect are those of PaddleOCR's script (ppocr/utils/e2e_metric/Deteval.py) on cases
written for this purpose; those of the contests' rules were worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocrbatch.metrics.deteval import TOTAL_TEXT, DetEvalMetric, DetEvalRules

CASES = json.loads((Path(__file__).parent / "cases" / "detection.json").read_text(encoding="utf-8"))
KNOWN = [case for case in CASES if case["deteval_totaltext"]]
UNKNOWN = [case for case in CASES if not case["deteval_totaltext"]]  # the script divides by zero or overflows

Box = list[list[float]]


def box(left: float, top: float, right: float, bottom: float) -> Box:
    return [[left, top], [right, top], [right, bottom], [left, bottom]]


def counts(truth: list[Box], found: list[Box], rules: DetEvalRules, ignore: list[bool] | None = None) -> list[float]:
    """Truths and findings that count, and what they add up to for recall and precision."""
    metric = DetEvalMetric(rules)
    metric.update(truth, ignore or [False] * len(truth), found)
    return [metric.n_truth, metric.n_found, metric.recalled, metric.precise]


@pytest.mark.parametrize("case", KNOWN, ids=lambda case: case["name"])
def test_total_text_equals_the_reference(case: dict[str, Any]) -> None:
    metric = DetEvalMetric(TOTAL_TEXT)
    metric.update(case["truth"], case["ignore"], case["found"])
    result = metric.result()
    assert [metric.n_truth, metric.n_found, result["recall"], result["precision"]] == pytest.approx(
        case["deteval_totaltext"], abs=1e-8
    )


def test_all_cases_together_equal_the_reference() -> None:
    metric = DetEvalMetric(TOTAL_TEXT)
    for case in KNOWN:
        metric.update(case["truth"], case["ignore"], case["found"])
    assert (len(KNOWN), metric.n_truth, metric.n_found) == (75, 888, 964)
    assert metric.result() == pytest.approx(
        {"precision": 0.80539419087137, "recall": 0.8103603603603599, "hmean": 0.8078696436276478}
    )


@pytest.mark.parametrize("rules", [DetEvalRules(), TOTAL_TEXT], ids=["contests", "total-text"])
@pytest.mark.parametrize("case", UNKNOWN, ids=lambda case: case["name"])
def test_what_the_reference_cannot_take_is_scored(case: dict[str, Any], rules: DetEvalRules) -> None:
    metric = DetEvalMetric(rules)
    metric.update(case["truth"], case["ignore"], case["found"])
    assert set(metric.result().values()) <= {0.0, 0.5, 2 / 3, 1.0}


LINE = box(0, 0, 100, 20)
HALVES = [box(0, 0, 50, 20), box(50, 0, 100, 20)]


@pytest.mark.parametrize(
    ("truth", "found", "expected"),
    [
        pytest.param([LINE], [LINE], [1, 1, 1, 1], id="pair"),
        pytest.param([LINE], [box(0, 0, 80, 20)], [1, 1, 1, 1], id="tr of the truth is enough"),
        pytest.param([LINE], [box(0, 0, 79, 20)], [1, 1, 0, 0], id="less than tr is not"),
        pytest.param([LINE], [box(0, 0, 250, 20)], [1, 1, 1, 1], id="tp of the finding is enough"),
        pytest.param([LINE], [box(0, 0, 251, 20)], [1, 1, 0, 0], id="less than tp is not"),
        pytest.param([LINE], HALVES, [1, 2, 0.8, 1.6], id="split"),
        pytest.param(HALVES, [LINE], [2, 1, 2, 1], id="merge"),
        pytest.param(HALVES, [box(0, 0, 100, 50)], [2, 1, 2, 1], id="merge of which tp lies on truths"),
        pytest.param(HALVES, [box(0, 0, 100, 51)], [2, 1, 0, 0], id="merge of which less does"),
        pytest.param(HALVES, [box(11, 0, 89, 20)], [2, 1, 0, 0], id="merge that covers less than tr of each"),
        pytest.param([LINE], [LINE, box(90, 0, 200, 20)], [1, 2, 1, 1], id="pair beside what touches it"),
        pytest.param([LINE, box(90, 0, 200, 20)], [LINE], [2, 1, 1, 1], id="pair that touches another truth"),
        pytest.param([LINE], [LINE, LINE], [1, 2, 0.8, 1.6], id="the same twice"),
        pytest.param([], [LINE], [0, 1, 0, 0], id="nothing to find"),
        pytest.param([LINE], [], [1, 0, 0, 0], id="nothing found"),
        pytest.param([LINE], [[[0, 0], [1, 1]]], [1, 1, 0, 0], id="two points"),
    ],
)
def test_the_rules_of_the_contests(truth: list[Box], found: list[Box], expected: list[float]) -> None:
    assert counts(truth, found, DetEvalRules()) == pytest.approx(expected)


def test_thresholds_and_credits_are_options() -> None:
    found = [box(0, 0, 70, 20)]
    assert counts([LINE], found, DetEvalRules(tr=0.7)) == [1, 1, 1, 1]
    assert counts(HALVES, [LINE], DetEvalRules(merge=0.8)) == [2, 1, 1.6, 0.8]
    assert counts([LINE], HALVES, DetEvalRules(split=0.5)) == [1, 2, 0.5, 1.0]


def test_merges_of_total_text_ask_for_tp_of_each_truth_and_tr_of_the_finding() -> None:
    two_thirds = [box(18, 0, 82, 20)]  # of each half
    assert counts(HALVES, two_thirds, TOTAL_TEXT) == pytest.approx([2, 1, 1.6, 0.8])
    assert counts(HALVES, [box(0, 0, 100, 31)], TOTAL_TEXT) == [2, 1, 0, 0]


@pytest.mark.parametrize(("rules", "right"), [(DetEvalRules(), 60), (TOTAL_TEXT, 50)], ids=["contests", "total-text"])
def test_findings_on_ignored_truths_do_not_count(rules: DetEvalRules, right: int) -> None:
    """At the limit, 0.4 or 0.5 of its area, a finding still counts."""
    truth, ignore = [LINE, box(0, 100, 100, 120)], [False, True]
    outside = [LINE, box(right, 100, right + 100, 120)]
    assert counts(truth, outside, rules, ignore)[:2] == [1, 2]
    inside = [LINE, box(right - 1, 100, right + 99, 120)]
    assert counts(truth, inside, rules, ignore) == [1, 1, 1, 1]


def test_flags_must_fit_the_outlines() -> None:
    with pytest.raises(ValueError, match="1 outlines but 2 ignore flags"):
        DetEvalMetric().update([LINE], [True, False], [])


def test_no_page_scores_zero() -> None:
    assert DetEvalMetric().result() == {"precision": 0.0, "recall": 0.0, "hmean": 0.0}


boxes = st.lists(
    st.tuples(*[st.integers(0, 40)] * 2, *[st.integers(1, 30)] * 2).map(
        lambda b: box(b[0], b[1], b[0] + b[2], b[1] + b[3])
    ),
    max_size=8,
)


@given(truth=boxes, found=boxes, rules=st.sampled_from([DetEvalRules(), TOTAL_TEXT]))
def test_nobody_gets_more_than_all(truth: list[Box], found: list[Box], rules: DetEvalRules) -> None:
    n_truth, n_found, recalled, precise = counts(truth, found, rules)
    assert 0 <= recalled <= n_truth + 1e-9
    assert 0 <= precise <= n_found + 1e-9
    assert (recalled > 0) == (precise > 0)
