"""Reading what a run wrote, one row at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from ocrbatch.errors import InputError
from ocrbatch.outputs.rows import SCHEMA
from ocrbatch.outputs.writers import CONFIG_KEY

Row = dict[str, Any]

_ROWS_AT_ONCE = 32
_CHARACTERS_AT_ONCE = 1 << 20


def read_rows(results: Path, columns: Sequence[str] = tuple(SCHEMA.names)) -> Iterator[Row]:
    """Rows of a .parquet, .jsonl or .json file in their order, with None in columns that are not there. Of Parquet only
    ``columns`` are read.

    Raises InputError for what is no results file.
    """
    try:
        for number, row in enumerate(_READERS[_kind(results)](results, columns), 1):
            if not isinstance(row, dict) or not isinstance(row.get("source"), str) or "status" not in row:
                raise InputError(
                    f"{results} is no result of `ocrbatch run`: row {number} has no 'source' or no 'status'."
                )
            yield {**_NOTHING, **row}
    except OSError as error:
        raise InputError(f"Cannot read {results}: {error.strerror or error}.") from error
    except (ValueError, pa.ArrowException) as error:
        raise InputError(
            f"Cannot read {results}, it is damaged or something else than its name says ({error})."
        ) from error


def read_sources(results: Path) -> Iterator[str]:
    """The source of each row, without reading the rest where the format allows it. Raises InputError."""
    rows = read_rows(results, ("source", "status")) if results.suffix.lower() == ".parquet" else read_rows(results)
    return (str(row["source"]) for row in rows)


def read_batches(results: Path) -> Iterator[pa.RecordBatch]:
    """The same rows as Arrow batches."""
    waiting: list[Row] = []
    for row in read_rows(results):
        waiting.append(row)
        if len(waiting) == _ROWS_AT_ONCE:
            yield pa.RecordBatch.from_pylist(waiting, schema=SCHEMA)
            waiting = []
    if waiting:
        yield pa.RecordBatch.from_pylist(waiting, schema=SCHEMA)


def read_config(results: Path) -> dict[str, Any]:
    """The settings of the run, as far as the file holds them: only Parquet does."""
    if _kind(results) != ".parquet":
        return {}
    try:
        metadata = pq.read_metadata(results).metadata or {}
        config: dict[str, Any] = json.loads(metadata.get(CONFIG_KEY.encode(), b"{}"))
    except (OSError, ValueError, pa.ArrowException) as error:
        raise InputError(f"Cannot read {results} ({error}).") from error
    return config


def _kind(results: Path) -> str:
    suffix = results.suffix.lower()
    if suffix not in _READERS:
        raise InputError(f"Cannot read {results}: results end in {', '.join(_READERS)}.")
    return suffix


def _parquet(results: Path, columns: Sequence[str]) -> Iterator[Any]:
    with pq.ParquetFile(results) as file:
        there = [name for name in columns if name in file.schema_arrow.names]
        for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE, columns=there):
            yield from batch.to_pylist()


def _jsonl(results: Path, columns: Sequence[str]) -> Iterator[Any]:  # noqa: ARG001
    with results.open(encoding="utf-8-sig") as file:
        for line in file:
            if line.strip():
                yield json.loads(line)


def _json(results: Path, columns: Sequence[str]) -> Iterator[Any]:  # noqa: ARG001
    """The items of one array, however it is laid out, without ever holding all of them."""
    with results.open(encoding="utf-8-sig") as file:
        decoder, text = json.JSONDecoder(), _more(file, "").lstrip()
        if not text.startswith("["):
            raise ValueError("no array of rows")
        text = text[1:].lstrip()
        while not text.startswith("]"):
            try:
                value, end = decoder.raw_decode(text.lstrip(", \t\r\n"))
                text = text.lstrip(", \t\r\n")[end:].lstrip() or _more(file, "").lstrip()
            except json.JSONDecodeError:
                text = _more(file, text)  # the item goes on, or the file is cut off
                continue
            yield value


def _more(file: TextIO, text: str) -> str:
    added = file.read(max(_CHARACTERS_AT_ONCE, len(text)))
    if not added:
        raise ValueError("the array does not end")
    return text + added


_NOTHING: Row = dict.fromkeys(SCHEMA.names)
_READERS = {".parquet": _parquet, ".jsonl": _jsonl, ".json": _json}
