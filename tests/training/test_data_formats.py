"""``train --data`` takes every format as it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from ocrbatch.cli.main import cli
from ocrbatch.config.train import TrainConfig
from ocrbatch.data.convert import Target, convert, holds
from ocrbatch.data.labels import line_entries, page_entries
from ocrbatch.errors import ExitCode
from ocrbatch.plugin_system.host import Host
from ocrbatch.training.samples import Batch
from ocrbatch.training.setup import set_up

MakeFolder = Callable[[int, int], Path]

FORMATS: tuple[Target, ...] = ("labels", "paddle", "icdar", "mmocr", "lmdb", "folder")
GRAY = {"color": "gray", "mean": [0.5], "std": [0.5]}
WIDTHS = {"widths": [4, 4, 4, 4, 4], "depths": [1, 1, 1, 1, 1]}
MODELS: dict[str, dict[str, Any]] = {
    "rec": {
        "task": "rec",
        "algorithm": {"name": "rosetta", "max_length": 5, "input": {**GRAY, "widths": [112]}},
        "backbone": {"name": "plain", "rec": WIDTHS},
        "charset": "0123456789",
    },
    "det": {
        "task": "det",
        "algorithm": {"name": "db", "fpn_channels": 4, "input": {**GRAY, "limit_side": 160}},
        "backbone": {"name": "plain", "det": WIDTHS},
    },
}
SETTINGS = {"steps": 2, "batch_size": 2, "crop_size": 64, "eval_every": 2, "log_every": 1}


def converted(source: Path, task: str, to: Target, out: Path) -> Path:
    out.mkdir()
    entries: Any = line_entries(source) if task == "rec" else page_entries(source)
    assert not convert(entries, "lines" if task == "rec" else "pages", out, to).left_out
    return out


def first_batch(data: Path, task: str) -> tuple[Batch, dict[str, float]]:
    values = {"model": MODELS[task], "data": {"train": str(data)}, "train": SETTINGS, "augment": []}
    setup = set_up(TrainConfig.model_validate(values), Host.load())
    return setup.source(0), dict(setup.evaluate())


@pytest.mark.parametrize("task", ["det", "rec"])
def test_every_format_gives_the_same_samples(
    task: str, tmp_path: Path, digit_lines: MakeFolder, word_pages: MakeFolder
) -> None:
    source = (word_pages if task == "det" else digit_lines)(6, 51)
    content = "pages" if task == "det" else "lines"
    shown: dict[str, Any] = {}
    for to in (to for to in FORMATS if holds(to, content)):  # type: ignore[arg-type]
        batch, figures = first_batch(converted(source, task, to, tmp_path / to), task)
        assert "score" in figures
        shown[to] = sum(array.astype(float).sum() for array in batch.arrays.values())
    assert len(shown) == {"det": 4, "rec": 5}[task]
    expected = shown.pop("labels")
    assert expected > 0
    # Folders are read by the names of their files, so their order may be another.
    same_order = [value for name, value in shown.items() if name not in ("folder", "icdar")]
    assert same_order == [expected] * len(same_order)


def test_a_database_is_trained_on_by_worker_processes(tmp_path: Path, digit_lines: MakeFolder) -> None:
    database = converted(digit_lines(6, 52), "rec", "lmdb", tmp_path / "db")
    recipe = tmp_path / "recipe.yml"
    recipe.write_text(yaml.safe_dump({"model": MODELS["rec"], "train": SETTINGS}))
    arguments = ["train", "rec", "-c", recipe, "--data", database, "--val", digit_lines(2, 53), "--out", tmp_path / "r"]
    done = CliRunner().invoke(cli, [*map(str, arguments), "--set", "data.workers=2"])
    assert done.exit_code == ExitCode.OK, done.output
    assert "Trained 2 steps" in done.output
