"""What a training writes down as it goes: log.csv, metrics.json and, on request, events for TensorBoard."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ocrbatch.errors import TrainingError
from ocrbatch.training.checkpoint import Progress, write_atomically
from ocrbatch.training.samples import Batch

METRICS, LOG, EVENTS = "metrics.json", "log.csv", "tensorboard"
_COLUMNS = ("step", "seconds", "loss", "learning_rate", "samples_per_second", "waiting")


@dataclass(frozen=True, slots=True)
class Figures:
    """What a line of the log says of the steps since the line before: mean loss, samples a second, and the share of the
    time in which the training waited for data."""

    loss: float
    samples_per_second: float
    waiting: float


class Window:
    """Takes the figures of some steps."""

    def __init__(self) -> None:
        self._start_anew()

    def _start_anew(self) -> None:
        self._began, self._waited, self._losses, self._samples = time.monotonic(), 0.0, 0.0, 0
        self._steps = 0

    def waiting_for(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        """The same batches; the time that each takes to come counts as waited."""
        while True:
            asked = time.monotonic()
            batch = next(batches, None)
            self._waited += time.monotonic() - asked
            if batch is None:
                return
            yield batch

    def add(self, loss: float, samples: int) -> None:
        """Adds a step."""
        self._losses, self._samples, self._steps = self._losses + loss, self._samples + samples, self._steps + 1

    def close(self) -> Figures:
        """The figures; the next window begins."""
        seconds = max(time.monotonic() - self._began, 1e-9)
        figures = Figures(self._losses / self._steps, self._samples / seconds, self._waited / seconds)
        self._start_anew()
        return figures


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
        _take_back(out, progress)
        self._events = _event_writer(out / EVENTS, progress.step) if tensorboard else None

    def stepped(self, progress: Progress, figures: Figures, rate: float) -> None:
        """Adds a line to log.csv."""
        path = self._out / LOG
        fresh = not path.exists()
        with path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            if fresh:
                writer.writerow(_COLUMNS)
            rounded = f"{figures.samples_per_second:.4g}", f"{figures.waiting:.3f}"
            writer.writerow([progress.step, round(progress.seconds, 2), f"{figures.loss:.6g}", f"{rate:.6g}", *rounded])
        self._send("train", {**asdict(figures), "learning_rate": rate}, progress.step)

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


def _take_back(out: Path, progress: Progress) -> None:
    """Removes from log and metrics what came after the checkpoint: a resumed training does those steps anew."""
    log, metrics = out / LOG, out / METRICS
    if log.exists():
        header, *rows = log.read_text(encoding="utf-8").splitlines() or [""]
        rows = [row for row in rows if row.partition(",")[0].isdigit() and int(row.partition(",")[0]) <= progress.step]
        write_atomically(log, "".join(f"{row}\n" for row in (header, *rows)))
    if metrics.exists():
        history = [entry for entry in json.loads(metrics.read_text())["history"] if entry["step"] <= progress.step]
        best = [entry for entry in history if entry["step"] == progress.best_step]
        noted = {"last": history[-1:], "best": best}
        known: dict[str, Any] = {name: found[0] for name, found in noted.items() if found}
        write_atomically(metrics, json.dumps({**known, "history": history}, indent=1))


def _event_writer(folder: Path, step: int) -> Any:
    """Writer of events that takes back those after ``step``, which a resumed training makes anew."""
    from tensorboardX import SummaryWriter

    return SummaryWriter(str(folder), purge_step=step + 1)
