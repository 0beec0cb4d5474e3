"""Reading what a run wrote, one row at a time, wherever it is."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from ocrbatch.data.places import Place, is_uri, shown_as
from ocrbatch.data.regular import regular
from ocrbatch.data.sources import Selection, list_sources
from ocrbatch.data.stores import reason
from ocrbatch.errors import InputError
from ocrbatch.outputs.row_checks import problem_of, problem_of_regions
from ocrbatch.outputs.rows import SCHEMA
from ocrbatch.outputs.writers import CONFIG_KEY

Row = dict[str, Any]

_ROWS_AT_ONCE = 32
_CHARACTERS_AT_ONCE = 1 << 20
_BLANK = " \t\r\n"
_IN_FOLDERS = Selection(("*.parquet",), ("_*", ".*"))  # as readers of Parquet have it: others are no data


def read_rows(results: str | Path, columns: Sequence[str] = tuple(SCHEMA.names)) -> Iterator[Row]:
    """Rows of a .parquet, .jsonl or .json file in their order, with None in columns that are not there; those of all
    Parquet files of a folder, in the order of their names. Of Parquet only ``columns`` are read.

    Raises InputError for what is no results file.
    """
    name = shown_as(os.fspath(results))
    try:
        read = ((file, row) for file in _files(results) for row in _READERS[_kind(file)](file, columns))
        for number, (file, row) in enumerate(read, 1):
            if not isinstance(row, dict) or not isinstance(row.get("source"), str) or "status" not in row:
                raise InputError(
                    f"{shown_as(file)} is no result of `ocrbatch run`: row {number} has no 'source' or no 'status'."
                )
            yield {**_NOTHING, **row}
    except OSError as error:
        raise InputError(f"Cannot read {name}: {reason(error)}.") from error
    except (ValueError, pa.ArrowException) as error:
        raise InputError(
            f"Cannot read {name}, it is damaged or something else than its name says ({error})."
        ) from error


def sound_rows(results: str | Path) -> Iterator[Row]:
    """The same rows. Raises InputError for one whose columns hold what they should not, but for its regions: those are
    a matter of what is made of them."""
    for number, row in enumerate(read_rows(results), 1):
        if problem := problem_of(row):
            raise _no_result(results, number, problem)
        yield row


def read_sources(results: str | Path) -> Iterator[str]:
    """The source of each row, without reading the rest where the format allows it. Raises InputError."""
    return (str(row["source"]) for row in read_rows(results, ("source", "status")))


def read_batches(results: str | Path) -> Iterator[pa.RecordBatch]:
    """The same rows as Arrow batches. Raises InputError for regions that do not fit in."""
    waiting: list[Row] = []
    for number, row in enumerate(sound_rows(results), 1):
        if problem := problem_of_regions(row):
            raise _no_result(results, number, problem)
        waiting.append(row)
        if len(waiting) == _ROWS_AT_ONCE:
            yield pa.RecordBatch.from_pylist(waiting, schema=SCHEMA)
            waiting = []
    if waiting:
        yield pa.RecordBatch.from_pylist(waiting, schema=SCHEMA)


def read_config(results: str | Path) -> dict[str, Any]:
    """The settings of the run, as far as the file holds them: only Parquet does."""
    file = os.fspath(results)
    try:
        file = next(_files(results))
        if _kind(file) != ".parquet":
            return {}
        metadata = pq.read_metadata(_binary(file)).metadata or {}
        config: dict[str, Any] = json.loads(metadata.get(CONFIG_KEY.encode(), b"{}"))
    except OSError as error:
        raise InputError(f"Cannot read {shown_as(file)}: {reason(error)}.") from error
    except (ValueError, pa.ArrowException) as error:
        raise InputError(f"Cannot read {shown_as(file)} ({error}).") from error
    return config


def read_time(results: str | Path) -> datetime:
    """When the results were written: the time of the newest file. Raises InputError."""
    try:
        return datetime.fromtimestamp(max(map(_mtime, _files(results))), UTC)
    except OSError as error:
        raise InputError(f"Cannot read {shown_as(os.fspath(results))}: {reason(error)}.") from error


def _no_result(file: str | Path, number: int, problem: str) -> InputError:
    return InputError(f"{shown_as(os.fspath(file))} is no result of `ocrbatch run`: row {number}, {problem}.")


def _files(results: str | Path) -> Iterator[str]:
    """The file, or those of a folder. Raises InputError for a folder without any, OSError for what is no file."""
    text = os.fspath(results)
    found = False
    for file in list_sources([text], _IN_FOLDERS):
        if file.size < 0 and _suffix(file.path) not in _READERS:
            raise InputError(f"There is no file or folder {shown_as(text)}.")
        if not is_uri(file.path):
            regular(Path(file.path))
        found = True
        yield file.path
    if not found:
        raise InputError(f"There are no Parquet files in {shown_as(text)}.")


def _kind(file: str) -> str:
    suffix = _suffix(file)
    if suffix not in _READERS:
        raise InputError(f"Cannot read {shown_as(file)}: results end in {', '.join(_READERS)}.")
    return suffix


def _suffix(file: str) -> str:
    return Path(Place.parse(file).key if is_uri(file) else file).suffix.lower()


def _mtime(file: str) -> float:
    if not is_uri(file):
        return Path(file).stat().st_mtime
    stat = Place.parse(file).stat()
    return stat.mtime_ns / 1e9 if stat else 0.0


def _binary(file: str) -> Any:
    """What pyarrow reads at any position."""
    return Place.parse(file).open() if is_uri(file) else file


def _text(file: str) -> TextIO:
    return io.TextIOWrapper(_binary(file) if is_uri(file) else Path(file).open("rb"), encoding="utf-8-sig")


def _parquet(file: str, columns: Sequence[str]) -> Iterator[Any]:
    with pq.ParquetFile(_binary(file)) as opened:
        there = [name for name in columns if name in opened.schema_arrow.names]
        for batch in opened.iter_batches(batch_size=_ROWS_AT_ONCE, columns=there):
            yield from batch.to_pylist()


def _jsonl(file: str, columns: Sequence[str]) -> Iterator[Any]:  # noqa: ARG001
    with _text(file) as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)


def _json(file: str, columns: Sequence[str]) -> Iterator[Any]:  # noqa: ARG001
    """The items of one array, however it is laid out, without ever holding all of them."""
    with _text(file) as opened:
        decoder, text = json.JSONDecoder(), _more(opened, "").lstrip()
        if not text.startswith("["):
            raise ValueError("no array of rows")
        place = 1
        while not text.startswith("]", place := _beyond(_BLANK, text, place)):
            try:
                value, place = decoder.raw_decode(text, _beyond(f"{_BLANK},", text, place))
            except json.JSONDecodeError:
                text, place = _more(opened, text[place:]), 0  # the item goes on, or the file is cut off
                continue
            yield value


def _beyond(characters: str, text: str, place: int) -> int:
    """The first place from ``place`` on where none of the characters stands."""
    while place < len(text) and text[place] in characters:
        place += 1
    return place


def _more(file: TextIO, text: str) -> str:
    added = file.read(max(_CHARACTERS_AT_ONCE, len(text)))
    if not added:
        raise ValueError("the array does not end")
    return text + added


_NOTHING: Row = dict.fromkeys(SCHEMA.names)
_READERS = {".parquet": _parquet, ".jsonl": _jsonl, ".json": _json}
