"""Packages from ``plugins new``, installed by pip as any third party's, then trained and run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

KINDS = {"det": "detector", "rec": "recognizer", "post": "postprocessor"}
THIN = [
    "--set",
    "model.algorithm.channels=16",
    "--set",
    "augment=[]",
    "--set",
    "train.optimizer.schedule.warmup_steps=1",
]
SHORT = ["--set", "train.steps=4", "--set", "train.batch_size=2", "--set", "data.workers=0"]
GRAY = ["--set", "model.algorithm.input.color=gray"]
GRAY += ["--set", "model.algorithm.input.mean=[0.5]", "--set", "model.algorithm.input.std=[0.5]"]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a generated detector, recognizer and postprocessor, all called ``sample``, installed by pip."""
    root = tmp_path_factory.mktemp("third_party")
    for kind in KINDS:
        _run(root, "-m", "ocrbatch", "plugins", "new", kind, "sample", "--out", root)
    folders = [root / f"ocrbatch-{kind}-sample" for kind in KINDS]
    offline = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    _run(root, "-m", "pip", "install", "--quiet", *offline, "--target", root / "site", *folders)
    return root


def _run(root: Path, *arguments: object) -> str:
    environment = os.environ | {"PYTHONPATH": str(root / "site"), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=root, timeout=900, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def test_installed_packages_are_listed_under_their_own_names(installed: Path) -> None:
    rows = json.loads(_run(installed, "-m", "ocrbatch", "--strict-plugins", "plugins", "list", "--json"))
    found = {row["distribution"]: row for row in rows if row["name"] == "sample"}
    assert {name: (row["kind"], row["version"], row["status"]) for name, row in found.items()} == {
        f"ocrbatch-{short}-sample": (kind, "0.1.0", "ok") for short, kind in KINDS.items()
    }
    shown = _run(installed, "-m", "ocrbatch", "plugins", "show", "sample")
    assert "channels: int, >= 4, <= 1024, multiple of 4 (default 64)" in shown
    assert "min_characters: int, >= 0, <= 100 (default 1)" in shown


def test_generated_sources_pass_the_linter(installed: Path) -> None:
    for kind in KINDS:
        folder = installed / f"ocrbatch-{kind}-sample"
        _run(folder, "-m", "ruff", "check", "--isolated", "--line-length", 120, "--select", "E,F,W,I,B,UP,SIM,RUF", ".")
        _run(folder, "-m", "ruff", "format", "--isolated", "--line-length", 120, "--check", ".")


@pytest.mark.parametrize("kind", KINDS)
def test_generated_tests_pass(installed: Path, kind: str) -> None:
    folder = installed / f"ocrbatch-{kind}-sample"
    assert " passed" in _run(installed, "-m", "pytest", "-q", "-c", folder / "pyproject.toml", folder)


def test_generated_plugins_train_export_and_run_by_the_command_line(installed: Path) -> None:
    _draw_lines(installed / "lines")
    _draw_pages(installed / "pages")
    tiny = ["--backbone", "plain", "--out"]
    for task, data, more in (
        ("det", "pages", [*GRAY, "--set", "train.crop_size=96"]),
        ("rec", "lines", [*GRAY, "--set", "model.algorithm.input.widths=[96]", "--charset", "ascii"]),
    ):
        sets = ["--data", data, "--val", data, "--set", "data.check_pictures=false"]  # seen in training: on purpose
        run = [*tiny, f"run-{task}", *sets, *THIN, *SHORT, *more]
        _run(installed, "-m", "ocrbatch", "train", task, "--algo", "sample", *run, "--quiet")
        _run(installed, "-m", "ocrbatch", "export", f"run-{task}", "--out", f"{task}.ocrb", "--count", 2)
        shown = _run(installed, "-m", "ocrbatch", "models", "show", f"{task}.ocrb")
        algorithm = {"name": "sample", "distribution": f"ocrbatch-{task}-sample", "version": "0.1.0"}
        assert json.loads(shown)["algorithm"] == algorithm
    models = ["--det", "det.ocrb", "--rec", "rec.ocrb", "--post", "sample:min_characters=2"]
    everything = ["--set", "det.threshold=0.05", "--set", "det.min_score=0"]
    _run(installed, "-m", "ocrbatch", "run", "pages", "--include", "*.png", "--out", "r.jsonl", *models, *everything)
    rows = [json.loads(line) for line in (installed / "r.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [Path(row["source"]).name for row in rows] == ["0.png", "1.png", "2.png", "3.png"]
    for row in rows:
        assert row["status"] in ("ok", "empty")
        assert row["regions"]
        for region in row["regions"]:
            assert region["kept"] == (sum(character.isalnum() for character in region["text"]) >= 2)


def _draw_lines(folder: Path) -> None:
    records = []
    for number in range(4):
        picture = np.full((32, 90, 3), 255, np.uint8)
        cv2.putText(picture, f"Nr {number}", (6, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (0, 0, 0), 2)
        records.append((picture, {"text": f"Nr {number}"}))
    _write(folder, records)


def _draw_pages(folder: Path) -> None:
    records = []
    for number in range(4):
        page = np.full((96, 128, 3), 255, np.uint8)
        cv2.putText(page, f"Page {number}", (12, 40), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (0, 0, 0), 2)
        box = [[10, 18], [110, 18], [110, 46], [10, 46]]
        records.append((page, {"regions": [{"points": box, "text": f"Page {number}", "ignore": False}]}))
    _write(folder, records)


def _write(folder: Path, records: list[tuple[np.ndarray, dict[str, Any]]]) -> None:
    folder.mkdir()
    lines = []
    for number, (picture, label) in enumerate(records):
        cv2.imwrite(str(folder / f"{number}.png"), picture)
        lines.append(json.dumps({"image": f"{number}.png", **label}))
    (folder / "labels.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
