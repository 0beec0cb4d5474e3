"""Reading the folder of a training: its recipe, its weights, and what was noted of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from ocrbatch.config.load import load_yaml
from ocrbatch.config.train import TrainConfig
from ocrbatch.config.values import validate
from ocrbatch.errors import ConfigError, InputError

CONFIG, METRICS, PROVENANCE = "config.yml", "metrics.json", "provenance.json"
Weights = Literal["best", "last"]


def read_recipe(run: Path) -> TrainConfig:
    """The recipe of a training. Raises InputError where there is none, ConfigError where it cannot be used."""
    path = run / CONFIG
    if not path.is_file():
        raise InputError(f"{run} is no training run: it has no {CONFIG}.")
    try:
        return validate(TrainConfig, load_yaml(path))
    except ConfigError as error:
        reason = str(error).splitlines()[0].rpartition(str(path))[2].strip(": .")
        raise ConfigError(
            f"The recipe {path} cannot be used ({reason}): mend it, put back a copy of it, or train anew."
        ) from error


def read_weights(run: Path, which: Weights, config: TrainConfig) -> bytes:
    """Weights of a training (.weights.h5). Raises InputError."""
    path = _weights(run, which)
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        other: Weights = "last" if which == "best" else "best"
        instead = f"take the {other} ones with --weights {other}, or " if _weights(run, other).is_file() else ""
        raise InputError(
            f"The training {run} has no {which} weights yet ({path.name}): {instead}go on with "
            f"`ocrbatch train {config.model.task} --out {run} --resume` until it has."
        ) from error
    except OSError as error:
        raise InputError(f"Cannot read {path}: {error.strerror}.") from error


def read_metrics(run: Path, which: Weights) -> dict[str, Any]:
    """What was measured of the ``best`` or ``last`` weights; empty when nothing was. Raises InputError."""
    found = _read_json(run / METRICS).get(which, {})
    return found if isinstance(found, dict) else {}


def read_provenance(run: Path) -> dict[str, Any]:
    """Where the weights of a training come from; empty when that was not noted. Raises InputError."""
    return _read_json(run / PROVENANCE)


def _weights(run: Path, which: Weights) -> Path:
    return run / f"{which}.weights.h5"


def _read_json(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"Cannot read {path}: {error.strerror}.") from error
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise InputError(
            f"{path} is damaged: put back a copy of it, or delete it, and the bundle will lack what it says."
        )
    return values
