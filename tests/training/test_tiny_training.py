"""Real trainings of a minute at most, through the command line, that end with models that read."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from ocrbatch.errors import ExitCode

MakeFolder = Callable[[int, int], Path]

GRAY = {"color": "gray", "mean": [0.5], "std": [0.5]}
REC: dict[str, Any] = {
    "model": {
        "task": "rec",
        "algorithm": {"name": "crnn", "hidden": 24, "layers": 1, "max_length": 5, "input": {**GRAY, "widths": [112]}},
        "backbone": {"name": "plain", "rec": {"widths": [8, 16, 24, 32, 48], "depths": [1, 1, 1, 1, 1]}},
        "charset": "0123456789",
    },
    "train": {
        "steps": 300,
        "batch_size": 16,
        "eval_every": 100,
        "save_every": 50,
        "log_every": 10,
        "optimizer": {"learning_rate": 0.004, "schedule": {"warmup_steps": 10}},
    },
    "augment": [{"name": "tone", "amount": 0.2}],
}
DET: dict[str, Any] = {
    "model": {
        "task": "det",
        "algorithm": {"name": "db", "fpn_channels": 16, "head_channels": 8, "input": {**GRAY, "limit_side": 160}},
        "backbone": {"name": "plain", "det": {"widths": [8, 12, 16, 24, 32], "depths": [1, 1, 1, 1, 1]}},
    },
    "train": {
        "steps": 200,
        "batch_size": 4,
        "crop_size": 160,
        "scale": [0.9, 1.1],
        "eval_every": 100,
        "save_every": 50,
        "log_every": 10,
        "optimizer": {"learning_rate": 0.005, "schedule": {"warmup_steps": 10}},
    },
    "augment": [],
}


def ocrbatch(*arguments: object, check: ExitCode = ExitCode.OK) -> str:
    """Output of a command; it must end with the exit code ``check``."""
    command = [sys.executable, "-m", "ocrbatch", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1200, env=_environment())
    assert done.returncode == check, done.stdout + done.stderr
    return done.stdout + done.stderr


def _environment() -> dict[str, str]:
    return os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}


def recipe(folder: Path, values: dict[str, object], name: str = "recipe.yml") -> Path:
    path = folder / name
    path.write_text(yaml.safe_dump(values))
    return path


def metrics(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / "metrics.json").read_text())
    return found


def test_a_recognizer_learns_to_read(tmp_path: Path, digit_lines: MakeFolder) -> None:
    run = tmp_path / "run"
    data, val = digit_lines(400, 1), digit_lines(60, 2)
    said = ocrbatch("train", "rec", "-c", recipe(tmp_path, REC), "--data", data, "--val", val, "--out", run)
    assert "Trained 300 steps" in said
    assert metrics(run)["best"]["accuracy"] >= 0.9
    for name in ("best.weights.h5", "last.weights.h5", "last.ckpt.npz", "log.csv", "provenance.json"):
        assert (run / name).stat().st_size > 0, name
    assert yaml.safe_load((run / "config.yml").read_text())["model"]["charset"] == "0123456789"


def test_a_detector_learns_to_find(tmp_path: Path, word_pages: MakeFolder) -> None:
    run = tmp_path / "run"
    data, val = word_pages(60, 1), word_pages(12, 2)
    ocrbatch("train", "det", "-c", recipe(tmp_path, DET), "--data", data, "--val", val, "--out", run)
    assert metrics(run)["best"]["hmean"] >= 0.9


RARE = {
    **REC,
    "model": {
        **REC["model"],
        "algorithm": {"name": "rare", "hidden": 8, "layers": 1, "max_length": 5, "input": {**GRAY, "widths": [100]}},
        "backbone": {"name": "plain", "rec": {"widths": [4, 8, 8, 8, 8], "depths": [1, 1, 1, 1, 1]}},
    },
}
SHORT = [
    "crnn",
    pytest.param("db", marks=pytest.mark.slow),
    pytest.param("rare", marks=pytest.mark.slow),
]


@pytest.fixture(scope="module", params=SHORT)
def short(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    digit_lines: MakeFolder,
    word_pages: MakeFolder,
) -> list[object]:
    """Options of a training of 24 steps, averaged weights and augmentation and all, that saves every 6."""
    base = {"crnn": REC, "db": DET, "rare": RARE}[request.param]
    optimizer = {"ema": 0.9, "weight_decay": 0.01, "name": "adamw", "schedule": {"warmup_steps": 4}}
    train = {"steps": 24, "batch_size": 4, "save_every": 6, "eval_every": 8, "log_every": 3, "crop_size": 64}
    values = {**base, "train": {**train, "optimizer": optimizer}, "augment": None}
    path = recipe(tmp_path_factory.mktemp("short"), values)
    task, make = ("det", word_pages) if request.param == "db" else ("rec", digit_lines)
    return ["train", task, "-c", path, "--data", make(40, 3), "--val", make(4, 4)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, short: list[object]) -> Path:
    """The folder of the short training when nothing interrupts it."""
    run = tmp_path_factory.mktemp("whole") / "run"
    ocrbatch(*short, "--out", run)
    return run


def assert_same(run: Path, other: Path) -> None:
    """Both ended with the same weights, statistics, averages, optimizer, seeds and best score, to the last bit."""
    with np.load(run / "last.ckpt.npz") as mine, np.load(other / "last.ckpt.npz") as theirs:
        assert mine.files == theirs.files
        for name in (name for name in mine.files if name != "state"):
            assert np.array_equal(mine[name], theirs[name]), name
        states = [json.loads(saved["state"].tobytes()) for saved in (mine, theirs)]
    for state in states:
        state.pop("seconds")
    assert states[0] == states[1]
    assert states[0]["step"] == 24
    scores = [[(entry["step"], entry["score"]) for entry in metrics(run)["history"]] for run in (run, other)]
    assert scores[0] == scores[1], "every evaluation is there once"
    steps = [[line.split(",")[0] for line in (run / "log.csv").read_text().splitlines()] for run in (run, other)]
    assert set(steps[0]) <= set(steps[1])
    assert len(steps[0]) == len(set(steps[0]))


def test_stopping_and_resuming_changes_nothing(tmp_path: Path, short: list[object], whole: Path) -> None:
    parts = tmp_path / "parts"
    ocrbatch(*short, "--out", parts, "--set", "data.workers=0", "--max-minutes", "0.0001")
    assert metrics(parts)["last"]["step"] < 24
    said = ocrbatch("train", short[1], "--out", parts, "--resume")
    assert "Trained 24 steps" in said
    with np.load(whole / "last.ckpt.npz") as mine, np.load(parts / "last.ckpt.npz") as theirs:
        assert all(np.array_equal(mine[name], theirs[name]) for name in mine.files if name != "state")


def test_kill_9_loses_only_the_steps_since_the_last_checkpoint(
    tmp_path: Path, short: list[object], whole: Path
) -> None:
    killed = tmp_path / "killed"
    command = [sys.executable, "-m", "ocrbatch", *map(str, short), "--out", str(killed)]
    with subprocess.Popen(command, env=_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _wait_for(killed / "last.weights.h5", process)  # the first is that of step 6
        process.send_signal(signal.SIGKILL)
    ocrbatch("train", short[1], "--out", killed, "--resume")
    assert_same(killed, whole)


def test_a_training_killed_before_its_first_checkpoint_is_resumed_too(tmp_path: Path, digit_lines: MakeFolder) -> None:
    killed = tmp_path / "killed"
    train = {**REC["train"], "steps": 2, "batch_size": 2, "eval_every": 2}
    options = ["train", "rec", "-c", recipe(tmp_path, {**REC, "train": train}), "--data", digit_lines(6, 5)]
    command = [sys.executable, "-m", "ocrbatch", *map(str, options), "--out", str(killed)]
    with subprocess.Popen(command, env=_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _wait_for(killed / "last.ckpt.npz", process)
        process.send_signal(signal.SIGKILL)
    assert "Trained 2 steps" in ocrbatch("train", "rec", "--out", killed, "--resume")


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize("base", [REC, DET, RARE], ids=["crnn", "db", "rare"])
def test_mixed_precision_is_resumed_exported_and_run(
    precision: str, base: dict[str, Any], tmp_path: Path, digit_lines: MakeFolder, word_pages: MakeFolder
) -> None:
    task = base["model"]["task"]
    data = (word_pages if task == "det" else digit_lines)(8, 6)
    train = {"steps": 6, "batch_size": 4, "crop_size": 64, "eval_every": 3, "save_every": 3, "precision": precision}
    path = recipe(tmp_path, {**base, "train": {**train, "optimizer": {"ema": 0.9}}})
    run, parts, bundle = tmp_path / "run", tmp_path / "parts", tmp_path / "b.ocrb"
    ocrbatch("train", task, "-c", path, "--data", data, "--out", run)
    ocrbatch("train", task, "-c", path, "--data", data, "--out", parts, "--max-minutes", "0.0001")
    ocrbatch("train", task, "--out", parts, "--resume")
    with np.load(run / "last.ckpt.npz") as mine, np.load(parts / "last.ckpt.npz") as theirs:
        assert all(np.array_equal(mine[name], theirs[name]) for name in mine.files if name != "state")
    ocrbatch("export", run, "--out", bundle)
    ocrbatch("eval", task, "--bundle", bundle, "--data", data, "--threads", "1")


def test_sigterm_saves_and_says_how_to_go_on(tmp_path: Path, short: list[object]) -> None:
    run = tmp_path / "run"
    command = [sys.executable, "-m", "ocrbatch", *map(str, short), "--out", str(run), "--set", "train.steps=100000"]
    with subprocess.Popen(command, env=_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        _wait_for(run / "log.csv", process)
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=900)[0].decode()
    assert process.returncode == ExitCode.INTERRUPTED, said
    assert "--resume" in said
    assert (run / "best.weights.h5").exists()
    assert (run / "last.ckpt.npz").exists()


def _wait_for(path: Path, process: subprocess.Popen[bytes]) -> None:
    for _ in range(9000):
        if path.exists() or process.poll() is not None:
            return
        time.sleep(0.1)
    raise AssertionError(f"{path} did not appear")
