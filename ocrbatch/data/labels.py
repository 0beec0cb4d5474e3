"""Reading of labels: what is written on a picture, and where. The format is found from the path.

The native form is ``labels.jsonl``; see :mod:`ocrbatch.data.formats` for the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from ocrbatch.data.formats.table import FORMATS, LABEL_FILE, content_of, find
from ocrbatch.data.label_types import Content, Flaw, LineLabel, PageLabel, RegionLabel
from ocrbatch.errors import InputError

__all__ = [
    "LABEL_FILE",
    "Content",
    "Flaw",
    "LineLabel",
    "PageLabel",
    "RegionLabel",
    "content",
    "line_entries",
    "page_entries",
    "read_lines",
    "read_pages",
]

Label = TypeVar("Label", LineLabel, PageLabel)


def read_pages(path: Path | str, format: str | None = None) -> list[PageLabel]:
    """Labels of pages from a label file or a folder. Raises InputError at the first flaw, with file and line."""
    return _strict(path, page_entries(path, format))


def read_lines(path: Path | str, format: str | None = None) -> list[LineLabel]:
    """Labels of line pictures from a label file or a folder. Raises InputError at the first flaw, with file and
    line."""
    return _strict(path, line_entries(path, format))


def page_entries(path: Path | str, format: str | None = None) -> Iterator[PageLabel | Flaw]:
    """Labels of pages and flaws, in the order of the data set. Raises InputError when there is nothing to read."""
    name, source = find(Path(path), format)
    read = FORMATS[name].pages
    if read is None:
        raise InputError(f"{path} is in the format {name}, which labels lines: labels of pages are needed here.")
    return read(source)


def line_entries(path: Path | str, format: str | None = None) -> Iterator[LineLabel | Flaw]:
    """Labels of lines and flaws, in the order of the data set. Raises InputError when there is nothing to read."""
    name, source = find(Path(path), format)
    read = FORMATS[name].lines
    if read is None:
        raise InputError(
            f"{path} is in the format {name}, which labels pages: labels of lines are needed here. "
            "`ocrbatch data convert --crops` cuts lines out of pages."
        )
    return read(source)


def content(path: Path | str, format: str | None = None) -> Content:
    """Whether a data set labels pages or lines. Raises InputError."""
    return content_of(*find(Path(path), format))


def _strict(path: Path | str, entries: Iterator[Label | Flaw]) -> list[Label]:
    labels: list[Label] = []
    for entry in entries:
        if isinstance(entry, Flaw):
            raise InputError(str(entry))
        labels.append(entry)
    if not labels:
        raise InputError(f"{path} holds no label: write one record a line.")
    return labels
