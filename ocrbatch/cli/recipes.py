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
    from ocrbatch.charset import load_charset
    from ocrbatch.config.load import apply_set, load_yaml
    from ocrbatch.config.train import TrainConfig
    from ocrbatch.config.values import merge, validate

    values: dict[str, Any] = load_yaml(options["recipe"]) if options["recipe"] else {}
    where = str(options["recipe"] or "")
    values = apply_set(merge(values, _from_options(options)), options["assignments"])
    model = dict(values.get("model") or {})
    model.setdefault("task", task)
    usual = _usual_model(task, options["start_from"], host)
    for part in ("algorithm", "backbone"):
        model[part] = _named(model.get(part), usual[part])
    charset = values.pop("charset", None)
    if model["task"] == "rec" and not model.get("charset"):
        model["charset"] = load_charset(charset).characters if charset else usual["charset"]
    values["model"] = model
    if not (values.get("data") or {}).get("train"):
        raise ConfigError("Nothing to train on: name a labelled folder with --data DIR, or data.train in the recipe.")
    config = validate(TrainConfig, values, where)
    return config.model_copy(update={"model": resolved(config.model, host)})


def resume_recipe(out: Path, assignments: Sequence[str]) -> TrainConfig:
    """The recipe of the run in ``out``, with assignments laid over it. Raises TrainingError, ConfigError."""
    from ocrbatch.config.load import apply_set, load_yaml
    from ocrbatch.config.train import TrainConfig
    from ocrbatch.config.values import validate

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


def _named(choice: Any, usual: Mapping[str, Any]) -> Any:
    """A plugin choice with its name. A name alone is a choice without options; options alone lie over the usual."""
    if isinstance(choice, str):
        return {"name": choice}
    if isinstance(choice, dict):
        from ocrbatch.config.values import merge

        return choice if "name" in choice else merge(usual, choice)
    return choice or usual


def _usual_model(task: str, bundle: Path | None, host: Host) -> dict[str, Any]:
    """What a recipe that does not say otherwise trains: the model of the bundle to start from, or the defaults."""
    from ocrbatch.bundles.store import open_bundle
    from ocrbatch.charset import load_charset

    if bundle is not None:
        return open_bundle(bundle, host, kind=task).spec.model_dump(mode="json")  # type: ignore[arg-type]
    charset = load_charset(DEFAULT_CHARSET).characters
    return {"algorithm": {"name": DEFAULT_ALGORITHM[task]}, "backbone": {"name": DEFAULT_BACKBONE}, "charset": charset}
