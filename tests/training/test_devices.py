"""Several devices give the training that one gives."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest

from ocrbatch.errors import TrainingError
from ocrbatch.training.devices import find_devices

SCRIPT = Path(__file__).with_name("two_devices.py")


def test_two_devices_train_like_one(tmp_path: Path, digit_lines: Callable[[int, int], Path]) -> None:
    command = [sys.executable, str(SCRIPT), str(digit_lines(12, 61)), str(tmp_path)]
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, env=environment)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "found.json").read_text())
    one, two = found["one"], found["two"]
    assert len(one["losses"]) == 3
    assert two["losses"] == pytest.approx(one["losses"], rel=1e-4)
    assert two["scores"] == pytest.approx(one["scores"], abs=1e-4)
    for mine, other in zip(one["state"], two["state"], strict=True):
        np.testing.assert_allclose(other, mine, rtol=1e-3, atol=1e-5)
    assert len(found["on"]["losses"]) == 1, "a resumed training goes on at its step"
    assert "TensorFlow sees only 2 CPUs" in found["three"]["error"]
    assert "take mixed_bfloat16" in found["half"]["error"]
    assert "cannot be shared equally by 2 devices" in found["odd"]["error"]


def test_another_backend_is_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(TrainingError, match=r"only the TensorFlow backend.*not jax: set KERAS_BACKEND=tensorflow"):
        find_devices(2)
    assert find_devices(1).count == 1
