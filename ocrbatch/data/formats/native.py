"""``labels.jsonl``, one JSON object a line: ``{"image": ..., "regions": [{"points": [[x, y], ...], "text": str or null,
"ignore": bool}]}`` for a page, ``{"image": ..., "text": ...}`` for a line; further keys are left alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ocrbatch.data.formats.parsing import parse_json, picture, regions_of, to_points, to_size, to_text
from ocrbatch.data.label_types import LineLabel, PageLabel, RegionLabel

_KEYS = frozenset(("image", "regions", "text", "width", "height"))
_REGION_KEYS = frozenset(("points", "text", "ignore", "difficult"))


def line(folder: Path, content: str) -> LineLabel:
    """The line label in one line of a file. Raises ValueError."""
    record = _record(content)
    if "regions" in record:
        raise ValueError("a page with 'regions' stands where a line with 'text' is needed")
    if not isinstance(record.get("text"), str):
        raise ValueError("'text' is missing or no string")
    return LineLabel(picture(folder, record.get("image")), to_text(record["text"]) or "", to_size(record))


def page(folder: Path, content: str) -> PageLabel:
    """The page label in one line of a file. Raises ValueError."""
    record = _record(content)
    regions = regions_of(record.get("regions"), _region)
    return PageLabel(picture(folder, record.get("image")), regions, to_size(record))


def record(name: str, label: LineLabel | PageLabel) -> str:
    """The line of a file that says the same as a label."""
    size = {} if label.size is None else {"width": label.size[1], "height": label.size[0]}
    if isinstance(label, LineLabel):
        return json.dumps({"image": name, "text": label.text, **size}, ensure_ascii=False)
    regions = [
        {"points": region.points.tolist(), "text": region.text, "ignore": region.ignore} for region in label.regions
    ]
    return json.dumps({"image": name, **size, "regions": regions}, ensure_ascii=False)


def further_keys(content: str) -> list[str]:
    """Keys of a record and of its regions that are not read. Raises ValueError."""
    record = _record(content)
    keys = [key for key in record if key not in _KEYS]
    regions = record.get("regions")
    for region in regions if isinstance(regions, list) else ():
        keys += [f"regions.{key}" for key in region if key not in _REGION_KEYS] if isinstance(region, dict) else []
    return keys


def _region(region: Any) -> RegionLabel:
    if not isinstance(region, dict):
        raise ValueError("not an object with 'points'")
    text = to_text(region.get("text"))
    flags = [region.get(name, False) for name in ("ignore", "difficult")]
    if not all(isinstance(flag, bool) for flag in flags):
        raise ValueError("'ignore' is neither true nor false")
    return RegionLabel(to_points(region.get("points")), text, any(flags))


def _record(content: str) -> dict[str, Any]:
    record = parse_json(content)
    if not isinstance(record, dict):
        raise ValueError("not a JSON object")
    return record
