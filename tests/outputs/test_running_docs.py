from __future__ import annotations

import re
from pathlib import Path

from ocrbatch.data import problems
from ocrbatch.outputs.rows import SCHEMA

PAGE = (Path(__file__).parents[2] / "docs/running.md").read_text(encoding="utf-8")


def first_cells(heading: str) -> list[str]:
    """Names in the first column of the table under a heading cell, in order."""
    lines = PAGE.split(f"| {heading}", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return [name for line in lines for name in re.findall(r"`(\w+)`", line.split("|")[1])]


def test_the_page_lists_every_column() -> None:
    assert first_cells("Column |") == SCHEMA.names


def test_the_page_lists_every_kind_of_error() -> None:
    kinds = {
        name
        for name, value in vars(problems).items()
        if isinstance(value, type) and value.__module__ == problems.__name__
    }
    assert set(first_cells("`error_kind` |")) == kinds - {"PageError"} | {"Timeout", "WorkerCrashed"}
