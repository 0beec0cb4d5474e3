"""The parts of a chain that a configuration names: bundles and postprocessors."""

from __future__ import annotations

from ocrbatch.bundles.store import Bundle, open_bundle
from ocrbatch.config.run import RunConfig
from ocrbatch.contracts import Postprocessor
from ocrbatch.plugin_system.host import Host


def open_bundles(config: RunConfig, host: Host) -> tuple[Bundle | None, Bundle | None]:
    """Detector and recognizer, as far as the stages need them. Raises BundleError, ConfigError."""
    det = (
        open_bundle(config.det.bundle, host, kind="det", options=config.det.options) if "det" in config.stages else None
    )
    rec = (
        open_bundle(config.rec.bundle, host, kind="rec", options=config.rec.options) if "rec" in config.stages else None
    )
    return det, rec


def label(bundle: Bundle) -> str:
    """How results call a model: its name and the start of its identity."""
    return f"{bundle.info.name}@{bundle.identity[:12]}"


def postprocessors(config: RunConfig, host: Host) -> tuple[Postprocessor, ...]:
    """The chosen postprocessors in their order. Raises PluginError, ConfigError."""
    steps = []
    for choice in config.post:
        plugin = host.postprocessor(choice.name)
        steps.append(host.resolve(plugin.factory)(host.config(plugin, choice.options)))
    return tuple(steps)
