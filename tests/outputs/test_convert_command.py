from __future__ import annotations

import csv
import json
from pathlib import Path

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from ocrbatch.cli.main import cli
from ocrbatch.errors import ExitCode
from ocrbatch.outputs.csv_table import COLUMNS
from ocrbatch.outputs.rows import to_batch
from ocrbatch.outputs.writers import CONFIG_KEY, writer_of
from ocrbatch.types import PageFailure, PageRef, PageResult, TextRegion

QUAD = np.array([[1, 2], [31, 2], [31, 12], [1, 12]], np.float32)
REGIONS = (
    TextRegion(QUAD, None, 'Total, "12 €"', 0.75, 0.5, True, 0, 0, 0),
    TextRegion(QUAD, None, "noise", 0.1, 0.1, False),
)
GOOD = PageResult(PageRef("scans/a.png"), "ab" * 32, 64, 48, REGIONS, 'Total, "12 €"')
EMPTY = PageResult(PageRef("scans/c.png"), "ab" * 32, 64, 48, (), "")
BAD = PageFailure(PageRef("scans/b.png"), "DamagedFile", "open", "It is damaged.")


def results(folder: Path, *outcomes: PageResult | PageFailure, suffix: str = ".parquet") -> Path:
    path = folder / f"results{suffix}"
    writer_of(path.suffix[1:])(path, [to_batch(outcomes or (GOOD, BAD, EMPTY))], {"dpi": 200})
    return path


def convert(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["convert", *map(str, arguments)])


def test_csv_has_a_line_for_each_region_and_each_page_without(tmp_path: Path) -> None:
    ended = convert(results(tmp_path), "--out", tmp_path / "r.csv")
    assert ended.exit_code == ExitCode.PARTIAL
    assert "scans/b.png, page 1: failed in the run (DamagedFile: It is damaged.)" in ended.stderr
    with (tmp_path / "r.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert tuple(lines[0]) == COLUMNS
    assert [(line["source"], line["status"], line["text"], line["kept"]) for line in lines] == [
        ("scans/a.png", "ok", 'Total, "12 €"', "true"),
        ("scans/a.png", "ok", "noise", "false"),
        ("scans/b.png", "failed", "", ""),
        ("scans/c.png", "empty", "", ""),
    ]
    assert [lines[0][name] for name in ("x1", "y1", "x3", "y3", "rec_score")] == ["1.0", "2.0", "31.0", "12.0", "0.5"]
    kept = duckdb.sql(f"SELECT text FROM '{tmp_path / 'r.csv'}' WHERE kept").fetchall()
    assert kept == [('Total, "12 €"',)]


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl", ".json"])
def test_tables_go_there_and_back(tmp_path: Path, suffix: str) -> None:
    first = results(tmp_path, GOOD, EMPTY)
    assert convert(first, "--out", tmp_path / f"middle{suffix}").exit_code == 0
    assert convert(tmp_path / f"middle{suffix}", "--out", tmp_path / "last.parquet").exit_code == 0
    assert pq.read_table(tmp_path / "last.parquet").to_pylist()[1] == pq.read_table(first).to_pylist()[1]
    assert pq.read_table(tmp_path / "last.parquet")["text"].to_pylist() == ['Total, "12 €"', ""]


def test_settings_stay_with_parquet(tmp_path: Path) -> None:
    convert(results(tmp_path, GOOD), "--out", tmp_path / "copy.parquet")
    assert json.loads(pq.read_metadata(tmp_path / "copy.parquet").metadata[CONFIG_KEY.encode()]) == {"dpi": 200}


def test_the_format_may_be_named_apart_from_the_file(tmp_path: Path) -> None:
    assert convert(results(tmp_path, GOOD), "--to", "jsonl", "--out", tmp_path / "lines.txt").exit_code == 0
    assert json.loads((tmp_path / "lines.txt").read_text(encoding="utf-8"))["source"] == "scans/a.png"


def test_documents_are_counted_and_failures_named(tmp_path: Path) -> None:
    ended = convert(results(tmp_path), "--to", "alto", "--out", tmp_path / "alto")
    assert ended.exit_code == ExitCode.PARTIAL
    assert "scans/b.png, page 1: not read (DamagedFile: It is damaged.)" in ended.stderr
    assert "3 pages into" in ended.stderr
    assert sorted(path.name for path in (tmp_path / "alto").iterdir()) == ["a.png.alto.xml", "c.png.alto.xml"]
    assert convert(results(tmp_path, GOOD), "--to", "hocr", "--out", tmp_path / "hocr", "-q").stderr == ""


def test_mistakes_end_in_a_sentence_and_an_exit_code(tmp_path: Path) -> None:
    source = results(tmp_path, GOOD)
    (tmp_path / "there.csv").write_text("mine")
    for arguments, code, sentence in (
        ((tmp_path / "none.parquet", "--out", "x.csv"), ExitCode.INPUT, "No such file"),
        ((source, "--out", tmp_path / "x.doc"), ExitCode.OUTPUT, ".hocr"),
        ((source, "--out", tmp_path / "there.csv"), ExitCode.OUTPUT, "--overwrite"),
        ((source, "--to", "txt", "--out", tmp_path / "there.csv"), ExitCode.OUTPUT, "it is a file"),
        ((source, "--out", tmp_path / "no/x.csv"), ExitCode.OUTPUT, "no folder"),
    ):
        ended = convert(*arguments)
        assert (ended.exit_code, sentence in ended.output) == (code, True), ended.output
    assert (tmp_path / "there.csv").read_text() == "mine"
