from __future__ import annotations

import re
from pathlib import Path

import duckdb
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from ocrbatch.cli.main import cli
from ocrbatch.data.images import stamp
from ocrbatch.outputs.rows import SCHEMA, to_batch
from ocrbatch.outputs.writers import writer_of
from ocrbatch.types import PageFailure, PageRef, PageResult, TextRegion, Word

PAGE = (Path(__file__).parents[2] / "docs/outputs.md").read_text(encoding="utf-8")
QUAD = np.array([[1, 2], [31, 2], [31, 12], [1, 12]], np.float32)


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def first_cells(heading: str) -> list[str]:
    lines = PAGE.split(f"| {heading} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return [name for line in lines for name in re.findall(r"`(\w+)`", line.split("|")[1])]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a page, its results, and the results of a page that failed."""
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (64, 48), "white").save("a.png")
    regions = tuple(
        TextRegion(QUAD, None, text, 0.9, score, kept, n, n, 0, (Word(text, QUAD, score),))
        for n, (text, score, kept) in enumerate([("Invoice 7", 0.9, True), ("Total", 0.5, True), ("x", 0.1, False)])
    )
    page = PageResult(PageRef("a.png"), stamp(Path("a.png"))[0], 64, 48, regions, "Invoice 7\nTotal")
    failure = PageFailure(PageRef("b.png"), "DamagedFile", "open", "It is damaged.")
    empty = PageResult(PageRef("c.png"), "", 64, 48, (), "")
    path = Path("results.parquet")
    writer_of(path.suffix[1:])(path, [to_batch([page, failure, empty])], {"settings": {"dpi": 200}})
    return tmp_path


def test_the_page_lists_every_column_and_field() -> None:
    assert first_cells("Column") == SCHEMA.names
    region = SCHEMA.field("regions").type.value_type
    assert first_cells("Field of a region") == [field.name for field in region]


@pytest.mark.usefixtures("folder")
def test_queries_in_duckdb() -> None:
    CliRunner().invoke(cli, ["convert", "results.parquet", "--out", "regions.csv"])
    statements = [statement for block in blocks("sql") for statement in block.split(";") if statement.strip()]
    found = [duckdb.sql(statement).fetchall() for statement in statements]
    assert found[0] == [("a.png", 0)]
    assert found[1] == [("b.png", "DamagedFile", "It is damaged.")]
    assert [(row[2], row[4], row[5]) for row in found[2]] == [("Total", 1.0, 2.0), ("Invoice 7", 1.0, 2.0)]
    assert found[3] == [("a.png", 2, pytest.approx(0.7))]


@pytest.mark.usefixtures("folder")
def test_queries_in_pandas_and_polars() -> None:
    pandas, polars, settings = ({} for _ in range(3))
    for block, names in zip(blocks("python"), (pandas, polars, settings), strict=True):
        exec(block, names)
    for names in (pandas, polars):
        assert list(names["invoices"]["source"]) == ["a.png"]
        assert list(names["failed"]["error_kind"]) == ["DamagedFile"]
        assert list(names["kept"]["text"]) == ["Total", "Invoice 7"]
        assert list(names["kept"]["source"]) == ["a.png", "a.png"]
    assert settings["settings"] == {"settings": {"dpi": 200}}


def test_commands_make_what_the_page_says(folder: Path) -> None:
    for command in blocks("sh")[0].splitlines():
        ended = CliRunner().invoke(cli, command.split()[1:])
        assert ended.exit_code == 10, ended.output
        assert "b.png, page 1" in ended.stderr
    made = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.*") if "a.png" in path.name)
    assert made == sorted(
        f"{folder_name}a.png{suffix}"
        for folder_name, suffix in (
            *(("", ""), ("alto/", ".alto.xml"), ("hocr/", ".hocr")),
            *(("pagexml/", ".page.xml"), ("searchable/", ".pdf"), ("text/", ".txt")),
        )
    )
    assert first_cells("`--to`") == ["parquet", "jsonl", "json", "csv", "txt", "hocr", "alto", "pagexml", "pdf"]
