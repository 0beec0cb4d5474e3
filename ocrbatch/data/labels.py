"""Reading of label files: what is written on a picture, and where.

The native form is ``labels.jsonl``, one record a line. A page is ``{"image": ..., "regions": [{"points": [[x, y], ...],
"text": str or null, "ignore": bool}]}``, a line is ``{"image": ..., "text": ...}``; further keys are left alone.
PaddleOCR's lists are read too: ``path TAB [{"points": ..., "transcription": ...}]`` for pages, ``path TAB text`` for
lines. Paths of pictures are relative to the label file's folder.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from ocrbatch.charset import normalize
from ocrbatch.errors import InputError
from ocrbatch.types import Polygon

LABEL_FILE = "labels.jsonl"

_BOM = b"\xef\xbb\xbf"
_PADDLE_IGNORED = ("###", "*")

Label = TypeVar("Label")


@dataclass(frozen=True, slots=True, eq=False)
class RegionLabel:
    """One labelled outline: ``points`` (n, 2) in pixels of the page, n >= 3; ``text`` NFC, or None when nobody wrote it
    down; ``ignore`` marks what neither counts as found nor as missed."""

    points: Polygon
    text: str | None = None
    ignore: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class PageLabel:
    """All outlines of one page."""

    image: Path
    regions: tuple[RegionLabel, ...]


@dataclass(frozen=True, slots=True)
class LineLabel:
    """The text, NFC, of a picture of one line; ``size`` is its (height, width) where the label file says so."""

    image: Path
    text: str
    size: tuple[int, int] | None = None


def read_pages(path: Path | str) -> list[PageLabel]:
    """Labels of pages from a label file, or from the labels.jsonl of a folder. Raises InputError with file and line."""
    return _read(Path(path), _page)


def read_lines(path: Path | str) -> list[LineLabel]:
    """Labels of line pictures from a label file, or from the labels.jsonl of a folder. Raises InputError with file and
    line."""
    return _read(Path(path), _line)


def _read(path: Path, parse: Callable[[Path, str], Label]) -> list[Label]:
    source = path / LABEL_FILE if path.is_dir() else path
    labels = []
    for number, content in _contents(source):
        try:
            labels.append(parse(source.parent, content))
        except ValueError as error:
            raise InputError(f"{source}, line {number}: {error}.") from error
    if not labels:
        raise InputError(f"{source} holds no label: write one record a line.")
    return labels


def _contents(source: Path) -> Iterator[tuple[int, str]]:
    """Numbers and texts of all lines that are not blank."""
    try:
        data = source.read_bytes().removeprefix(_BOM)
    except OSError as error:
        raise InputError(
            f"Cannot read the labels {source} ({error.strerror}): give a label file or its folder."
        ) from error
    for number, raw in enumerate(data.split(b"\n"), 1):
        try:
            content = raw.removesuffix(b"\r").decode()
        except UnicodeDecodeError as error:
            raise InputError(f"{source}, line {number}: not UTF-8 text ({error}): save the file as UTF-8.") from error
        if content.strip():
            yield number, content


def _line(folder: Path, content: str) -> LineLabel:
    record: dict[str, Any] = {}
    if content.startswith("{"):
        record = _record(content)
        if "regions" in record:
            raise ValueError("a page with 'regions' stands where a line with 'text' is needed")
        image, text = record.get("image"), record.get("text")
    else:
        image, text = _tab_separated(content)
        if text.startswith("[{") and '"points"' in text:
            raise ValueError("a page with outlines stands where a line with its text is needed")
    if not isinstance(text, str):
        raise ValueError("'text' is missing or no string")
    return LineLabel(_image(folder, image), normalize(text), _size(record))


def _page(folder: Path, content: str) -> PageLabel:
    if content.startswith("{"):
        record = _record(content)
        image, regions = record.get("image"), record.get("regions")
        read_region = _region
    else:
        image, text = _tab_separated(content)
        regions = _json(text)
        read_region = _paddle_region
    if not isinstance(regions, list):
        raise ValueError("'regions' is missing or no list: a page needs the outlines of its text")
    labels = []
    for number, region in enumerate(regions):
        try:
            labels.append(read_region(region))
        except ValueError as error:
            raise ValueError(f"region {number}: {error}") from error
    return PageLabel(_image(folder, image), tuple(labels))


def _region(region: Any) -> RegionLabel:
    if not isinstance(region, dict):
        raise ValueError("not an object with 'points'")
    text = region.get("text")
    if text is not None and not isinstance(text, str):
        raise ValueError("'text' is neither a string nor null")
    flags = [region.get(name, False) for name in ("ignore", "difficult")]
    if not all(isinstance(flag, bool) for flag in flags):
        raise ValueError("'ignore' is neither true nor false")
    return RegionLabel(_points(region.get("points")), None if text is None else normalize(text), any(flags))


def _paddle_region(region: Any) -> RegionLabel:
    if not isinstance(region, dict) or not isinstance(region.get("transcription"), str):
        raise ValueError("not an object with 'points' and 'transcription'")
    text = region["transcription"]
    if text in _PADDLE_IGNORED:
        return RegionLabel(_points(region.get("points")), None, True)
    return RegionLabel(_points(region.get("points")), normalize(text))


def _size(record: dict[str, Any]) -> tuple[int, int] | None:
    sides = record.get("height"), record.get("width")
    if not all(isinstance(side, int) and side > 0 for side in sides):
        return None
    return sides  # type: ignore[return-value]


def _points(value: Any) -> Polygon:
    try:
        points = np.asarray(value, np.float32)
    except (TypeError, ValueError) as error:
        raise ValueError("'points' is no list of [x, y] pairs") from error
    if points.ndim != 2 or points.shape[1] != 2 or len(points) < 3:
        raise ValueError("'points' needs at least three [x, y] pairs")
    if not np.isfinite(points).all():
        raise ValueError("'points' holds a number that is not finite")
    return points


def _tab_separated(content: str) -> tuple[str, str]:
    image, tab, text = content.partition("\t")
    if not tab:
        raise ValueError("neither a JSON object nor a path and its label with a TAB between them")
    return image, text


def _record(content: str) -> dict[str, Any]:
    record = _json(content)
    if not isinstance(record, dict):
        raise ValueError("not a JSON object")
    return record


def _json(content: str) -> Any:
    try:
        return json.loads(content)
    except json.JSONDecodeError as error:
        raise ValueError(f"not valid JSON ({error.msg} at column {error.colno})") from error


def _image(folder: Path, name: Any) -> Path:
    if not isinstance(name, str) or not name:
        raise ValueError("'image' is missing: name the picture's file")
    return folder / name
