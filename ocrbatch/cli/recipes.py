"""Putting a training recipe together from a file, options and --set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ocrbatch.errors import ConfigError, TrainingError

if TYPE_CHECKING:
    from ocrbatch.config.train import TrainConfig
    from ocrbatch.plugin_system.host import Host

DEFAULT_ALGORITHM = {"det": "db", "rec": "crnn"}
DEFAULT_BACKBONE = "mobilenet_v3"
DEFAULT_CHARSET = "ascii"


def resolve_recipe(host: Host, task: str, options: Mapping[str, Any]) -> TrainConfig:
    """The recipe that a command line describes, every default written out. Raises ConfigError, PluginError."""
    from ocrbatch.bundles.network import resolved
    from ocrbatch.config.load import apply_set, load_yaml, merge, validate
    from ocrbatch.config.train import TrainConfig

    values: dict[str, Any] = load_yaml(options["recipe"]) if options["recipe"] else {}
    where = str(options["recipe"] or "")
    values = apply_set(merge(values, _from_options(options)), options["assignments"])
    model = dict(values.get("model") or {})
    model.setdefault("task", task)
    model["algorithm"] = _named(model.get("algorithm"), DEFAULT_ALGORITHM[task])
    model["backbone"] = _named(model.get("backbone"), DEFAULT_BACKBONE)
    charset = values.pop("charset", None)
    values["model"] = _with_charset(model, charset, options["start_from"], host)
    if not (values.get("data") or {}).get("train"):
        raise ConfigError("Nothing to train on: name a labelled folder with --data DIR, or data.train in the recipe.")
    config = validate(TrainConfig, values, where)
    return config.model_copy(update={"model": resolved(config.model, host)})


def resume_recipe(out: Path, assignments: Sequence[str]) -> TrainConfig:
    """The recipe of the run in ``out``, with assignments laid over it. Raises TrainingError, ConfigError."""
    from ocrbatch.config.load import apply_set, load_yaml, validate
    from ocrbatch.config.train import TrainConfig

    path = out / "config.yml"
    if not path.exists():
        raise TrainingError(f"{out} holds no training to go on with: name the run's folder with --out.")
    return validate(TrainConfig, apply_set(load_yaml(path), assignments), str(path))


def _from_options(options: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    model = {key: {"name": options[option]} for key, option in _CHOICES if options[option]}
    if model:
        values["model"] = model
    if options["charset"]:
        values["charset"] = options["charset"]
    data = {key: list(options[f"{key}_data"]) for key in ("train", "val") if options[f"{key}_data"]}
    if data:
        values["data"] = data
    return values


_CHOICES = (("algorithm", "algo"), ("backbone", "backbone"))


def _named(choice: Any, default: str) -> Any:
    """A plugin choice with its name; a name alone is a choice without options."""
    if isinstance(choice, str):
        return {"name": choice}
    return {"name": default, **choice} if isinstance(choice, dict) else choice or {"name": default}


def _with_charset(model: dict[str, Any], charset: str | None, bundle: Path | None, host: Host) -> dict[str, Any]:
    """The model section with the characters themselves: as named, else those of the bundle to start from."""
    from ocrbatch.bundles.store import open_bundle
    from ocrbatch.charset import load_charset

    if model["task"] != "rec" or model.get("charset"):
        return model
    if charset is None and bundle is not None:
        return {**model, "charset": open_bundle(bundle, host, kind="rec").spec.charset}
    return {**model, "charset": load_charset(charset or DEFAULT_CHARSET).characters}
