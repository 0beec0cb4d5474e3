"""Which labelled samples a training uses, checked before anything is built. Nothing is dropped silently."""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from ocrbatch.charset import Charset
from ocrbatch.config.train import DataConfig, Dataset
from ocrbatch.data.labels import LineLabel, PageLabel, read_lines, read_pages
from ocrbatch.errors import InputError
from ocrbatch.geometry import signed_area

Label = TypeVar("Label", LineLabel, PageLabel)

_HELD_OUT = 20  # every twentieth sample, when no validation set is named
_SHOWN = 5


@dataclass(frozen=True, eq=False)
class Samples(Generic[Label]):
    """Training labels with their weights, and labels to evaluate on."""

    train: list[Label]
    weights: NDArray[np.float64]
    val: list[Label]


def load_samples(config: DataConfig, read: Callable[[str], list[Label]]) -> Samples[Label]:
    """All labels of a recipe's data sets. Raises InputError."""
    train: list[Label] = []
    weights: list[float] = []
    for dataset in config.train:
        labels = read(dataset.path)
        train += labels
        weights += [dataset.weight] * len(labels)
    val = [label for dataset in config.val for label in read(dataset.path)]
    if not val:
        val = train[::_HELD_OUT] if len(train) > 1 else train
        held_out = set(map(id, val)) if len(train) > 1 else set()
        kept = [number for number, label in enumerate(train) if id(label) not in held_out]
        train, weights = [train[n] for n in kept], [weights[n] for n in kept]
    return Samples(train, np.array(weights), val)


def load_line_samples(config: DataConfig) -> Samples[LineLabel]:
    """Line labels of a recipe."""
    return load_samples(config, read_lines)


def load_page_samples(config: DataConfig) -> Samples[PageLabel]:
    """Page labels of a recipe."""
    return load_samples(config, read_pages)


def without_bad(
    samples: Samples[Label], problem: Callable[[Label], str | None], skip_list: Path | None
) -> Samples[Label]:
    """The samples when none has a problem. Otherwise InputError, or, with ``skip_list``, the good ones: the bad ones
    are listed in that file with their reasons."""
    bad: list[tuple[Path, str]] = []

    def good(labels: Sequence[Label]) -> list[int]:
        numbers = []
        for number, label in enumerate(labels):
            reason = problem(label)
            if reason is None:
                numbers.append(number)
            else:
                bad.append((label.image, reason))
        return numbers

    train, val = good(samples.train), good(samples.val)
    if bad and skip_list is None:
        raise InputError(_report(bad))
    if bad and skip_list is not None:
        skip_list.write_text("".join(f"{image}\t{reason}\n" for image, reason in bad), encoding="utf-8")
    if not train or not val:
        raise InputError("No usable sample is left for training or for evaluation: look at the labels' problems first.")
    return Samples([samples.train[n] for n in train], samples.weights[train], [samples.val[n] for n in val])


def line_problem(
    charset: Charset, max_length: int, steps_needed: Callable[[str], int], steps_there: Callable[[LineLabel], int]
) -> Callable[[LineLabel], str | None]:
    """What keeps a line label from being trained on, as a sentence; None when nothing does."""

    def problem(label: LineLabel) -> str | None:
        if not label.text:
            return "the label is empty"
        if unknown := charset.unknown(label.text):
            return f"the charset lacks {''.join(sorted(set(unknown)))!r}"
        if len(label.text) > max_length:
            return f"the label has {len(label.text)} characters, more than max_length = {max_length}"
        if (needed := steps_needed(label.text)) > (there := steps_there(label)):
            return f"the label needs {needed} output steps, a picture of this width has {there}"
        return None

    return problem


def page_problem(label: PageLabel) -> str | None:
    """What keeps a page label from being trained on, as a sentence; None when nothing does."""
    flat = [number for number, region in enumerate(label.regions) if abs(signed_area(region.points)) < 1]
    return f"region {flat[0]} has no area" if flat else None


def provenance(datasets: Sequence[Dataset]) -> dict[str, Any]:
    """Where data sets come from, for the bundle: their names, what `data synth` noted beside them, and all fonts."""
    sets: list[dict[str, Any]] = []
    fonts: dict[str, str] = {}
    for dataset in datasets:
        path = Path(dataset.path)
        folder = path if path.is_dir() else path.parent
        note: dict[str, Any] = {"name": folder.name, "weight": dataset.weight}
        recipe = folder / "synth.json"
        if recipe.exists():
            note |= json.loads(recipe.read_text(encoding="utf-8"))
            fonts |= {font["family"]: _first_words(font["licence"]) for font in note.pop("fonts", [])}
        sets.append(note)
    return {"datasets": sets, "fonts": dict(sorted(fonts.items()))}


def _first_words(licence: str) -> str:
    """The beginning of what a font says of its licence; some hold the whole text."""
    return textwrap.shorten(licence, 160, placeholder=" ...")


def _report(bad: Sequence[tuple[Path, str]]) -> str:
    kinds = Counter(reason for _, reason in bad)
    examples = "; ".join(f"{image.name}: {reason}" for image, reason in bad[:_SHOWN])
    more = f" ({len(kinds)} kinds of problem)" if len(bad) > _SHOWN else ""
    return (
        f"{len(bad)} samples cannot be trained on{more}, such as {examples}. "
        "Mend the labels, or leave them out with --skip-bad FILE, which lists them."
    )
