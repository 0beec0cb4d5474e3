from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ocrbatch.errors import OutputError
from ocrbatch.outputs.rows import SCHEMA, status_of, to_batch
from ocrbatch.outputs.targets import target_of
from ocrbatch.outputs.writers import CONFIG_KEY, writer_of
from ocrbatch.types import PageFailure, PageRef, PageResult, TextRegion, Word

QUAD = np.array([[1, 2], [31, 2], [31, 12], [1, 12]], np.float32)


def result(source: str, page: int = 0, *texts: str, kept: bool = True) -> PageResult:
    regions = tuple(
        TextRegion(QUAD, QUAD * 2, text, 0.75, 0.5, kept, n, n, 0, (Word(text, QUAD, 0.5),))
        for n, text in enumerate(texts)
    )
    return PageResult(
        PageRef(source, page, 3), "ab" * 32, 640, 480, regions, "\n".join(texts), ("mended",), {"decode": 1.5}
    )


def failure(source: str) -> PageFailure:
    return PageFailure(PageRef(source), "DamagedFile", "open", "It is damaged.")


OUTCOMES = [result("scans/ä.png", 0, "Rechnung Nr. 7", "Total 12,50 €"), failure("scans/bad.png"), result("leer.png")]


def write(path: Path, batches: list[pa.RecordBatch] | None = None) -> Path:
    writer_of(path.suffix[1:])(
        path, batches if batches is not None else [to_batch(OUTCOMES, "det@1", "rec@2")], {"dpi": 200}
    )
    return path


def test_a_row_says_all_about_its_page() -> None:
    good, bad, empty = to_batch(OUTCOMES, "det@1", "rec@2").to_pylist()
    assert (good["source"], good["page"], good["n_pages"], good["status"]) == ("scans/ä.png", 0, 3, "ok")
    assert good["regions"][1]["text"] == "Total 12,50 €"
    assert good["regions"][0]["points"] == QUAD.ravel().tolist()
    assert good["regions"][0]["polygon"] == (QUAD * 2).ravel().tolist()
    assert good["regions"][0]["words"] == [{"text": "Rechnung Nr. 7", "points": QUAD.ravel().tolist(), "score": 0.5}]
    assert (good["seconds_decode"], good["warnings"]) == (1.5, ["mended"])
    assert (bad["status"], bad["error_kind"], bad["error_stage"]) == ("failed", "DamagedFile", "open")
    assert (bad["text"], bad["regions"], bad["sha256"]) == (None, None, None)
    assert (empty["status"], empty["text"], empty["regions"]) == ("empty", "", [])
    assert {row["det_model"] for row in (good, bad, empty)} == {"det@1"}


def test_a_page_whose_regions_were_all_rejected_is_empty_and_keeps_them() -> None:
    page = result("a.png", 0, "noise", kept=False)
    assert status_of(page) == "empty"
    assert to_batch([page]).to_pylist()[0]["regions"][0]["text"] == "noise"


def test_the_parquet_file_as_users_read_it(tmp_path: Path) -> None:
    path = write(tmp_path / "r.parquet")
    found = duckdb.sql(f"SELECT source FROM '{path}' WHERE text ILIKE '%rechnung%'").fetchall()
    assert found == [("scans/ä.png",)]
    lines = duckdb.sql(
        f"SELECT region.text, region.points[1] FROM (SELECT unnest(regions) AS region FROM '{path}') WHERE region.kept"
    ).fetchall()
    assert lines == [("Rechnung Nr. 7", 1.0), ("Total 12,50 €", 1.0)]
    frame = pd.read_parquet(path)
    assert frame.text.dropna().str.split().str.len().sum() == 6
    assert frame[frame.status == "failed"][["source", "error_kind"]].values.tolist() == [
        ["scans/bad.png", "DamagedFile"]
    ]
    words = pl.read_parquet(path).select(pl.col("regions").explode().struct.field("text")).drop_nulls()
    assert words["text"].to_list() == ["Rechnung Nr. 7", "Total 12,50 €"]
    assert json.loads(pq.read_metadata(path).metadata[CONFIG_KEY.encode()]) == {"dpi": 200}


def test_json_and_jsonl_say_the_same_as_parquet(tmp_path: Path) -> None:
    table = pq.read_table(write(tmp_path / "r.parquet")).to_pylist()
    lines = [json.loads(line) for line in write(tmp_path / "r.jsonl").read_text(encoding="utf-8").splitlines()]
    assert lines == table
    assert json.loads(write(tmp_path / "r.json").read_text(encoding="utf-8")) == table
    assert "Total 12,50 €" in (tmp_path / "r.jsonl").read_text(encoding="utf-8")
    assert pd.read_json(tmp_path / "r.jsonl", lines=True).status.tolist() == ["ok", "failed", "empty"]


@pytest.mark.parametrize("name", ["r.parquet", "r.jsonl", "r.json"])
def test_no_rows_are_a_valid_file(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, [])
    if name == "r.parquet":
        assert pq.read_table(path).schema.names == SCHEMA.names
    else:
        assert path.read_text().strip() == ("" if name == "r.jsonl" else "[]")


def test_infinite_numbers_are_null_in_json(tmp_path: Path) -> None:
    region = TextRegion(QUAD, text="x", det_score=float("nan"))
    page = PageResult(PageRef("a"), "", 1, 1, (region,), "x")
    (row,) = json.loads(write(tmp_path / "r.json", [to_batch([page])]).read_text())
    assert row["regions"][0]["det_score"] is None


def test_the_file_does_not_depend_on_how_rows_were_batched(tmp_path: Path) -> None:
    pages = [result(f"{n:04d}.png", n, f"text {n}") for n in range(1300)]
    one = write(tmp_path / "one.parquet", [to_batch(pages)])
    many = write(tmp_path / "many.parquet", [to_batch(pages[n : n + 7]) for n in range(0, 1300, 7)])
    assert one.read_bytes() == many.read_bytes()
    assert pq.ParquetFile(one).num_row_groups == 3


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    path = write(tmp_path / "r.jsonl")
    before = path.read_bytes()

    def broken() -> Iterator[pa.RecordBatch]:
        yield to_batch(OUTCOMES)
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        writer_of(path.suffix[1:])(path, broken(), {})
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["r.jsonl"]


def test_mistakes_are_named_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"did you mean '\.parquet'"):
        target_of(tmp_path / "r.parqet")
    with pytest.raises(OutputError, match="no folder"):
        target_of(tmp_path / "nowhere" / "r.json").check()
