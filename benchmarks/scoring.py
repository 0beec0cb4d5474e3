"""Scores of what was read against what is labelled, the same for ocrbatch and its peers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import click
import numpy as np
import pyarrow.parquet as pq

from ocrbatch.charset import normalize
from ocrbatch.data.labels import LABEL_FILE, LineLabel, PageLabel
from ocrbatch.metrics.detection import DetectionMetric
from ocrbatch.metrics.endtoend import RegionTextMetric, WordMetric
from ocrbatch.metrics.recognition import RecognitionMetric
from ocrbatch.types import Polygon


@dataclass(frozen=True, slots=True)
class Found:
    """One outline (n, 2) in pixels of the page and the text read in it."""

    points: Polygon
    text: str


class Reader(Protocol):
    """What can be scored: something that reads pages and pictures of single lines."""

    def page(self, image: Path) -> list[Found]: ...

    def line(self, image: Path) -> str: ...


def holds_pages(labels: Path) -> bool:
    """Whether a label file, or a folder's, is about pages with outlines rather than about lines."""
    path = labels / LABEL_FILE if labels.is_dir() else labels
    with path.open(encoding="utf-8-sig") as file:
        first = next((line for line in file if line.strip()), "")
    return '"regions"' in first or "\t[{" in first


def load_rows(results: Path) -> list[dict[str, Any]]:
    """Rows of what ``ocrbatch run`` wrote: .parquet, .jsonl or .json."""
    if results.suffix == ".parquet":
        return list(pq.read_table(results).to_pylist())
    text = results.read_text(encoding="utf-8")
    if results.suffix == ".jsonl":
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    return list(json.loads(text))


class RowReader:
    """Reads a page or a line by looking up its row; a picture without a row reads as nothing.

    Rows belong to pictures by full path, or by file name where the folder has moved and the name is unique.
    """

    def __init__(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self._by_path: dict[Path, Mapping[str, Any]] = {}
        self._by_name: dict[str, list[Mapping[str, Any]]] = {}
        for row in rows:
            source = Path(row["source"])
            self._by_path[source.resolve()] = row
            self._by_name.setdefault(source.name, []).append(row)

    def page(self, image: Path) -> list[Found]:
        """The kept regions of a page."""
        row = self._row(image)
        regions = (row and row["regions"]) or []
        return [
            Found(
                np.asarray(region.get("polygon") or region["points"], np.float32).reshape(-1, 2), region["text"] or ""
            )
            for region in regions
            if region["kept"]
        ]

    def line(self, image: Path) -> str:
        """The text of a line."""
        row = self._row(image)
        return (row and row["text"]) or ""

    def has(self, image: Path) -> bool:
        """Whether there is a row for this picture."""
        return self._row(image) is not None

    def _row(self, image: Path) -> Mapping[str, Any] | None:
        named = self._by_name.get(image.name, [])
        return self._by_path.get(image.resolve()) or (named[0] if len(named) == 1 else None)


def score_pages(labels: Sequence[PageLabel], read: Callable[[Path], Sequence[Found]]) -> dict[str, float]:
    """Detection by ICDAR 2015; words as multiset and characters of regions, case folded, where all texts are known."""
    detection, words, characters = DetectionMetric(), WordMetric(), RegionTextMetric()
    with click.progressbar(labels, label="Pages", file=click.get_text_stream("stderr")) as bar:
        for label in bar:
            found = read(label.image)
            outlines, texts = [item.points for item in found], [normalize(item.text) for item in found]
            truth = [region.points for region in label.regions]
            known = [None if region.ignore else region.text for region in label.regions]
            page = detection.update(truth, [region.ignore for region in label.regions], outlines)
            words.update([text for text in known if text is not None], [texts[i] for i in page.found])
            characters.update(truth, known, outlines, texts)
    scores = {"pages": len(labels), **{f"det_{name}": value for name, value in detection.result().items()}}
    if characters.n_characters:
        scores |= {f"word_{name}": value for name, value in words.result().items()}
        scores["region_cer"] = characters.result()["cer"]
    return scores


def score_lines(labels: Sequence[LineLabel], read: Callable[[Path], str]) -> dict[str, float]:
    """Accuracies, 1-NED, CER and WER of pictures of single lines or words, spaces counted."""
    metric = RecognitionMetric()
    with click.progressbar(labels, label="Lines", file=click.get_text_stream("stderr")) as bar:
        for label in bar:
            metric.update(label.text, normalize(read(label.image)))
    return {"lines": len(labels), **metric.result()}
