"""Figures of a data set: how much there is, how large, how long, in which characters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ocrbatch.data.label_types import Flaw, LineLabel, PageLabel
from ocrbatch.data.pictures import picture_size
from ocrbatch.errors import InputError
from ocrbatch.geometry import min_area_quad, quad_size

_QUANTILES = {"min": 0.0, "5 %": 0.05, "median": 0.5, "95 %": 0.95, "max": 1.0}


@dataclass(eq=False)
class Stats:
    """``counts`` by what is counted, ``values`` by what is measured (pixels or characters), ``characters`` of all
    texts."""

    counts: Counter[str] = field(default_factory=Counter)
    values: dict[str, list[float]] = field(default_factory=dict)
    characters: Counter[str] = field(default_factory=Counter)

    def quantiles(self) -> dict[str, dict[str, float]]:
        """What is measured: its least, usual and largest values."""
        return {name: _quantiles(values) for name, values in self.values.items() if values}

    def to_json(self) -> dict[str, Any]:
        """All figures as plain values."""
        return {
            "counts": dict(self.counts),
            "quantiles": self.quantiles(),
            "characters": dict(self.characters.most_common()),
        }


def measure(entries: Iterable[LineLabel | PageLabel | Flaw], on_item: Callable[[], None] = lambda: None) -> Stats:
    """Figures of all labels of a data set; of pictures only the header is read."""
    stats = Stats()
    for entry in entries:
        on_item()
        if isinstance(entry, Flaw):
            stats.counts["labels that cannot be understood"] += 1
            continue
        _add_size(stats, entry)
        if isinstance(entry, LineLabel):
            stats.counts["lines"] += 1
            _add_text(stats, entry.text)
        else:
            _add_page(stats, entry)
    return stats


def _add_size(stats: Stats, label: LineLabel | PageLabel) -> None:
    try:
        height, width = label.size or picture_size(label.image)
    except InputError:
        stats.counts["pictures that cannot be read"] += 1
        return
    _add(stats, "picture height", height)
    _add(stats, "picture width", width)
    if isinstance(label, LineLabel):
        _add(stats, "width over height", width / height)


def _add_page(stats: Stats, page: PageLabel) -> None:
    stats.counts["pages"] += 1
    stats.counts["pages without regions"] += not page.regions
    _add(stats, "regions a page", len(page.regions))
    for region in page.regions:
        stats.counts["regions"] += 1
        stats.counts["ignored regions"] += region.ignore
        stats.counts["regions without a transcription"] += region.text is None
        stats.counts["outlines that are no quadrilaterals"] += len(region.points) != 4
        quad = region.points if len(region.points) == 4 else min_area_quad(region.points)[0]
        _add(stats, "region height", min(quad_size(quad)))
        if region.text is not None:
            _add_text(stats, region.text)


def _add_text(stats: Stats, text: str) -> None:
    stats.counts["empty texts"] += not text
    stats.counts["texts with spaces"] += " " in text
    stats.characters.update(text)
    _add(stats, "text length", len(text))


def _add(stats: Stats, name: str, value: float) -> None:
    stats.values.setdefault(name, []).append(float(value))


def _quantiles(values: Sequence[float]) -> dict[str, float]:
    found = np.quantile(np.array(values), list(_QUANTILES.values()))
    return {name: round(float(value), 2) for name, value in zip(_QUANTILES, found, strict=True)}
