"""Starting from a bundle's weights: what fits is taken over, and shared characters keep their rows of the head."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ocrbatch.bundles.network import build_networks
from ocrbatch.bundles.store import Bundle, load_weights, locate, open_bundle
from ocrbatch.config.schema import ModelSpec
from ocrbatch.config.train import TrainConfig
from ocrbatch.contracts import Networks
from ocrbatch.errors import TrainingError
from ocrbatch.plugin_system.host import Host
from ocrbatch.training.layers import variables_of


def take_over_weights(config: TrainConfig, networks: Networks, host: Host, start_from: Path | None) -> None:
    """Copies what a new training starts from: the weights of the bundle ``start_from``, then those of the backbone that
    ``backbone.weights`` names. Raises BundleError, and TrainingError naming what does not fit."""
    if start_from is not None:
        transfer_weights(start_from, networks, config.model, host)
    if config.backbone.weights is not None:
        transfer_backbone(locate(config.backbone.weights), networks, host)


def transfer_weights(bundle_path: Path, networks: Networks, spec: ModelSpec, host: Host) -> int:
    """Copies the weights of a bundle into networks of ``spec`` and returns how many arrays were taken over.

    Everything but the head's classes must have the same name and shape. With another charset, characters that both
    have keep their weights and new ones start fresh. Raises TrainingError naming what does not fit.
    """
    from keras import ops

    bundle = open_bundle(bundle_path, host, kind=spec.task)
    source = _trained_network(bundle)
    have = {name: ops.convert_to_numpy(variable) for name, variable in _named(source.variables)}
    classes = _shared_classes(bundle.spec.charset or "", spec.charset or "")
    heads = set() if classes.same else _depending_on_charset(networks, spec, host)
    misfits = []
    for name, variable in _named(networks.training.variables):
        value = _fitted(have.get(name), ops.convert_to_numpy(variable), classes if name in heads else None)
        if value is None:
            misfits.append(_misfit(name, have.get(name), variable))
        else:
            variable.assign(value)
    if misfits:
        raise TrainingError(
            f"{bundle_path} does not fit this recipe's network ({_first(misfits)}): train the bundle's own model."
        )
    return len(networks.training.variables)


def transfer_backbone(bundle_path: Path, networks: Networks, host: Host) -> int:
    """Copies the weights of the backbone alone, from a bundle of either kind, and returns how many arrays they are.

    All of them must have the same names and shapes. Raises TrainingError naming what does not fit.
    """
    from keras import ops

    bundle = open_bundle(bundle_path, host)
    here = dict(_named(_backbone_variables(networks.training)))
    there = dict(_named(_backbone_variables(_trained_network(bundle))))
    misfits = [
        _misfit(name, there.get(name), variable)
        for name, variable in here.items()
        if name not in there or there[name].shape != variable.shape
    ]
    if misfits:
        raise TrainingError(
            f"The backbone of {bundle_path}, {bundle.spec.backbone.name!r}, does not fit this recipe's "
            f"({_first(misfits)}): give model.backbone the bundle's options, or leave out backbone.weights."
        )
    for name, variable in here.items():
        variable.assign(ops.convert_to_numpy(there[name]))
    return len(here)


def _trained_network(bundle: Bundle) -> Any:
    """The training network of a bundle, with its weights."""
    training = build_networks(bundle.spec, bundle.host).training
    load_weights(training, bundle.weights(), str(bundle.path))
    return training


def _backbone_variables(training: Any) -> list[Any]:
    """Each variable of the backbone once, in order: parts within parts name theirs again."""
    return list({id(variable): variable for variable in variables_of(training, ["backbone"])}.values())


def _misfit(name: tuple[str, int], old: Any, variable: Any) -> str:
    there = "missing" if old is None else str(tuple(old.shape))
    return f"{name[0]}: {there} there, {tuple(variable.shape)} here"


def _first(misfits: list[str]) -> str:
    return "; ".join(misfits[:5]) + (f"; and {len(misfits) - 5} more" if len(misfits) > 5 else "")


def _depending_on_charset(networks: Networks, spec: ModelSpec, host: Host) -> set[tuple[str, int]]:
    """Names of the variables that one more character changes in shape: some other layer may be as wide by chance."""
    charset = spec.charset or ""
    unused = next(chr(code) for code in range(0xE000, 0xF900) if chr(code) not in charset)
    larger = build_networks(spec.model_copy(update={"charset": charset + unused}), host)
    pairs = zip(_named(networks.training.variables), _named(larger.training.variables), strict=True)
    return {name for (name, variable), (_, other) in pairs if variable.shape != other.shape}


def _named(variables: Iterable[Any]) -> Iterator[tuple[tuple[str, int], Any]]:
    """Variables with their names, without the numbers that Keras adds to make names unique (they depend on what was
    built before), each with its place among those of the same name."""
    seen: Counter[str] = Counter()
    for variable in variables:
        name = re.sub(r"_\d+(?=/|$)", "", str(variable.path))
        yield (name, seen[name]), variable
        seen[name] += 1


@dataclass(frozen=True)
class _Classes:
    """Both charsets' sizes and, for the characters that both have, their positions before and now."""

    n_before: int
    n_now: int
    before: NDArray[np.int64]
    now: NDArray[np.int64]

    @property
    def same(self) -> bool:
        return self.n_before == self.n_now == len(self.before) and bool((self.before == self.now).all())


def _shared_classes(before: str, now: str) -> _Classes:
    places = {character: place for place, character in enumerate(before)}
    pairs = [(places[character], place) for place, character in enumerate(now) if character in places]
    columns = np.array(pairs, np.int64).reshape(-1, 2)
    return _Classes(len(before), len(now), columns[:, 0], columns[:, 1])


def _fitted(old: NDArray[Any] | None, fresh: NDArray[Any], classes: _Classes | None) -> NDArray[Any] | None:
    """``old`` in the shape of ``fresh``; None when it does not fit.

    With ``classes`` the last axis counts them (the first is special, perhaps the last one too): it is put together from
    the old values of shared characters and the fresh ones of new characters.
    """
    if old is None or old.shape[:-1] != fresh.shape[:-1]:
        return None
    if classes is None:
        return old if old.shape == fresh.shape else None
    special = old.shape[-1] - classes.n_before
    if not 0 < special <= 2 or fresh.shape[-1] - classes.n_now != special:
        return None
    result = fresh.copy()
    result[..., 0] = old[..., 0]
    result[..., 1 + classes.now] = old[..., 1 + classes.before]
    if special == 2:
        result[..., -1] = old[..., -1]
    return result
