"""Results of ``ocrbatch run`` as labels to correct: what was read is what is labelled."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ocrbatch.data.formats.parsing import (
    FARTHEST,
    contents,
    each_line,
    parse_json,
    regions_of,
    to_points,
    to_size,
    to_text,
    whole,
)
from ocrbatch.data.images import stamp
from ocrbatch.data.label_types import Flaw, PageLabel, RegionLabel
from ocrbatch.data.regular import regular
from ocrbatch.errors import InputError

SUFFIXES = (".parquet", ".jsonl", ".json")

Render = Callable[[Path, int, tuple[int, int]], Path]
"""Makes a picture of a page from its file, its number from 0 and its (height, width) in the results. Raises
InputError."""


def pages(source: Path, render: Render | None = None) -> Iterator[PageLabel | Flaw]:
    """Page labels of a results file. Failed pages are flaws; regions that a filter rejected are labelled as ignored.
    Pages of PDFs and of files with several pages need ``render``. Raises InputError when the file cannot be read."""
    for number, row in enumerate(rows(source)):
        where = f"{source}, row {number}"
        if isinstance(row, Flaw):
            yield row
            continue
        try:
            yield _page(source, row, render)
        except (ValueError, InputError) as error:
            yield Flaw(where, str(error).removesuffix("."))


def rows(source: Path) -> Iterator[dict[str, Any] | Flaw]:
    """The rows of a results file. Raises InputError."""
    if source.suffix.lower() == ".parquet":
        yield from _parquet_rows(source)
    elif source.suffix.lower() == ".jsonl":
        yield from each_line(source, parse_json)
    else:
        try:
            values = parse_json(contents(source))
        except ValueError as error:
            raise InputError(f"{source}: {error}.") from error
        if not isinstance(values, list):
            raise InputError(f"{source} holds no results of `ocrbatch run`: a list of rows is needed.")
        yield from values


def is_row(value: Any) -> bool:
    """Whether a JSON value is a row of results."""
    return isinstance(value, dict) and "source" in value and "status" in value


def _parquet_rows(source: Path) -> Iterator[dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(regular(source)) as file:
            for batch in file.iter_batches(batch_size=64):
                yield from batch.to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"Cannot read the results {source} ({getattr(error, 'strerror', None) or error}).") from error


def _page(source: Path, row: dict[str, Any], render: Render | None) -> PageLabel:
    if not is_row(row):
        raise ValueError("no row of results: 'source' and 'status' are needed")
    name = whole(str(row["source"]), "'source'", os.fsencode)
    page, n_pages = _number(row, "page", 0), _number(row, "n_pages", 1)
    if row["status"] == "failed":
        raise ValueError(f"{name}, page {page + 1} could not be read: {row.get('error_message')}")
    if row.get("regions") is None:
        raise ValueError(f"{name}, page {page + 1} has no regions")
    path = _file(source, name)
    if (digest := row.get("sha256")) and stamp(path)[0] != digest:
        raise ValueError(f"{name} has changed since it was read")
    size = to_size(row)
    if size is None:
        raise ValueError("'height' and 'width' of the page are missing")
    if n_pages > 1 or path.suffix.lower() == ".pdf":
        if render is None:
            raise ValueError(
                f"{name}, page {page + 1} is no picture file: `ocrbatch data convert` makes pictures of pages"
            )
        path = render(path, page, size)
    return PageLabel(path, regions_of(row["regions"], _region), size)


def _number(row: dict[str, Any], key: str, usual: int) -> int:
    """A number of pages. Raises ValueError."""
    value = row.get(key) or usual
    if not isinstance(value, int) or not 0 <= value <= FARTHEST:
        raise ValueError(f"{key!r} is no number of pages")
    return value


def _file(source: Path, name: str) -> Path:
    """The file that was read: from here, or as seen from the results."""
    beside = source.parent / name
    there = os.path.exists  # unlike Path's, it is no error to ask it for a name that is too long
    return beside if not there(name) and there(beside) else Path(name)


def _region(region: Any) -> RegionLabel:
    outline = region.get("polygon") or region.get("points") if isinstance(region, dict) else None
    if not isinstance(outline, list) or len(outline) % 2 or len(outline) < 6:
        raise ValueError("it has no outline")
    points = to_points(list(zip(outline[::2], outline[1::2], strict=True)))
    return RegionLabel(points, to_text(region.get("text")), not region.get("kept", True))
