"""CSV: a line for each region, and one for each page that has none."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TextIO

COLUMNS = (
    *("source", "page", "status", "error_kind", "error_message"),
    *("order", "block", "line", "kept", "text", "det_score", "rec_score"),
    *("x1", "y1", "x2", "y2", "x3", "y3", "x4", "y4"),
)
"""``page`` counts from 0; x1, y1 is the top left corner of the text, the others follow clockwise."""


def write_table(file: TextIO, rows: Iterable[Mapping[str, Any]]) -> None:
    """Writes rows of results to a file that was opened with ``newline=""``."""
    writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerows(_records(row))


def _records(row: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    page = {name: row[name] for name in ("source", "page", "status", "error_kind", "error_message")}
    for region in row["regions"] or ():
        corners = zip(COLUMNS[-8:], (round(value, 2) for value in region["points"]), strict=True)
        scores = {name: round(region[name] or 0.0, 4) for name in ("det_score", "rec_score")}
        told = {name: region[name] for name in ("order", "block", "line", "text")}
        yield {**page, **told, **scores, "kept": "true" if region["kept"] else "false", **dict(corners)}
    if not row["regions"]:
        yield page
