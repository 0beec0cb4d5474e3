"""Rows of results as the compact values that the report's scripts read, and what a whole run comes to."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ocrbatch.outputs.results import Row
from ocrbatch.outputs.rows import STAGES

BINS = 20
"""Scores from 0 to 1 are counted in this many bins of equal width; viewer/pages.js says the same."""


def score_of(row: Row) -> str:
    """The score that says how sure a page's regions are: ``det_score`` where nothing was read."""
    return "det_score" if row["det_model"] and not row["rec_model"] else "rec_score"


def bin_of(score: float) -> int:
    """Number of the bin that a score, as the report rounds it, falls into; one outside 0..1 goes to the nearest end."""
    return min(BINS - 1, int(min(1.0, max(0.0, _short(score))) * BINS))


def page_entry(row: Row) -> dict[str, Any]:
    """What the list and the search need to know of a page; absent values are left out.

    Raises TypeError, ValueError or LookupError for a row that no run would write.
    """
    regions = row["regions"] or []
    scores = [(_short(region[score_of(row)]), bool(region["kept"])) for region in regions]
    kept = [score for score, is_kept in scores if is_kept]
    seconds = _seconds(row)
    entry = {
        "source": row["source"],
        "page": int(row["page"] or 0),
        "pages": int(row["n_pages"] or 1),
        "status": str(row["status"]),
        "kind": row["error_kind"],
        "stage": row["error_stage"],
        "message": row["error_message"],
        "warnings": row["warnings"] or None,
        "width": int(row["width"] or 0) or None,
        "height": int(row["height"] or 0) or None,
        "text": row["text"],
        "regions": len(regions),
        "bins": sum(1 << number for number in {bin_of(score) for score, _ in scores}),
        "score": _short(sum(kept) / len(kept)) if kept else None,
        "seconds": _short(sum(seconds.values())) if seconds else None,
    }
    return {name: value for name, value in entry.items() if value is not None}


def region_entries(row: Row) -> list[list[Any]]:
    """Regions in reading order, those without a place in it last, as lists: outline, text, det_score, rec_score, kept,
    block, words (outline, text, score).

    Raises TypeError, ValueError or LookupError for a row that no run would write.
    """
    return [
        [
            _outline(region["polygon"] or region["points"]),
            str(region["text"] or ""),
            _short(region["det_score"]),
            _short(region["rec_score"]),
            int(bool(region["kept"])),
            int(region["block"]),
            [
                [_outline(word["points"]), str(word["text"] or ""), _short(word["score"])]
                for word in region["words"] or ()
            ],
        ]
        for region in sorted(row["regions"] or (), key=_place)
    ]


@dataclass
class Tally:
    """Counts over all rows of a run, whether or not the report shows them."""

    pages: int = 0
    timed: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))
    kept: list[int] = field(default_factory=lambda: [0] * BINS)
    rejected: list[int] = field(default_factory=lambda: [0] * BINS)
    models: dict[str, None] = field(default_factory=dict)
    only_found: bool = True

    def add(self, row: Row) -> None:
        """Count a page. Raises TypeError, ValueError or LookupError for a row that no run would write."""
        self.pages += 1
        self.statuses[str(row["status"])] += 1
        if row["status"] == "failed":
            self.reasons[str(row["error_kind"])] += 1
        self.models |= dict.fromkeys(str(row[name]) for name in ("det_model", "rec_model") if row[name])
        score = score_of(row)
        self.only_found &= score == "det_score" or row["status"] == "failed"
        seconds = _seconds(row)
        self.timed += bool(seconds)
        for stage, spent in seconds.items():
            self.seconds[stage] += spent
        for region in row["regions"] or ():
            counts = self.kept if region["kept"] else self.rejected
            counts[bin_of(region[score])] += 1

    def summary(self, shown: int) -> dict[str, Any]:
        """The figures, and how many of the pages the report shows."""
        return {
            "pages": self.pages,
            "shown": shown,
            "timed": self.timed,
            "statuses": {name: self.statuses[name] for name in sorted(self.statuses, key=_status_place)},
            "reasons": dict(self.reasons.most_common()),
            "seconds": {stage: round(spent, 3) for stage, spent in self.seconds.items()},
            "histogram": {"kept": self.kept, "rejected": self.rejected},
            "models": list(self.models),
            "scores": "det" if self.only_found and self.models else "rec",
        }


def _seconds(row: Mapping[str, Any]) -> dict[str, float]:
    told = {stage: row[f"seconds_{stage}"] for stage in STAGES}
    return {stage: float(spent) for stage, spent in told.items() if spent is not None and math.isfinite(spent)}


def _place(region: Mapping[str, Any]) -> tuple[bool, int]:
    order = int(region["order"])
    return order < 0, order


def _status_place(status: str) -> tuple[int, str]:
    usual = ("ok", "empty", "failed")
    return (usual.index(status) if status in usual else len(usual)), status


def _outline(points: Any) -> list[int]:
    """Corners in whole pixels; of an upright box only left, top, right, bottom. Raises ValueError for no outline."""
    if len(points) < 6 or len(points) % 2:
        raise ValueError("an outline has too few corners")
    corners = [round(value) for value in points]
    left, top, right, _, _, bottom, *_ = corners
    return [left, top, right, bottom] if corners == [left, top, right, top, right, bottom, left, bottom] else corners


def _short(value: Any) -> float:
    number = float(value or 0)
    return round(number, 3) if math.isfinite(number) else 0.0
