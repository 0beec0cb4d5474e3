"""Checkpoints: everything that a training needs to go on as if it had never stopped, written in one atomic step."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ocrbatch.errors import TrainingError
from ocrbatch.training.learner import Learner

_STATE = "state"


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a training stands: steps done, seconds spent, and the best score with the step that reached it."""

    step: int = 0
    seconds: float = 0.0
    best_score: float | None = None
    best_step: int = 0


def save_checkpoint(path: Path, learner: Learner, progress: Progress) -> None:
    """Weights, statistics, seeds and optimizer of a learner, and the progress, as one .npz. Raises TrainingError."""
    arrays = {f"variable_{number:05d}": np.asarray(v) for number, v in enumerate(_variables(learner))}
    arrays[_STATE] = np.frombuffer(json.dumps(asdict(progress)).encode(), np.uint8)
    with _replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def load_checkpoint(path: Path, learner: Learner) -> Progress:
    """Puts a checkpoint back into a learner of the same recipe. Raises TrainingError."""
    try:
        with np.load(path, allow_pickle=False) as saved:
            progress = Progress(**json.loads(saved[_STATE].tobytes()))
            values = [saved[name] for name in sorted(saved.files) if name != _STATE]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(f"Cannot read the checkpoint {path} ({error}): start anew in another folder.") from error
    variables = _variables(learner)
    shapes = [tuple(variable.shape) for variable in variables]
    if shapes != [value.shape for value in values]:
        raise TrainingError(f"The checkpoint {path} belongs to another network or optimizer than this recipe's.")
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
    return progress


def write_atomically(path: Path, text: str) -> None:
    """UTF-8 text that is either all there or not at all. Raises TrainingError."""
    with _replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def save_weights_atomically(network: Any, path: Path) -> None:
    """Keras weights (.weights.h5) that are either all there or not at all. Raises TrainingError."""
    with _replacing(path) as temporary:
        network.save_weights(temporary)


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A path beside ``path`` that takes its place, flushed to the disk, when all went well. It has the same suffixes,
    for Keras goes by them. Raises TrainingError, which says what was in the way: a full disk, a folder that is gone."""
    temporary = path.with_name("." + path.name)
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        reason = str(error.strerror or error).split(" (")[0]
        raise TrainingError(
            f"Cannot save the training as {path} ({reason}): make room or access there, then go on with --resume."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def _variables(learner: Learner) -> list[Any]:
    return [*learner.network.variables, *learner.optimizer.variables]
