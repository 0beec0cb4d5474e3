"""Putting a training recipe together from a file, options and --set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from ocrbatch.errors import ConfigError, TrainingError

if TYPE_CHECKING:
    from ocrbatch.config.origins import Origins
    from ocrbatch.config.train import TrainConfig
    from ocrbatch.plugin_system.host import Host

DEFAULT_ALGORITHM = {"det": "db", "rec": "crnn"}
DEFAULT_BACKBONE = "mobilenet_v3"
DEFAULT_CHARSET = "ascii"

_PARTS = ("algorithm", "backbone")
_OF_A_RECIPE = {
    "-c": "recipe",
    "--algo": "algo",
    "--backbone": "backbone",
    "--charset": "charset",
    "--data": "train_data",
    "--val": "val_data",
    "--from": "start_from",
}
_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Traced:
    """A recipe, every default written out, and where its values come from."""

    config: TrainConfig
    origins: Origins


def resolve_recipe(host: Host, task: str, options: Mapping[str, Any]) -> TrainConfig:
    """The recipe that a command line describes, every default written out. Raises ConfigError, PluginError."""
    return trace_recipe(host, task, options).config


def trace_recipe(host: Host, task: str, options: Mapping[str, Any]) -> Traced:
    """As ``resolve_recipe``, with the origins of the values."""
    from ocrbatch.bundles.network import resolved
    from ocrbatch.charset import load_charset
    from ocrbatch.config.load import apply_set
    from ocrbatch.config.recipes import load_recipe, well_shaped
    from ocrbatch.config.train import TrainConfig
    from ocrbatch.config.values import merge, validate

    where = str(options["recipe"] or "")
    layers = [(where, load_recipe(options["recipe"]) if options["recipe"] else {}), *_from_options(options)]
    values: dict[str, Any] = {}
    for _, layer in layers:
        values = merge(values, layer)
    values = well_shaped(apply_set(values, options["assignments"]), where)
    model = dict(values.get("model") or {})
    model.setdefault("task", task)
    usual = _usual_model(task, options["start_from"], host)
    if options["start_from"]:
        layers.insert(0, (f"--from {options['start_from']}", _taken_over(usual, model)))
    for part in _PARTS:
        model[part] = _named(model.get(part), usual[part])
    charset = values.pop("charset", None)
    if model["task"] == "rec" and not model.get("charset"):
        model["charset"] = load_charset(charset).characters if charset else usual["charset"]
    values["model"] = model
    if not (values.get("data") or {}).get("train"):
        raise ConfigError("Nothing to train on: name a labelled folder with --data DIR, or data.train in the recipe.")
    config = validate(TrainConfig, values, where)
    config = config.model_copy(update={"model": resolved(config.model, host)})
    return Traced(config, _origins(layers, options["assignments"]))


def resume_recipe(out: Path, assignments: Sequence[str]) -> Traced:
    """The recipe of the run in ``out``, with assignments laid over it. Raises TrainingError, ConfigError."""
    from ocrbatch.bundles.run_folder import CONFIG, read_recipe
    from ocrbatch.config.load import apply_set
    from ocrbatch.config.train import TrainConfig
    from ocrbatch.config.values import validate

    path = out / CONFIG
    if not path.is_file():
        raise TrainingError(f"{out} holds no training to go on with: name the run's folder with --out.")
    values = read_recipe(out).model_dump(mode="json")
    config = validate(TrainConfig, apply_set(values, assignments), str(path))
    return Traced(config, _origins([(str(path), values)], assignments))


def refuse_other_recipe(host: Host, recipe: TrainConfig, out: Path, options: Mapping[str, Any]) -> None:
    """Raise ConfigError where an option says anything else than the ``recipe`` of the run in ``out``, which goes on."""
    from ocrbatch.bundles.network import resolved
    from ocrbatch.config.differences import differences

    given = [name for name, option in _OF_A_RECIPE.items() if options[option]]
    if not given:
        return
    told = _laid_over(recipe, host, options)
    if _plugins(told) == _plugins(recipe):  # others have other options, and that they are others says enough
        recipe, told = (one.model_copy(update={"model": resolved(one.model, host)}) for one in (recipe, told))
    found = differences(recipe.model_dump(mode="json"), told.model_dump(mode="json"))
    found = found or _other_start(out, options["start_from"])
    if found:
        raise ConfigError(
            f"{out} was begun with another recipe than {', '.join(given)} {'says' if len(given) == 1 else 'say'} "
            f"({shorten(found, _SHOWN, placeholder=' ...')}): leave out with --resume what the run itself knows, and "
            "change single values with --set."
        )


def _laid_over(recipe: TrainConfig, host: Host, options: Mapping[str, Any]) -> TrainConfig:
    """The recipe with what the options say in place of what it says."""
    from ocrbatch.charset import load_charset
    from ocrbatch.config.load import apply_set
    from ocrbatch.config.recipes import load_recipe, well_shaped
    from ocrbatch.config.train import TrainConfig
    from ocrbatch.config.values import merge, validate

    where = str(options["recipe"] or "")
    said = load_recipe(options["recipe"]) if options["recipe"] else {}
    for _, layer in _from_options(options):
        said = merge(said, layer)
    said = well_shaped(said, where)
    task, start = recipe.model.task, options["start_from"]
    usual = _usual_model(task, start, host) if start else {}
    charset = said.pop("charset", None)
    model = dict(said.get("model") or {})
    model |= {part: _named(model.get(part), usual.get(part, {})) for part in _PARTS}
    characters = load_charset(charset).characters if charset else usual.get("charset")
    if task == "rec" and characters and not model.get("charset"):
        model["charset"] = characters
    values = merge(recipe.model_dump(mode="json"), {**said, "model": model})
    return validate(TrainConfig, apply_set(values, options["assignments"]), where)


def _plugins(recipe: TrainConfig) -> tuple[str, ...]:
    return recipe.model.task, recipe.model.algorithm.name, recipe.model.backbone.name


def _other_start(out: Path, bundle: Path | None) -> str:
    """What to say when the run did not start from the weights of ``bundle``."""
    from ocrbatch.bundles.run_folder import read_provenance
    from ocrbatch.bundles.store import locate, read_info

    if bundle is None:
        return ""
    info, noted = read_info(locate(bundle)), read_provenance(out).get("started_from")
    started = {"name": info.name, "created": info.created.isoformat()}
    same = isinstance(noted, dict) and started.items() <= noted.items()
    return "" if same else f"its weights are not from {bundle}"


def _origins(layers: Sequence[tuple[str, Mapping[str, Any]]], assignments: Sequence[str]) -> Origins:
    """Where values come from that were merged from ``layers``, the lowest first, and assigned to."""
    from ocrbatch.config.origins import assigned, overlaid

    origins: dict[str, str] = {}
    for origin, values in layers:
        origins = overlaid(origins, values, origin)
    origins = assigned(origins, assignments)
    named = {"model.charset": origins["charset"]} if "charset" in origins else {}
    return named | origins  # characters that a recipe spells out win over a charset's name


def _from_options(options: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The options that were given, each with what it says of the recipe."""
    for part, option in zip(_PARTS, ("algo", "backbone"), strict=True):
        if options[option]:
            yield f"--{option}", {"model": {part: {"name": options[option]}}}
    if options["charset"]:
        yield "--charset", {"charset": options["charset"]}
    for key, option in (("train", "--data"), ("val", "--val")):
        if options[f"{key}_data"]:
            yield option, {"data": {key: list(options[f"{key}_data"])}}


def _taken_over(usual: Mapping[str, Any], model: Mapping[str, Any]) -> dict[str, Any]:
    """What ``model`` leaves to the bundle that is started from."""
    unnamed = [part for part in _PARTS if not (model.get(part) and "name" in _named(model[part], {}))]
    return {"charset": usual["charset"], "model": {part: usual[part] for part in unnamed}}


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
        return open_bundle(bundle, host, kind=task).spec_here.model_dump(mode="json")  # type: ignore[arg-type]
    charset = load_charset(DEFAULT_CHARSET).characters
    return {"algorithm": {"name": DEFAULT_ALGORITHM[task]}, "backbone": {"name": DEFAULT_BACKBONE}, "charset": charset}
