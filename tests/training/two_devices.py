"""Trains a tiny recognizer on one and on two logical devices, in a process of its own: ``two_devices.py DATA OUT``."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from ocrbatch.config.train import TrainConfig
from ocrbatch.errors import OcrbatchError
from ocrbatch.plugin_system.host import Host
from ocrbatch.training.checkpoint import Progress
from ocrbatch.training.trainer import train

MODEL: dict[str, Any] = {
    "task": "rec",
    "algorithm": {"name": "rosetta", "max_length": 5, "input": {"color": "gray", "mean": [0.5], "std": [0.5]}},
    "backbone": {"name": "plain", "rec": {"widths": [4, 4, 4, 4, 4], "depths": [1, 1, 1, 1, 1]}},
    "charset": "0123456789",
}
OPTIMIZER = {
    "name": "adamw",
    "ema": 0.9,
    "weight_decay": 0.01,
    "learning_rate": 0.01,
    "backbone_rate": 0.5,
    "clip_norm": 0.5,
    "schedule": {"kind": "constant", "warmup_steps": 0},
}
SETTINGS = {"steps": 3, "batch_size": 4, "log_every": 1, "eval_every": 3, "optimizer": OPTIMIZER}


class Notes:
    """A reporter that remembers losses and scores."""

    def __init__(self) -> None:
        self.losses: list[float] = []
        self.scores: list[float] = []

    def started(self, setup: object, progress: Progress) -> None:
        """Nothing to remember."""

    def stepped(self, progress: Progress, loss: float, samples_per_second: float) -> None:  # noqa: ARG002
        self.losses.append(loss)

    def evaluated(self, progress: Progress, metrics: Mapping[str, float]) -> None:  # noqa: ARG002
        self.scores.append(metrics["score"])


def trained(data: str, out: Path, resume: bool = False, **settings: Any) -> dict[str, Any]:
    """Losses, scores and final state of a training, or the message with which it did not start."""
    model = {**MODEL, "algorithm": {**MODEL["algorithm"], "input": {**MODEL["algorithm"]["input"], "widths": [112]}}}
    values = {"model": model, "data": {"train": data, "workers": 0}, "augment": [], "train": {**SETTINGS, **settings}}
    notes = Notes()
    try:
        train(TrainConfig.model_validate(values), Host.load(), out, notes, resume=resume)
    except OcrbatchError as error:
        return {"error": str(error)}
    with np.load(out / "last.ckpt.npz") as saved:
        state = [saved[name].astype(float).ravel().tolist() for name in sorted(saved.files) if name != "state"]
    return {"losses": notes.losses, "scores": notes.scores, "state": state}


def main(data: str, out: Path) -> None:
    (cpu,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    found = {
        "one": trained(data, out / "one"),
        "two": trained(data, out / "two", devices="all"),
        "on": trained(data, out / "two", resume=True, devices=2, steps=4),
        "three": trained(data, out / "three", devices=3),
        "half": trained(data, out / "half", devices=2, precision="mixed_float16"),
        "odd": trained(data, out / "odd", devices=2, batch_size=3),
    }
    (out / "found.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
