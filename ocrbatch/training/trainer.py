"""The training loop: the same for detectors and recognizers."""

from __future__ import annotations

import json
import math
import shutil
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from ocrbatch.bundles.store import locate, read_info
from ocrbatch.config.load import dump_yaml
from ocrbatch.config.train import TrainConfig
from ocrbatch.errors import TrainingError
from ocrbatch.outputs.lock import locked
from ocrbatch.plugin_system.host import Host
from ocrbatch.training.checkpoint import (
    Progress,
    load_checkpoint,
    save_checkpoint,
    save_weights_atomically,
    write_atomically,
)
from ocrbatch.training.datasets import provenance
from ocrbatch.training.learner import Learner, averaged_weights, build_learner
from ocrbatch.training.loader import BatchLoader
from ocrbatch.training.logs import TrainingLog, Window, require_tensorboard
from ocrbatch.training.setup import Setup, set_up
from ocrbatch.training.transfer import take_over_weights

CONFIG, CHECKPOINT, BEST, LAST = "config.yml", "last.ckpt.npz", "best.weights.h5", "last.weights.h5"
PROVENANCE, LEFT_OUT, LOCK = "provenance.json", "left_out.txt", "lock"


class Reporter(Protocol):
    """What is told while a training runs."""

    def started(self, setup: Setup, progress: Progress) -> None: ...

    def stepped(self, progress: Progress, loss: float, samples_per_second: float) -> None: ...

    def evaluated(self, progress: Progress, metrics: Mapping[str, float]) -> None: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a training ended: where it stands, whether its patience did, and the signal that stopped it, if one did."""

    progress: Progress
    finished: bool
    stopped_early: bool = False
    stopped_by: int | None = None


def train(
    config: TrainConfig,
    host: Host,
    out: Path,
    reporter: Reporter,
    *,
    resume: bool = False,
    start_from: Path | None = None,
    max_minutes: float | None = None,
    skip_list: Path | None = None,
) -> Outcome:
    """Trains a recipe in the folder ``out``: recipe, log, metrics, ``best`` and ``last`` weights, and a checkpoint.

    SIGINT, SIGTERM and ``max_minutes`` end the training after the running step, with everything saved. Raises an
    OcrbatchError for whatever a user can mend.
    """
    deadline = time.monotonic() + 60 * max_minutes if max_minutes else math.inf
    if config.train.tensorboard:
        require_tensorboard()
    if out.exists():  # said now, not after minutes of reading
        with _alone_in(out, resume):
            pass
    if resume and skip_list is None and (out / LEFT_OUT).exists():
        skip_list = out / LEFT_OUT  # the same samples are left out again
    setup = set_up(config, host, skip_list, known=resume and skip_list is None)
    learner = build_learner(
        setup.networks.training, setup.training.loss, setup.algorithm.input, config.train, setup.devices
    )
    if not resume:
        take_over_weights(config, setup.networks, host, start_from)
    with _alone_in(out, resume):
        progress = Progress()
        if resume:
            progress = load_checkpoint(out / CHECKPOINT, learner)
            write_atomically(out / CONFIG, dump_yaml(config.model_dump(mode="json")))  # what was set anew counts
        else:
            _prepare_folder(out, config, skip_list, _origin(setup, start_from))
            save_checkpoint(out / CHECKPOINT, learner, progress)  # whatever happens from here on, --resume goes on
        return _Loop(setup, learner, out, reporter, deadline).run(progress)


@contextmanager
def _alone_in(out: Path, resume: bool) -> Iterator[None]:
    """Inside, no other training writes the folder ``out``; unless this one resumes, there was none before either.
    Raises TrainingError, OutputError."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot_write(out, error) from error
    with locked(out / LOCK, out, "training"):
        if not resume:
            _refuse_used(out)
        yield


