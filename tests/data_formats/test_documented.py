"""docs/datasets.md lists what there is, and training uses the checks that are described there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ocrbatch.cli.data_options import FORMAT_NAMES
from ocrbatch.config.train import DataConfig
from ocrbatch.data.check import WARNINGS, Kind, LineRules, line_problem, page_problem
from ocrbatch.data.formats.table import FORMATS
from ocrbatch.errors import InputError
from ocrbatch.training.checks import without_bad
from ocrbatch.training.datasets import load_line_samples, load_page_samples

DOCUMENT = (Path(__file__).parents[2] / "docs" / "datasets.md").read_text("utf-8")
SQUARE = "[[1, 1], [9, 1], [9, 9], [1, 9]]"


def test_every_format_is_an_option_and_described() -> None:
    assert tuple(FORMATS) == FORMAT_NAMES
    assert re.findall(r"^\| `(\w+)` \|", DOCUMENT, re.MULTILINE) == list(FORMATS)
    assert [title for title in re.findall(r"^## (\w+)$", DOCUMENT, re.MULTILINE) if title in FORMATS] == list(FORMATS)


def test_every_kind_of_problem_is_described() -> None:
    table = DOCUMENT.partition("| Problem |")[2]
    rows = dict(re.findall(r"^\| ([^`|]+) \| (.+) \|$", table, re.MULTILINE))
    assert set(rows) >= {kind.value for kind in Kind}
    assert {kind for kind in Kind if rows[kind.value].startswith("warning")} == set(WARNINGS)


def test_training_refuses_what_cannot_be_understood_or_lists_it(tmp_path: Path) -> None:
    rows = ['{"image": "1.png", "text": "fine"}', "2.png no tab", '{"image": "3.png", "text": ""}', "4.png\tgood"]
    (tmp_path / "labels.jsonl").write_text("\n".join(rows))
    samples = load_line_samples(DataConfig.model_validate({"train": [str(tmp_path)], "val": [str(tmp_path)]}))
    with pytest.raises(InputError, match=r"4 samples cannot be trained on.*a space stands where the TAB should be"):
        without_bad(samples, line_problem(LineRules()), None)
    good = without_bad(samples, line_problem(LineRules()), tmp_path / "bad.txt")
    assert [label.text for label in good.train] == ["fine", "good"]
    listed = [line.split("\t") for line in (tmp_path / "bad.txt").read_text().splitlines()[1:]]
    assert [Path(where).name for where, _ in listed] == ["labels.jsonl, line 2"] * 2 + ["3.png"] * 2


def test_training_refuses_pages_that_are_not_there_and_outlines_off_the_page(tmp_path: Path) -> None:
    fine = f'{{"image": "1.png", "width": 20, "height": 20, "regions": [{{"points": {SQUARE}}}]}}'
    rows = [
        fine,
        fine.replace('"width": 20, "height": 20, ', ""),
        fine.replace("[1, ", "[31, ").replace("[9, ", "[39, "),
    ]
    (tmp_path / "labels.jsonl").write_text("\n".join(rows))
    samples = load_page_samples(DataConfig.model_validate({"train": [str(tmp_path)], "val": [str(tmp_path)]}))
    good = without_bad(samples, page_problem, tmp_path / "bad.txt")
    assert len(good.train) == 1
    listed = (tmp_path / "bad.txt").read_text()
    assert "Cannot read the picture" in listed
    assert "lies outside the picture of 20 x 20 pixels" in listed
