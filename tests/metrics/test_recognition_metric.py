"""The pairs were written for this purpose. Expected values are those of deep-text-recognition-benchmark (accuracies),
MMOCR (case-insensitive), PaddleOCR with spaces kept (1-NED, with 1e-5 added to denominators) and jiwer 4 (CER, WER)."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocrbatch.metrics.recognition import RecognitionMetric, edit_distance, shared_spaces

PAIRS = json.loads((Path(__file__).parent / "cases" / "recognition.json").read_text(encoding="utf-8"))
EDGES = [pair["name"] for pair in PAIRS if any(text != text.strip() for text in (pair["truth"], pair["read"]))]


def scores(*pairs: tuple[str, str]) -> dict[str, float]:
    metric = RecognitionMetric()
    for truth, read in pairs:
        metric.update(truth, read)
    return metric.result()


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair["name"])
def test_a_pair_equals_the_references(pair: dict[str, Any]) -> None:
    result = scores((pair["truth"], pair["read"]))
    assert edit_distance(pair["truth"], pair["read"]) == pair["edits"]
    assert result["accuracy"] == pair["exact"]
    assert result["accuracy_case_insensitive"] == pair["case_insensitive"]
    assert result["accuracy_alphanumeric"] == pair["alphanumeric"]
    assert result["one_minus_ned"] == pytest.approx(pair["similarity"], abs=2e-5)
    assert result["wer"] == pytest.approx(pair["wer"], abs=1e-9)


@pytest.mark.parametrize("pair", [pair for pair in PAIRS if pair["name"] not in EDGES], ids=lambda pair: pair["name"])
def test_cer_equals_jiwer_without_spaces_at_the_edges(pair: dict[str, Any]) -> None:
    assert scores((pair["truth"], pair["read"]))["cer"] == pytest.approx(pair["cer"], abs=1e-9)


def test_all_pairs_together_equal_the_references() -> None:
    result = scores(*((pair["truth"], pair["read"]) for pair in PAIRS))
    assert result["accuracy"] == pytest.approx(0.04651162790697675)
    assert result["accuracy_case_insensitive"] == pytest.approx(0.1395, abs=5e-5)
    assert result["accuracy_alphanumeric"] == pytest.approx(0.5406976744186046)
    assert result["one_minus_ned"] == pytest.approx(0.5399937772955348, abs=1e-5)
    assert result["wer"] == pytest.approx(0.39823008849557523)


def test_cer_of_stripped_pairs_together_equals_jiwer() -> None:
    result = scores(*((pair["truth"].strip(), pair["read"].strip()) for pair in PAIRS))
    assert result["cer"] == pytest.approx(0.1801825293350717)


def test_spaces_at_the_edges_count() -> None:
    assert scores(("ab", " ab "))["cer"] == 1.0


def test_rates_are_over_all_characters_not_over_lines() -> None:
    assert scores(("abcdefghi", "abcdefghi"), ("a", "b"))["cer"] == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("truth", "read", "shared"),
    [
        ("a b c", "a b c", 2),
        ("a b c", "ab c", 1),
        ("a b c", "abc", 0),
        ("abc", "a b c", 0),
        ("a b", "a  b", 1),
        (" a b ", "a b", 1),
        ("ab cd", "a bcd", 0),
        ("12.50 RM", "12 50 RM", 1),
        ("a b", "a\u00a0b", 0),
        ("RM 5", "R 5", 1),
        ("RM 5", "RN 5", 1),
        ("RM 5", "RN5 ", 0),
        ("to be or", "tobe o r", 1),
        ("", " ", 0),
    ],
)
def test_spaces_are_right_where_the_letters_around_are(truth: str, read: str, shared: int) -> None:
    assert shared_spaces(truth, read) == shared_spaces(read, truth) == shared


def test_spaces_have_precision_and_recall_over_all_lines() -> None:
    result = scores(("a b c d", "a bcd"), ("ab", "a b"), ("no", "no"))
    assert result["space_precision"] == pytest.approx(1 / 2)
    assert result["space_recall"] == pytest.approx(1 / 3)
    assert result["space_f1"] == pytest.approx(2 / 5)


short = st.text("ab ", max_size=7)


@given(short, short)
def test_spaces_are_aligned_by_letters(truth: str, read: str) -> None:
    edits, shared = best_alignment(truth, read)
    assert edits == edit_distance(truth.replace(" ", ""), read.replace(" ", ""))
    assert shared_spaces(truth, read) == shared


@cache
def best_alignment(truth: str, read: str) -> tuple[int, int]:
    """Fewest letters changed, and most spaces shared by an alignment that changes so many, by trying all."""
    if not truth or not read:
        return len((truth + read).replace(" ", "")), 0
    choices = [
        (best_alignment(truth[1:], read), truth[0] != " ", 0),
        (best_alignment(truth, read[1:]), read[0] != " ", 0),
    ]
    if (truth[0] == " ") == (read[0] == " "):
        choices.append((best_alignment(truth[1:], read[1:]), truth[0] != read[0], truth[0] == " "))
    return max(
        ((edits + edit, shared + space) for (edits, shared), edit, space in choices), key=lambda c: (-c[0], c[1])
    )


def test_no_line_scores_zero() -> None:
    assert set(scores().values()) == {0.0}


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_edit_distance_is_a_metric(one: str, two: str, three: str) -> None:
    assert edit_distance(one, two) == edit_distance(two, one)
    assert (edit_distance(one, two) == 0) == (one == two)
    assert edit_distance(one, three) <= edit_distance(one, two) + edit_distance(two, three)