class _Loop:
    """The steps from a progress to the end."""

    log: TrainingLog

    def __init__(self, setup: Setup, learner: Learner, out: Path, reporter: Reporter, deadline: float) -> None:
        self.setup, self.learner, self.out = setup, learner, out
        self.reporter, self.deadline = reporter, deadline
        self.settings = setup.config.train

    def run(self, progress: Progress) -> Outcome:
        self.reporter.started(self.setup, progress)
        data = self.setup.config.data
        with (
            _stop_requests() as stop,
            TrainingLog(self.out, progress, tensorboard=self.settings.tensorboard) as self.log,
            BatchLoader(self.setup.source, workers=data.workers, look_ahead=data.look_ahead) as loader,
        ):
            began, earlier = time.monotonic(), progress.seconds
            window = Window()
            for batch in window.waiting_for(loader.batches(progress.step, self.settings.steps)):
                loss = self.learner.step(batch)
                progress = replace(progress, step=progress.step + 1, seconds=earlier + time.monotonic() - began)
                if not math.isfinite(loss):
                    raise TrainingError(_not_finite(progress.step, batch.names))
                window.add(loss, len(batch.names))
                if progress.step % self.settings.log_every == 0:
                    self._note(progress, window)
                stopping = stop.signal is not None or time.monotonic() > self.deadline
                progress = self._keep(progress, stopping)
                if stopping or self._gave_up(progress):
                    break
        done, early = progress.step >= self.settings.steps, self._gave_up(progress)
        return Outcome(progress, done or early, early and not done, stop.signal)

    def _gave_up(self, progress: Progress) -> bool:
        """Whether the score has not risen for as many evaluations as patience allows."""
        patience = self.settings.patience
        return patience is not None and progress.step - progress.best_step >= patience * self.settings.eval_every

    def _keep(self, progress: Progress, stopping: bool) -> Progress:
        """Evaluates and saves when it is time to."""
        last = progress.step >= self.settings.steps
        never_evaluated = stopping and progress.best_score is None
        if last or never_evaluated or progress.step % self.settings.eval_every == 0:
            progress = self._evaluate(progress)
        if last or stopping or self._gave_up(progress) or progress.step % self.settings.save_every == 0:
            self._save(progress)
        return progress

    def _save(self, progress: Progress) -> None:
        save_checkpoint(self.out / CHECKPOINT, self.learner, progress)
        with averaged_weights(self.learner):
            save_weights_atomically(self.learner.network, self.out / LAST)

    def _evaluate(self, progress: Progress) -> Progress:
        with averaged_weights(self.learner):
            metrics = dict(self.setup.evaluate())
            if progress.best_score is None or metrics["score"] > progress.best_score:
                progress = replace(progress, best_score=metrics["score"], best_step=progress.step)
                save_weights_atomically(self.learner.network, self.out / BEST)
        self.log.evaluated(progress, metrics)
        self.reporter.evaluated(progress, metrics)
        return progress

    def _note(self, progress: Progress, window: Window) -> None:
        figures = window.close()
        self.log.stepped(progress, figures, float(self.learner.optimizer.learning_rate))
        self.reporter.stepped(progress, figures.loss, figures.samples_per_second)


def _refuse_used(out: Path) -> None:
    """A recipe alone is a training that was never saved: there is nothing to go on with, and nothing to lose."""
    if any((out / name).exists() for name in (CHECKPOINT, BEST, LAST)):
        raise TrainingError(f"{out} already holds a training: go on with --resume, or choose another --out.")


def _origin(setup: Setup, start_from: Path | None) -> Mapping[str, Any]:
    starts = (start_from, setup.config.backbone.weights)
    infos = [None if path is None else read_info(locate(path)) for path in starts]
    return provenance(setup.config.data.train, setup.counts, *infos)


def _prepare_folder(out: Path, config: TrainConfig, skip_list: Path | None, origin: Mapping[str, Any]) -> None:
    try:
        if skip_list is not None:
            shutil.copyfile(skip_list, out / LEFT_OUT)
        write_atomically(out / PROVENANCE, json.dumps(origin, indent=1, ensure_ascii=False))
        write_atomically(out / CONFIG, dump_yaml(config.model_dump(mode="json")))
    except OSError as error:
        raise _cannot_write(out, error) from error


def _cannot_write(out: Path, error: OSError) -> TrainingError:
    return TrainingError(f"Cannot write to {out} ({error.strerror}): choose another --out.")


def _not_finite(step: int, names: tuple[str, ...]) -> str:
    return (
        f"The loss is not finite at step {step}. Lower the learning rate (--set train.optimizer.learning_rate=...) and "
        f"look at the labels of this batch: {', '.join(names)}."
    )


@dataclass(slots=True)
class _Stop:
    signal: int | None = None


@contextmanager
def _stop_requests() -> Iterator[_Stop]:
    """Notes SIGINT and SIGTERM instead of dying of them; a second SIGINT interrupts at once."""
    stop = _Stop()

    def note(number: int, _frame: object) -> None:
        if stop.signal == signal.SIGINT == number:
            raise KeyboardInterrupt
        stop.signal = number

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
