"""MMOCR's JSON: ``{"metainfo": {...}, "data_list": [{"img_path": ..., "instances": [...]}]}``. An instance of a page
has ``polygon`` or ``bbox``, ``ignore`` and perhaps ``text``; a line has one instance with its ``text``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from ocrbatch.data.formats.parsing import (
    base_folder,
    contents,
    parse_json,
    picture,
    regions_of,
    to_points,
    to_size,
    to_text,
)
from ocrbatch.data.label_types import Content, Flaw, LineLabel, PageLabel, RegionLabel
from ocrbatch.errors import InputError

FILES: dict[Content, str] = {"pages": "textdet.json", "lines": "textrecog.json"}
"""How the files are called that are written."""

_METAINFO: dict[Content, dict[str, Any]] = {
    "pages": {"dataset_type": "TextDetDataset", "task_name": "textdet", "category": [{"id": 0, "name": "text"}]},
    "lines": {"dataset_type": "TextRecogDataset", "task_name": "textrecog"},
}

T = TypeVar("T")


def pages(source: Path) -> Iterator[PageLabel | Flaw]:
    """Page labels of a file. Raises InputError when it cannot be read."""
    return _each(source, _page)


def lines(source: Path) -> Iterator[LineLabel | Flaw]:
    """Line labels of a file. Raises InputError when it cannot be read."""
    return _each(source, _line)


def content(source: Path) -> Content:
    """Whether a file labels pages or lines: lines have a text and no outline."""
    for entry in _entries(source):
        for instance in entry.get("instances") or () if isinstance(entry, dict) else ():
            if isinstance(instance, dict):
                return "pages" if "polygon" in instance or "bbox" in instance else "lines"
    return "pages"


def is_mmocr(value: Any) -> bool:
    """Whether a JSON value has the format's shape."""
    return isinstance(value, dict) and isinstance(value.get("data_list"), list)


def document(content: Content, entries: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The whole file."""
    return {"metainfo": _METAINFO[content], "data_list": list(entries)}


def page_entry(name: str, label: PageLabel) -> dict[str, Any]:
    """The entry that says the same as a page label; MMOCR wants ``size`` known."""
    instances = []
    for region in label.regions:
        low, high = region.points.min(axis=0), region.points.max(axis=0)
        instance: dict[str, Any] = {
            "polygon": region.points.ravel().tolist(),
            "bbox": [*low.tolist(), *high.tolist()],
            "bbox_label": 0,
            "ignore": region.ignore,
        }
        instances.append(instance if region.text is None else {**instance, "text": region.text})
    size = {} if label.size is None else {"height": label.size[0], "width": label.size[1]}
    return {"img_path": name, **size, "instances": instances}


def line_entry(name: str, label: LineLabel) -> dict[str, Any]:
    """The entry that says the same as a line label."""
    return {"img_path": name, "instances": [{"text": label.text}]}


def _each(source: Path, parse: Callable[[Path, dict[str, Any]], T]) -> Iterator[T | Flaw]:
    entries = _entries(source)
    first = entries[0] if entries else None
    base = base_folder(source, first.get("img_path") if isinstance(first, dict) else None)
    for number, entry in enumerate(entries):
        try:
            if not isinstance(entry, dict) or not isinstance(entry.get("instances"), list):
                raise ValueError("not an object with 'img_path' and 'instances'")
            yield parse(base, entry)
        except ValueError as error:
            yield Flaw(f"{source}, data_list[{number}]", str(error))


def _entries(source: Path) -> list[Any]:
    try:
        value = parse_json(contents(source))
    except ValueError as error:
        raise InputError(f"{source}: {error}.") from error
    if not is_mmocr(value):
        raise InputError(f"{source} is not in MMOCR's format: it needs a list 'data_list'.")
    entries: list[Any] = value["data_list"]
    return entries


def _line(base: Path, entry: dict[str, Any]) -> LineLabel:
    instances = entry["instances"]
    if len(instances) != 1 or not isinstance(instances[0], dict) or "polygon" in instances[0]:
        raise ValueError("a line needs exactly one instance, with 'text' and without 'polygon'")
    text = to_text(instances[0].get("text"))
    if text is None:
        raise ValueError("'text' is missing")
    return LineLabel(picture(base, entry.get("img_path")), text, to_size(entry))


def _page(base: Path, entry: dict[str, Any]) -> PageLabel:
    regions = regions_of(entry["instances"], _region)
    return PageLabel(picture(base, entry.get("img_path")), regions, to_size(entry))


def _region(instance: Any) -> RegionLabel:
    if not isinstance(instance, dict):
        raise ValueError("not an object with 'polygon' or 'bbox'")
    flat, box = instance.get("polygon"), instance.get("bbox")
    if isinstance(flat, list) and len(flat) % 2 == 0:
        points = list(zip(flat[::2], flat[1::2], strict=True))
    elif isinstance(box, list) and len(box) == 4:
        left, top, right, bottom = box
        points = [(left, top), (right, top), (right, bottom), (left, bottom)]
    else:
        raise ValueError("neither a 'polygon' of x, y, x, y, ... nor a 'bbox' of four numbers")
    ignore = instance.get("ignore", False)
    if ignore not in (True, False):
        raise ValueError("'ignore' is neither true nor false")
    return RegionLabel(to_points(points), to_text(instance.get("text")), bool(ignore))
