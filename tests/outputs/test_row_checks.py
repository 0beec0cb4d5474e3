"""What tells rows of results from others."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ocrbatch.cli.main import cli
from ocrbatch.errors import ExitCode
from ocrbatch.outputs.row_checks import problem_of, problem_of_regions

REGION: dict[str, Any] = {"points": [0, 0, 9.5, 0, 9, 9, 0, 9], "text": "a", "kept": True, "rec_score": float("nan")}
ROW: dict[str, Any] = {
    "source": "a.png",
    "status": "ok",
    "page": 0,
    "text": None,
    "regions": [REGION],
    "mine": object(),
}


def test_what_a_run_or_its_reader_leaves_out_is_no_problem() -> None:
    assert problem_of(ROW) is None
    assert problem_of_regions(ROW) is None
    assert problem_of_regions({**ROW, "regions": None}) is None


@pytest.mark.parametrize(
    ("column", "problem"),
    [
        ({"page": "x"}, "page is no whole number"),
        ({"page": True}, "page is no whole number"),
        ({"width": 10**30}, "width is no whole number"),
        ({"seconds_decode": "fast"}, "seconds_decode is no number"),
        ({"warnings": [1]}, "warnings[0] is no text in Unicode"),
        ({"sha256": "\ud800"}, "sha256 is no text in Unicode"),
    ],
)
def test_columns_that_hold_something_else_are_named(column: dict[str, Any], problem: str) -> None:
    assert problem_of(ROW | column) == problem


@pytest.mark.parametrize(
    ("regions", "problem"),
    [
        ("text", "regions is no list"),
        ([REGION, None], "regions[1] is no object"),
        ([{}], "regions[0].points is missing"),
        ([REGION | {"points": [1, 2]}], "regions[0].points is no list of 8 numbers"),
        ([REGION | {"kept": 1}], "regions[0].kept is neither true nor false"),
        ([REGION | {"words": [{"text": "a"}]}], "regions[0].words[0].points is missing"),
        ([REGION | {"text": "\udfff"}], "regions[0].text is no text in Unicode"),
    ],
)
def test_regions_that_hold_something_else_are_named(regions: Any, problem: str) -> None:
    assert problem_of_regions(ROW | {"regions": regions}) == problem


@pytest.mark.parametrize("damage", [{"page": "x"}, {"regions": [{"kept": True}]}, {"text": "\ud800"}])
@pytest.mark.parametrize("name", ["o.parquet", "o.csv", "o.jsonl"])
def test_tables_of_such_rows_are_refused_in_a_sentence(tmp_path: Path, damage: dict[str, Any], name: str) -> None:
    rows, out = tmp_path / "r.jsonl", tmp_path / name
    rows.write_text(json.dumps({"source": "a.png", "status": "ok", **damage}))
    result = CliRunner().invoke(cli, ["convert", str(rows), "--out", str(out)])
    assert (result.exit_code, out.exists()) == (ExitCode.INPUT, False)
    assert "is no result of `ocrbatch run`: row 1, " in result.stderr


@pytest.mark.parametrize("command", ["convert", "view", "merge"])
def test_a_pipe_is_not_waited_for(tmp_path: Path, command: str) -> None:
    os.mkfifo(tmp_path / "r.parquet")
    out = tmp_path / ("o.html" if command == "view" else "o.parquet")
    result = CliRunner().invoke(cli, [command, str(tmp_path / "r.parquet"), "--out", str(out)])
    assert (result.exit_code, "it is no regular file" in result.stderr) == (ExitCode.INPUT, True), result.stderr
