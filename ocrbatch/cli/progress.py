"""Progress of a training on the terminal: a bar for people, plain lines for log files."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from ocrbatch.config.train import TrainConfig
    from ocrbatch.training.checkpoint import Progress as TrainingProgress
    from ocrbatch.training.setup import Setup

_PLAIN_SECONDS = 15.0


class _Bar:
    """A rich progress bar with loss, speed and time left; evaluations stay as lines above it."""

    def __init__(self, steps: int, console: Console) -> None:
        columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[state]}"))
        self._bar = Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console)
        self._task = self._bar.add_task("training", total=steps, state="")
        self._console = console

    def __enter__(self) -> _Bar:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def started(self, setup: Setup, progress: TrainingProgress) -> None:
        self._console.print(_start(setup))
        self._bar.update(self._task, completed=progress.step)

    def stepped(self, progress: TrainingProgress, loss: float, samples_per_second: float) -> None:
        state = f"loss {loss:.4f}  {samples_per_second:.1f}/s"
        self._bar.update(self._task, completed=progress.step, state=state)

    def evaluated(self, progress: TrainingProgress, metrics: Mapping[str, float]) -> None:
        self._console.print(_evaluation(progress, metrics))


class _Lines:
    """A line now and then."""

    def __init__(self, steps: int, console: Console) -> None:
        self._steps = steps
        self._console = console
        self._spoke = 0.0

    def started(self, setup: Setup, progress: TrainingProgress) -> None:
        self._say(_start(setup) + (f" Going on from step {progress.step}." if progress.step else ""))

    def stepped(self, progress: TrainingProgress, loss: float, samples_per_second: float) -> None:
        if time.monotonic() - self._spoke < _PLAIN_SECONDS:
            return
        self._spoke = time.monotonic()
        left = (self._steps - progress.step) * progress.seconds / max(progress.step, 1) / 60
        speed = f"{samples_per_second:.1f} samples/s"
        self._say(f"step {progress.step}/{self._steps}  loss {loss:.4f}  {speed}  {left:.0f} min left")

    def evaluated(self, progress: TrainingProgress, metrics: Mapping[str, float]) -> None:
        self._say(_evaluation(progress, metrics))

    def _say(self, text: str) -> None:
        self._console.print(text, soft_wrap=True, highlight=False)
        sys.stdout.flush()


class _Silence:
    def started(self, setup: Setup, progress: TrainingProgress) -> None:
        """Says nothing."""

    def stepped(self, progress: TrainingProgress, loss: float, samples_per_second: float) -> None:
        """Says nothing."""

    def evaluated(self, progress: TrainingProgress, metrics: Mapping[str, float]) -> None:
        """Says nothing."""


@contextmanager
def training_reporter(config: TrainConfig, *, quiet: bool) -> Iterator[_Bar | _Lines | _Silence]:
    """What suits the terminal: a bar, lines when it is none, or silence."""
    console = Console()
    if quiet:
        yield _Silence()
    elif not console.is_terminal:
        yield _Lines(config.train.steps, console)
    else:
        with _Bar(config.train.steps, console) as bar:
            yield bar


def _start(setup: Setup) -> str:
    parameters = setup.networks.inference.count_params()
    return (
        f"{setup.config.model.algorithm.name} on {setup.config.model.backbone.name}, {parameters:,} parameters; "
        f"{setup.n_train:,} samples to train on, {setup.n_val:,} to evaluate on; "
        f"{setup.batches_per_epoch:,} steps an epoch."
    )


def _evaluation(progress: TrainingProgress, metrics: Mapping[str, float]) -> str:
    figures = "  ".join(f"{name} {value:.4f}" for name, value in metrics.items())
    mark = "  (best so far)" if progress.best_step == progress.step else ""
    return f"step {progress.step}: {figures}{mark}"
