"""The same trainings on the other backends of Keras, where they are installed (they are no dependencies)."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from ocrbatch.errors import ExitCode

GRAY = {"color": "gray", "mean": [0.5], "std": [0.5]}
TRAIN = {"steps": 6, "batch_size": 2, "crop_size": 96, "eval_every": 3, "save_every": 3, "optimizer": {"ema": 0.9}}
MODELS = {
    "rec": {
        "task": "rec",
        "algorithm": {"name": "crnn", "hidden": 8, "layers": 1, "max_length": 5, "input": {**GRAY, "widths": [112]}},
        "backbone": {"name": "plain", "rec": {"widths": [4, 8, 8, 8, 8], "depths": [1, 1, 1, 1, 1]}},
        "charset": "0123456789",
    },
    "det": {
        "task": "det",
        "algorithm": {"name": "db", "fpn_channels": 8, "input": {**GRAY, "limit_side": 160}},
        "backbone": {"name": "plain", "det": {"widths": [4, 8, 8, 8, 8], "depths": [1, 1, 1, 1, 1]}},
    },
}


@pytest.mark.slow
@pytest.mark.parametrize("task", ["det", "rec"])
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_training_and_resuming(
    backend: str,
    task: str,
    tmp_path: Path,
    digit_lines: Callable[[int, int], Path],
    word_pages: Callable[[int, int], Path],
) -> None:
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    data = (word_pages if task == "det" else digit_lines)(6, 21)
    recipe = tmp_path / "recipe.yml"
    recipe.write_text(yaml.safe_dump({"model": MODELS[task], "train": TRAIN, "augment": []}))
    run = tmp_path / "run"
    start = ["-c", str(recipe), "--data", str(data), "--set", "data.workers=0"]
    for arguments in (start, ["--resume", "--set", "train.steps=8"]):
        command = [sys.executable, "-m", "ocrbatch", "train", task, "--out", str(run), *arguments]
        environment = os.environ | {"KERAS_BACKEND": backend}
        done = subprocess.run(command, capture_output=True, text=True, timeout=400, env=environment)
        assert done.returncode == ExitCode.OK, done.stderr
    assert "Trained 8 steps" in done.stdout
    assert (run / "best.weights.h5").exists()
