"""Files with one label a line: our own and PaddleOCR's, told apart line by line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from ocrbatch.data.formats import native, paddle
from ocrbatch.data.formats.parsing import base_folder, contents, each_line, first_line, parse_json
from ocrbatch.data.label_types import Content, Flaw, LineLabel, PageLabel


def pages(source: Path) -> Iterator[PageLabel | Flaw]:
    """Page labels of a file. Raises InputError when it cannot be read."""
    data = contents(source)
    yield from each_line(source, partial(_page, source.parent, _base(source, data)), data)


def lines(source: Path) -> Iterator[LineLabel | Flaw]:
    """Line labels of a file. Raises InputError when it cannot be read."""
    data = contents(source)
    yield from each_line(source, partial(_line, source.parent, _base(source, data)), data)


def content(source: Path) -> Content:
    """Whether a file labels pages or lines, by the first of its lines that tells."""
    for found in each_line(source, _content_of):
        if not isinstance(found, Flaw) and found is not None:
            return found
    return "lines"


def further_keys(source: Path) -> Counter[str]:
    """Keys of our own records that are not read, with how often they stand in a file."""
    found = each_line(source, lambda line: native.further_keys(line) if line.startswith("{") else [])
    return Counter(key for keys in found if not isinstance(keys, Flaw) for key in keys)


def _page(folder: Path, base: Path, content: str) -> PageLabel:
    return native.page(folder, content) if content.startswith("{") else paddle.page(base, content)


def _line(folder: Path, base: Path, content: str) -> LineLabel:
    return native.line(folder, content) if content.startswith("{") else paddle.line(base, content)


def _base(source: Path, data: bytes) -> Path:
    name, tab, _ = first_line(data).partition("\t")
    return base_folder(source, name) if tab else source.parent


def _content_of(line: str) -> Content | None:
    if line.startswith("{"):
        record: Any = parse_json(line)
        return "pages" if "regions" in record else "lines" if "text" in record else None
    _, text = paddle.split(line)
    if not text.startswith("["):
        return "lines"
    try:
        regions = parse_json(text)
    except ValueError:
        return "pages" if "transcription" in text else "lines"
    listed = isinstance(regions, list) and all(isinstance(region, dict) for region in regions)
    return "pages" if listed else "lines"
