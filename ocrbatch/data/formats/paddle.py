"""PaddleOCR's lists: ``path TAB [{"transcription": ..., "points": ...}, ...]`` for pages, ``path TAB text`` for lines.
Regions with the text ``###`` or ``*``, and those that PPOCRLabel calls difficult, are ignored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ocrbatch.charset import normalize
from ocrbatch.data.formats.parsing import parse_json, picture, regions_of, to_points, whole, wrong_separator
from ocrbatch.data.label_types import LineLabel, PageLabel, RegionLabel

IGNORED = ("###", "*")
"""Transcriptions that stand for "ignore this region"."""

_MARKS = "\t\n\r"


def line(folder: Path, content: str) -> LineLabel:
    """The line label in one line of a list. Raises ValueError."""
    image, text = split(content)
    if text.startswith("[{") and '"points"' in text:
        raise ValueError("a page with outlines stands where a line with its text is needed")
    return LineLabel(picture(folder, image), normalize(text))


def page(folder: Path, content: str) -> PageLabel:
    """The page label in one line of a list. Raises ValueError."""
    image, regions = split(content)
    return PageLabel(picture(folder, image), regions_of(parse_json(regions), _region))


def split(content: str) -> tuple[str, str]:
    """Path and label. Raises ValueError."""
    image, tab, label = content.partition("\t")
    if not tab:
        raise ValueError(
            "neither a JSON object nor a path and its label with a TAB between them" + wrong_separator(content)
        )
    return image, label


def row(name: str, label: LineLabel | PageLabel) -> tuple[str | None, list[str]]:
    """The line of a list for a label (None when there can be none), and what the format cannot express."""
    text = label.text if isinstance(label, LineLabel) else ""
    if any(mark in name for mark in _MARKS) or name.startswith("{"):
        return None, ["pictures whose name holds a TAB or a line break or starts with a brace"]
    if any(mark in text for mark in _MARKS):
        return None, ["texts that hold a TAB or a line break"]
    if isinstance(label, LineLabel):
        return f"{name}\t{text}", []
    losses: list[str] = []
    regions = [
        {"transcription": _transcription(region, losses), "points": region.points.tolist()} for region in label.regions
    ]
    return f"{name}\t{json.dumps(regions, ensure_ascii=False)}", losses


def _transcription(region: RegionLabel, losses: list[str]) -> str:
    if region.ignore:
        if region.text is not None:
            losses.append("texts of ignored regions (### stands there instead)")
        return IGNORED[0]
    if region.text is None:
        losses.append("regions without a transcription (they get an empty one)")
        return ""
    if region.text in IGNORED:
        losses.append("texts that mean 'ignore' in this format (### or *)")
    return region.text


def _region(region: Any) -> RegionLabel:
    if not isinstance(region, dict) or not isinstance(region.get("transcription"), str):
        raise ValueError("not an object with 'points' and 'transcription'")
    text, points = region["transcription"], to_points(region.get("points"))
    if text in IGNORED:
        return RegionLabel(points, None, True)
    return RegionLabel(points, normalize(whole(text, "'transcription'")), region.get("difficult") is True)
