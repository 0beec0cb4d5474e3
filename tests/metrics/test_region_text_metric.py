from __future__ import annotations

import pytest

from ocrbatch.metrics.endtoend import RegionTextMetric, assign_by_overlap


def box(left: float, top: float, right: float, bottom: float) -> list[list[float]]:
    return [[left, top], [right, top], [right, bottom], [left, bottom]]


LINE = box(0, 0, 100, 10)
BELOW = box(0, 20, 100, 30)


def cer(truth: list[tuple[list[list[float]], str | None]], found: list[tuple[list[list[float]], str]]) -> float:
    metric = RegionTextMetric()
    metric.update([o for o, _ in truth], [t for _, t in truth], [o for o, _ in found], [t for _, t in found])
    return metric.result()["cer"]


def test_words_found_out_of_order_are_joined_along_the_line() -> None:
    assert cer([(LINE, "Grand Total 12")], [(box(60, 1, 99, 9), "TOTAL12"), (box(1, 1, 50, 9), "grand")]) == 0


def test_a_finding_counts_for_the_region_it_covers_most() -> None:
    assert assign_by_overlap([LINE, BELOW], [box(0, 2, 100, 24), box(0, 8, 100, 30)]) == [[0], [1]]


def test_the_order_follows_the_text_not_the_page() -> None:
    upside_down = [[100, 10], [0, 10], [0, 0], [100, 0]]
    assert assign_by_overlap([upside_down], [box(0, 0, 40, 10), box(60, 0, 100, 10)]) == [[1, 0]]
    upwards = [[0, 100], [0, 0], [10, 0], [10, 100]]
    assert assign_by_overlap([upwards], [box(0, 0, 10, 40), box(0, 60, 10, 100)]) == [[1, 0]]


def test_a_missed_region_costs_all_its_characters() -> None:
    assert cer([(LINE, "abc"), (BELOW, "d")], [(BELOW, "d"), (box(0, 90, 9, 99), "elsewhere")]) == pytest.approx(0.75)


def test_text_on_an_ignored_region_costs_nothing() -> None:
    assert cer([(LINE, "abc"), (BELOW, None)], [(LINE, "abc"), (BELOW, "scrawl")]) == 0


def test_nothing_labelled_is_no_error() -> None:
    assert cer([], [(LINE, "a")]) == 0
