"""What a training writes down as it goes: log.csv, metrics.json and, on request, events for TensorBoard."""

from __future__ import annotations

import csv
import json
import math
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ocrbatch.errors import TrainingError
from ocrbatch.training.checkpoint import Progress, cannot_save, write_atomically
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
    """The records in a run's folder; a context manager. All of it raises TrainingError, which names the file that
    cannot be read or written."""

    def __init__(self, out: Path, progress: Progress, *, tensorboard: bool) -> None:
        self._out = out
        self._noted = _take_back(out, progress)
        self._events = _event_writer(out / EVENTS, progress.step) if tensorboard else None

    def stepped(self, progress: Progress, figures: Figures, rate: float) -> None:
        """Adds a line to log.csv."""
        rounded = f"{figures.samples_per_second:.4g}", f"{figures.waiting:.3f}"
        row = (progress.step, round(progress.seconds, 2), f"{figures.loss:.6g}", f"{rate:.6g}", *rounded)
        path = self._out / LOG
        try:
            with path.open("a", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows([row] if file.tell() else [_COLUMNS, row])
        except OSError as error:
            raise cannot_save(path, error) from error
        self._send("train", {**asdict(figures), "learning_rate": rate}, progress.step)

    def evaluated(self, progress: Progress, metrics: Mapping[str, float]) -> None:
        """Adds an evaluation to metrics.json, as ``last``, to ``history``, and as ``best`` when it is."""
        entry = {"step": progress.step, "seconds": round(progress.seconds, 1), **metrics}
        best = {"best": entry} if progress.best_step == progress.step else {}
        self._noted = {**self._noted, "last": entry, **best, "history": [*self._noted["history"], entry]}
        write_atomically(self._out / METRICS, json.dumps(self._noted, indent=1))
        self._send("eval", metrics, progress.step)

    def _send(self, group: str, values: Mapping[str, float], step: int) -> None:
        if self._events is None:
            return
        try:
            for name, value in values.items():
                self._events.add_scalar(f"{group}/{name}", value, step)
            self._events.flush()
        except OSError as error:
            raise cannot_save(self._out / EVENTS, error) from error

    def __enter__(self) -> TrainingLog:
        return self

    def __exit__(self, *_: object) -> None:
        if self._events is not None:
            with suppress(OSError):  # said before: what is to be written was flushed
                self._events.close()


def _take_back(out: Path, progress: Progress) -> dict[str, Any]:
    """Removes from log and metrics what came after the checkpoint: a resumed training does those steps anew. Returns
    the metrics that are left."""
    log, metrics = out / LOG, out / METRICS
    lines, history = _read_log(log), _read_history(metrics)
    if lines:
        header, *rows = lines
        lines = [header, *(row for row in rows if _step(row) <= progress.step)]
    if log.exists():
        write_atomically(log, "".join(f"{line}\n" for line in lines))
    history = [entry for entry in history if entry["step"] <= progress.step]
    best = [entry for entry in history if entry["step"] == progress.best_step]
    known = {name: found[0] for name, found in (("last", history[-1:]), ("best", best)) if found}
    noted: dict[str, Any] = {**known, "history": history}
    if metrics.exists():
        write_atomically(metrics, json.dumps(noted, indent=1))
    return noted


def _step(row: str) -> float:
    """The step of a line of the log, beyond all when it says none."""
    number = row.partition(",")[0]
    return int(number) if re.fullmatch(r"[0-9]{1,18}", number) else math.inf


def _read_log(path: Path) -> list[str]:
    """The lines of a log, without a last one that was cut off."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(path, error) from error
    whole = [line.rstrip("\n") for line in lines if line.endswith("\n")]
    if whole and not whole[0].startswith(_COLUMNS[0]):
        raise _unusable(path)
    return whole


def _read_history(path: Path) -> list[dict[str, Any]]:
    """The evaluations that metrics.json holds."""
    try:
        history = json.loads(path.read_text(encoding="utf-8"))["history"] if path.exists() else []
        return [{**entry, "step": int(entry["step"])} for entry in history]
    except (OSError, ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise _unusable(path, error) from error


def _unusable(path: Path, error: Exception | None = None) -> TrainingError:
    reason = (isinstance(error, OSError) and error.strerror) or "it is damaged"
    return TrainingError(
        f"Cannot read {path} ({reason}): put back a copy of it, or delete it, which loses what it says of the steps "
        "so far and nothing else; then go on with --resume."
    )


def _event_writer(folder: Path, step: int) -> Any:
    """Writer of events that takes back those after ``step``, which a resumed training makes anew."""
    from tensorboardX import SummaryWriter

    return SummaryWriter(str(folder), purge_step=step + 1)
