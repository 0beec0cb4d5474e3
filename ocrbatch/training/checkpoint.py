"""Checkpoints: everything that a training needs to go on as if it had never stopped, written in one atomic step."""

from __future__ import annotations

import json
import os
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ocrbatch.bundles.store import saved_weights
from ocrbatch.errors import TrainingError
from ocrbatch.training.learner import Learner

_STATE = "state"
_DAMAGES = (ValueError, KeyError, TypeError, EOFError, RuntimeError, MemoryError, zipfile.BadZipFile, zlib.error)
"""What numpy and zipfile say of a file that is cut off, or in which bytes were changed."""


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
    except FileNotFoundError as error:
        raise TrainingError(
            f"There is no checkpoint {path}: start again without --resume, in another folder if weights are kept here."
        ) from error
    except (OSError, *_DAMAGES) as error:
        reason = (isinstance(error, OSError) and error.strerror) or "it is damaged"
        raise TrainingError(
            f"Cannot read the checkpoint {path} ({reason}): put back a copy of it, or start anew in another folder, "
            f"with --from a bundle that `ocrbatch export {path.parent}` makes of the weights that are there."
        ) from error
    variables = _variables(learner)
    shapes = [tuple(variable.shape) for variable in variables]
    if shapes != [value.shape for value in values]:
        raise TrainingError(
            f"The checkpoint {path} belongs to another network or optimizer than this recipe's: "
            "what decides them cannot be --set anew."
        )
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
    return progress


def write_atomically(path: Path, text: str) -> None:
    """UTF-8 text that is either all there or not at all. Raises TrainingError."""
    with _replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def save_weights_atomically(network: Any, path: Path) -> None:
    """Keras weights (.weights.h5) that are either all there or not at all. Raises TrainingError."""
    weights = saved_weights(network)
    with _replacing(path) as temporary:
        temporary.write_bytes(weights)


def cannot_save(path: Path, error: OSError) -> TrainingError:
    """What to say when a file of a training could not be written."""
    return TrainingError(
        f"Cannot save the training as {path} ({error.strerror or error}): make room or access there, then go on with "
        "--resume, or start again if it had not begun."
    )


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A path beside ``path`` that takes its place, flushed to the disk, when all went well. Raises TrainingError, which
    says what was in the way: a full disk, a folder that is gone."""
    temporary = path.with_name("." + path.name)
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise cannot_save(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def _variables(learner: Learner) -> list[Any]:
    return [*learner.network.variables, *learner.optimizer.variables]
