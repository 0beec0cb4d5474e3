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

import numpy as np
import pytest
import yaml

from ocrbatch.errors import ExitCode

MakeFolder = Callable[[int, int], Path]

GRAY = {"color": "gray", "mean": [0.5], "std": [0.5]}
REC = {
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
DET = {
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
    done = subprocess.run(command, capture_output=True, text=True, timeout=400, env=_environment())
    assert done.returncode == check, done.stdout + done.stderr
    return done.stdout + done.stderr


def _environment() -> dict[str, str]:
    return os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}


def recipe(folder: Path, values: dict[str, object], name: str = "recipe.yml") -> Path:
    path = folder / name
    path.write_text(yaml.safe_dump(values))
    return path


def metrics(run: Path) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = json.loads((run / "metrics.json").read_text())
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


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory, digit_lines: MakeFolder) -> list[object]:
    """Options of a recognizer training of 24 steps, averaged weights and all, that saves every 6."""
    optimizer = {"ema": 0.9, "weight_decay": 0.01, "name": "adamw", "schedule": {"warmup_steps": 4}}
    train = {"steps": 24, "batch_size": 4, "save_every": 6, "eval_every": 12, "log_every": 3, "optimizer": optimizer}
    path = recipe(tmp_path_factory.mktemp("short"), {**REC, "train": train})
    return ["train", "rec", "-c", path, "--data", digit_lines(40, 3), "--val", digit_lines(4, 4)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, short: list[object]) -> dict[str, np.ndarray]:
    """What the short training ends with when nothing interrupts it."""
    run = tmp_path_factory.mktemp("whole") / "run"
    ocrbatch(*short, "--out", run)
    return arrays(run)


def arrays(run: Path) -> dict[str, np.ndarray]:
    with np.load(run / "last.ckpt.npz") as saved:
        return {name: saved[name] for name in saved.files if name != "state"}


def test_stopping_and_resuming_changes_nothing(
    tmp_path: Path, short: list[object], whole: dict[str, np.ndarray]
) -> None:
    parts = tmp_path / "parts"
    ocrbatch(*short, "--out", parts, "--set", "data.workers=0", "--max-minutes", "0.0001")
    done = json.loads((parts / "metrics.json").read_text())["last"]["step"]
    assert done < 24
    said = ocrbatch("train", "rec", "--out", parts, "--resume")
    assert "Trained 24 steps" in said
    resumed = arrays(parts)
    assert whole.keys() == resumed.keys()
    assert all(np.array_equal(whole[name], resumed[name]) for name in whole)


def test_kill_9_loses_only_the_steps_since_the_last_checkpoint(
    tmp_path: Path, short: list[object], whole: dict[str, np.ndarray]
) -> None:
    killed = tmp_path / "killed"
    command = [sys.executable, "-m", "ocrbatch", *map(str, short), "--out", str(killed)]
    with subprocess.Popen(command, env=_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _wait_for(killed / "last.ckpt.npz", process)
        process.send_signal(signal.SIGKILL)
    ocrbatch("train", "rec", "--out", killed, "--resume")
    resumed = arrays(killed)
    assert all(np.array_equal(whole[name], resumed[name]) for name in whole)


def test_sigterm_saves_and_says_how_to_go_on(tmp_path: Path, short: list[object]) -> None:
    run = tmp_path / "run"
    command = [sys.executable, "-m", "ocrbatch", *map(str, short), "--out", str(run), "--set", "train.steps=100000"]
    with subprocess.Popen(command, env=_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        _wait_for(run / "log.csv", process)
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=120)[0].decode()
    assert process.returncode == ExitCode.INTERRUPTED, said
    assert "--resume" in said
    assert (run / "best.weights.h5").exists()
    assert (run / "last.ckpt.npz").exists()


def _wait_for(path: Path, process: subprocess.Popen[bytes]) -> None:
    for _ in range(1200):
        if path.exists() or process.poll() is not None:
            return
        time.sleep(0.1)
    raise AssertionError(f"{path} did not appear")
