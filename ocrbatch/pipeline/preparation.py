"""What is settled before a run begins: its bundles, what its results depend on, and what its workers do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ocrbatch.api import Descriptor
from ocrbatch.bundles.store import Bundle
from ocrbatch.config.run import BundleChoice, RunConfig
from ocrbatch.config.schema import PluginChoice
from ocrbatch.data.sources import common_folder
from ocrbatch.errors import OutputError
from ocrbatch.pipeline.models import label, open_bundles, postprocessors
from ocrbatch.pipeline.worker import READING, WorkerStart
from ocrbatch.plugin_system.host import Host

if TYPE_CHECKING:
    from ocrbatch.outputs.pictures import Drawing


@dataclass(frozen=True, slots=True)
class Preparation:
    """``settings`` decide the results; ``models`` is how these call detector and recognizer."""

    config: RunConfig
    paths: Sequence[str]
    start: WorkerStart
    settings: Mapping[str, Any]
    models: tuple[str | None, str | None]
    pictures: Path | None


def prepare(config: RunConfig, host: Host, paths: Sequence[str], *, threads: int, pictures: Path | None) -> Preparation:
    """Open the bundles and build the postprocessors once, so that mistakes are found before any work; ``pictures`` is
    the folder for drawn pages. Raises OcrbatchError."""
    det, rec = open_bundles(config, host)
    postprocessors(config, host)
    settings = _settings(config, host, [bundle for bundle in (det, rec) if bundle])
    models = label(det) if det else None, label(rec) if rec else None
    drawing = _drawing(pictures, paths) if pictures else None
    arguments = {"config": _anywhere(config), "host": host, "threads": threads, "drawing": drawing, "models": models}
    return Preparation(config, paths, WorkerStart(READING, arguments, threads), settings, models, pictures)


def _settings(config: RunConfig, host: Host, bundles: Sequence[Bundle]) -> dict[str, Any]:
    """What decides the results with each default spelt out, for those of another version may differ, and the versions
    of the plugins that do not come with ocrbatch. Raises PluginError, ConfigError."""
    engine, post = host.engine(config.engine.name), [host.postprocessor(choice.name) for choice in config.post]
    settings = config.settings()
    settings["engine"] = _spelt_out(host, engine, config.engine)
    settings["post"] = [_spelt_out(host, plugin, choice) for plugin, choice in zip(post, config.post, strict=True)]
    for bundle in bundles:
        settings[bundle.kind] = {**bundle.config.model_dump(mode="json"), "bundle": bundle.identity}
        if words := bundle.lexicon_sha256:
            settings[bundle.kind]["lexicon_sha256"] = words
    providers = dict(map(host.provider, [*map(_algorithm, bundles), engine, *post]))
    providers.pop("ocrbatch", None)  # its version is in all results
    return settings | {"plugins": providers}


def _spelt_out(host: Host, plugin: Descriptor, choice: PluginChoice) -> dict[str, Any]:
    return {"name": choice.name, **host.config(plugin, choice.options).model_dump(mode="json")}


def _algorithm(bundle: Bundle) -> Descriptor:
    name = bundle.spec.algorithm.name
    return bundle.host.detector(name) if bundle.kind == "det" else bundle.host.recognizer(name)


def _drawing(folder: Path, paths: Sequence[str]) -> Drawing:
    """Drawn pages go to ``folder``, which is there now. Raises OutputError."""
    from ocrbatch.outputs.pictures import Drawing

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"Cannot draw pictures into {folder}: {error.strerror or error}.") from error
    return Drawing(folder.absolute(), common_folder(paths))


def _anywhere(config: RunConfig) -> RunConfig:
    """The same bundles for a process in another folder; the default ones keep their names."""
    return config.model_copy(update={"det": _absolute(config.det), "rec": _absolute(config.rec)})


def _absolute(choice: BundleChoice) -> BundleChoice:
    path = Path(choice.bundle)
    return choice.model_copy(update={"bundle": str(path.absolute())}) if path.exists() else choice
