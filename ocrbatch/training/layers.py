"""Parts of a network by name: ``backbone``, ``backbone.stage0``, ``neck``, ``head``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ocrbatch.config.suggest import did_you_mean
from ocrbatch.errors import ConfigError


def freeze(network: Any, parts: Sequence[str]) -> None:
    """Keeps the layers of these parts as they are, statistics of batch normalisation too. Raises ConfigError for a part
    that the network lacks, and when nothing is left to train."""
    for part in parts:
        for layer in _layers_of(network, part):
            layer.trainable = False
    if not network.trainable_variables:
        raise ConfigError("train.freeze leaves nothing to train: name fewer parts.")


def variables_of(network: Any, parts: Sequence[str]) -> list[Any]:
    """The variables of these parts of a network. Raises ConfigError for a part that it lacks."""
    return [variable for part in parts for layer in _layers_of(network, part) for variable in layer.variables]


def _layers_of(network: Any, part: str) -> list[Any]:
    found = [layer for name, layer in _named(network) if f"{name}.".startswith(f"{part}.")]
    if not found:
        top = sorted({name.split(".")[0] for name, layer in _named(network) if layer.variables})
        raise ConfigError(f"The network has no part {part!r}{did_you_mean(part, top)} It has {', '.join(top)}.")
    return found


def _named(network: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """All layers with their names, hyphens as dots, those within a model after its own and a dot."""
    for layer in network.layers:
        name = prefix + layer.name.replace("-", ".")
        yield name, layer
        if hasattr(layer, "layers"):
            yield from _named(layer, f"{name}.")
