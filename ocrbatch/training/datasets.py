"""Which labelled samples a training uses."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from ocrbatch.bundles.format import BundleInfo
from ocrbatch.config.train import DataConfig, Dataset
from ocrbatch.data.labels import Flaw, LineLabel, PageLabel, line_entries, page_entries
from ocrbatch.errors import InputError

Label = TypeVar("Label", LineLabel, PageLabel)

_HELD_OUT = 20  # every twentieth sample, when no validation set is named


@dataclass(frozen=True, eq=False)
class Samples(Generic[Label]):
    """Training labels with their weights, labels to evaluate on, labels of what must not be forgotten, and what could
    not be understood. ``held_out``: those to evaluate on were taken from the training sets. ``counts``: how many labels
    each of these held."""

    train: list[Label]
    weights: NDArray[np.float64]
    val: list[Label]
    flaws: tuple[Flaw, ...] = ()
    keep: Sequence[Label] = ()
    held_out: bool = False
    counts: tuple[int, ...] = ()


def load_samples(config: DataConfig, read: Callable[[str], Iterable[Label | Flaw]]) -> Samples[Label]:
    """All labels of a recipe's data sets. Raises InputError."""
    train: list[Label] = []
    weights: list[float] = []
    flaws: list[Flaw] = []
    counts: list[int] = []
    for dataset in config.train:
        labels = _labels(dataset, read, flaws)
        counts.append(len(labels))
        train += labels
        weights += [dataset.weight] * len(labels)
    val = [label for dataset in config.val for label in _labels(dataset, read, flaws)]
    if not val:
        val = train[::_HELD_OUT] if len(train) > 1 else train
        held_out = set(map(id, val)) if len(train) > 1 else set()
        kept = [number for number, label in enumerate(train) if id(label) not in held_out]
        train, weights = [train[n] for n in kept], [weights[n] for n in kept]
    keep = [label for dataset in config.keep for label in _labels(dataset, read, flaws)]
    return Samples(train, np.array(weights), val, tuple(flaws), keep, not config.val, tuple(counts))


def load_line_samples(config: DataConfig) -> Samples[LineLabel]:
    """Line labels of a recipe."""
    return load_samples(config, line_entries)


def load_page_samples(config: DataConfig) -> Samples[PageLabel]:
    """Page labels of a recipe."""
    return load_samples(config, page_entries)


def provenance(
    datasets: Sequence[Dataset],
    counts: Sequence[int],
    start: BundleInfo | None = None,
    backbone: BundleInfo | None = None,
) -> dict[str, Any]:
    """Where weights come from, for the bundle: the data sets by name with the number of labels read, what `data synth`
    noted beside them, and all fonts; with all that went into the bundles that the training, or its backbone alone,
    starts from."""
    sets: list[dict[str, Any]] = []
    fonts: dict[str, str] = {}
    origins: dict[str, Any] = {}
    for key, info in (("started_from", start), ("backbone_from", backbone)):
        if info is not None:
            before = dict(info.provenance)
            fonts |= before.pop("fonts", {})
            origins[key] = {"name": info.name, "created": info.created.isoformat(), **before}
    for dataset, count in zip(datasets, counts, strict=True):
        path = Path(dataset.path)
        folder = path if path.is_dir() else path.parent
        note: dict[str, Any] = {"name": folder.name, "weight": dataset.weight}
        recipe = folder / "synth.json"
        if recipe.exists():
            note |= json.loads(recipe.read_text(encoding="utf-8"))
            fonts |= {font["family"]: _first_words(font["licence"]) for font in note.pop("fonts", [])}
        sets.append({**note, "count": count})  # `data synth` notes how many were asked for
    return {"datasets": sets, "fonts": dict(sorted(fonts.items())), **origins}


def _first_words(licence: str) -> str:
    """The beginning of what a font says of its licence; some hold the whole text."""
    return textwrap.shorten(licence, 160, placeholder=" ...")


def _labels(dataset: Dataset, read: Callable[[str], Iterable[Label | Flaw]], flaws: list[Flaw]) -> list[Label]:
    """The labels of a data set; what cannot be understood goes to ``flaws``. Raises InputError."""
    labels: list[Label] = []
    for entry in read(dataset.path):
        if isinstance(entry, Flaw):
            flaws.append(entry)
        else:
            labels.append(entry)
    if not labels and not flaws:
        raise InputError(f"{dataset.path} holds no label: there is nothing to train on.")
    return labels
