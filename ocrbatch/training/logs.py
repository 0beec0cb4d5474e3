"""What a training writes down as it goes: log.csv, metrics.json and, on request, events for TensorBoard."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ocrbatch.errors import TrainingError
from ocrbatch.training.checkpoint import Progress, write_atomically

METRICS, LOG, EVENTS = "metrics.json", "log.csv", "tensorboard"
_COLUMNS = ("step", "seconds", "loss", "learning_rate", "samples_per_second")


def require_tensorboard() -> None:
    """Raises TrainingError when the writer of TensorBoard's events is not installed."""
    if find_spec("tensorboardX") is None:
        raise TrainingError(
            "train.tensorboard needs a package that is not installed: pip install 'ocrbatch[tensorboard]'."
        )


class TrainingLog:
    """The records in a run's folder; a context manager."""

    def __init__(self, out: Path, progress: Progress, *, tensorboard: bool) -> None:
        self._out = out
        self._events = _event_writer(out / EVENTS, progress.step) if tensorboard else None

    def stepped(self, progress: Progress, loss: float, rate: float, speed: float) -> None:
        """Adds a line to log.csv: mean loss since the last line, learning rate, samples a second."""
        path = self._out / LOG
        fresh = not path.exists()
        with path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            if fresh:
                writer.writerow(_COLUMNS)
            row = [progress.step, round(progress.seconds, 2), f"{loss:.6g}", f"{rate:.6g}", f"{speed:.4g}"]
            writer.writerow(row)
        self._send("train", {"loss": loss, "learning_rate": rate, "samples_per_second": speed}, progress.step)

    def evaluated(self, progress: Progress, metrics: Mapping[str, float]) -> None:
        """Adds an evaluation to metrics.json, as ``last``, to ``history``, and as ``best`` when it is."""
        path = self._out / METRICS
        noted: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        entry = {"step": progress.step, "seconds": round(progress.seconds, 1), **metrics}
        noted["last"] = entry
        if progress.best_step == progress.step:
            noted["best"] = entry
        noted.setdefault("history", []).append(entry)
        write_atomically(path, json.dumps(noted, indent=1))
        self._send("eval", metrics, progress.step)

    def _send(self, group: str, values: Mapping[str, float], step: int) -> None:
        if self._events is None:
            return
        for name, value in values.items():
            self._events.add_scalar(f"{group}/{name}", value, step)
        self._events.flush()

    def __enter__(self) -> TrainingLog:
        return self

    def __exit__(self, *_: object) -> None:
        if self._events is not None:
            self._events.close()


def _event_writer(folder: Path, step: int) -> Any:
    """Writer of events that takes back those after ``step``, which a resumed training makes anew."""
    from tensorboardX import SummaryWriter

    return SummaryWriter(str(folder), purge_step=step + 1)
