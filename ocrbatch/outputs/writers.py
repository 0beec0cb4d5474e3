"""Writing rows as one file. A file appears whole or not at all."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from ocrbatch.outputs.csv_table import write_table
from ocrbatch.outputs.files import replacing
from ocrbatch.outputs.rows import SCHEMA

CONFIG_KEY = "ocrbatch.config"
"""Key of a Parquet file's metadata that holds the resolved configuration as JSON."""

_ROWS_PER_GROUP = 512

WriteRows = Callable[[Path, Iterable[pa.RecordBatch], Mapping[str, Any]], None]


def writer_of(form: str) -> WriteRows:
    """The writer of a format, a key of :data:`ocrbatch.outputs.formats.TABLES`."""
    return _WRITERS[form]


def write_parquet(target: Path, batches: Iterable[pa.RecordBatch], config: Mapping[str, Any]) -> None:
    """Row groups of a fixed number of rows, zstd; ``config`` goes into the metadata. Raises OutputError."""
    write_rows(target, batches, SCHEMA.with_metadata({CONFIG_KEY: json.dumps(config, sort_keys=True)}))


def write_rows(target: Path, batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> None:
    """A Parquet file of that schema, with its metadata. Raises OutputError."""
    with replacing(target) as path, pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for table in _grouped(batches):
            writer.write_table(_as_schema(table, schema), row_group_size=_ROWS_PER_GROUP)


def _as_schema(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """A table with that schema's metadata, and its types; nearly always it has these, and casting imports a lot."""
    return table.replace_schema_metadata(schema.metadata) if table.schema.equals(schema) else table.cast(schema)


def write_jsonl(target: Path, batches: Iterable[pa.RecordBatch], config: Mapping[str, Any]) -> None:  # noqa: ARG001
    """One JSON object a line, UTF-8. Raises OutputError."""
    with replacing(target) as path, path.open("w", encoding="utf-8", newline="\n") as file:
        for line in _lines(batches):
            file.write(f"{line}\n")


def write_json(target: Path, batches: Iterable[pa.RecordBatch], config: Mapping[str, Any]) -> None:  # noqa: ARG001
    """One JSON array of objects, UTF-8. Raises OutputError."""
    with replacing(target) as path, path.open("w", encoding="utf-8", newline="\n") as file:
        _write_array(file, _lines(batches))


def write_csv(target: Path, batches: Iterable[pa.RecordBatch], config: Mapping[str, Any]) -> None:  # noqa: ARG001
    """A line for each region, UTF-8 (:mod:`ocrbatch.outputs.csv_table`). Raises OutputError."""
    with replacing(target) as path, path.open("w", encoding="utf-8", errors="replace", newline="") as file:
        write_table(file, (row for batch in batches for row in batch.to_pylist()))


_WRITERS: dict[str, WriteRows] = {
    "parquet": write_parquet,
    "jsonl": write_jsonl,
    "json": write_json,
    "csv": write_csv,
}


def _write_array(file: TextIO, lines: Iterator[str]) -> None:
    separator = "[\n"
    for line in lines:
        file.write(f"{separator}{line}")
        separator = ",\n"
    file.write("\n]\n" if separator != "[\n" else "[]\n")


def _lines(batches: Iterable[pa.RecordBatch]) -> Iterator[str]:
    for batch in batches:
        for row in batch.to_pylist():
            yield json.dumps(_short(row), ensure_ascii=False)


def _short(value: Any) -> Any:
    """Numbers with four decimals: a hundredth of a pixel, and of a percent."""
    if isinstance(value, float):
        return round(value, 4) if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _short(item) for key, item in value.items()}
    return [_short(item) for item in value] if isinstance(value, list) else value


def _grouped(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Tables of exactly the rows of one group, so that the file does not depend on how the batches were cut."""
    waiting: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        waiting.append(batch)
        rows += batch.num_rows
        while rows >= _ROWS_PER_GROUP:
            table = pa.Table.from_batches(waiting)
            yield table.slice(0, _ROWS_PER_GROUP)
            waiting = table.slice(_ROWS_PER_GROUP).to_batches()
            rows -= _ROWS_PER_GROUP
    if rows:
        yield pa.Table.from_batches(waiting)
