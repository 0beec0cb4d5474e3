"""The file of one run from the files of its shards."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from heapq import merge
from itertools import pairwise
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ocrbatch.config.differences import differences
from ocrbatch.data.places import Place, is_uri, shown_as
from ocrbatch.data.regular import regular
from ocrbatch.data.stores import reason
from ocrbatch.errors import InputError
from ocrbatch.outputs.rows import SCHEMA
from ocrbatch.outputs.shards import ORDINAL, SHARD_KEY, SHARD_SCHEMA, ShardInfo
from ocrbatch.outputs.writers import CONFIG_KEY

_ROWS_AT_ONCE = 64
_NAMED = 10
_SUFFIX = ".parquet"


@dataclass(frozen=True, slots=True)
class ShardFile:
    """A shard's file: which part it holds, and the settings of its run."""

    path: str
    info: ShardInfo
    config: Mapping[str, Any]

    @property
    def name(self) -> str:
        """How messages call the file."""
        return shown_as(self.path)


def read_shards(paths: Sequence[str | Path]) -> list[ShardFile]:
    """The shards of one run in their order, by path or URI; a folder means the Parquet files in it. Raises InputError,
    saying why, when some are missing, there twice, of another run or no shards at all."""
    shards = [_describe(file) for path in paths for file in _files(os.fspath(path))]
    for one, other in pairwise(shards):
        _refuse_strangers(one, other)
    shards.sort(key=lambda shard: shard.info.number)
    for one, other in pairwise(shards):
        if one.info.number == other.info.number:
            raise InputError(f"Shard {one.info.shard} is there twice: {one.name} and {other.name}.")
    if not shards:
        raise InputError("Nothing to merge: name the files of all shards.")
    _refuse_gaps([shard.info for shard in shards])
    return shards


def merged(shards: Sequence[ShardFile], columns: Sequence[str] = tuple(SCHEMA.names)) -> Iterator[pa.RecordBatch]:
    """Rows of all shards in the order of one run, as one run has them. Raises InputError for a file that is damaged."""
    with ExitStack() as stack:
        runs = [_runs(shard, columns, stack) for shard in shards]
        for _, rows in merge(*runs, key=itemgetter(0)):
            yield rows.select(list(columns))


def sources(shards: Sequence[ShardFile]) -> Iterator[str]:
    """The source of each row of :func:`merged`."""
    return (source for rows in merged(shards, ("source",)) for source in rows["source"].to_pylist())


def _files(path: str) -> list[str]:
    try:
        if is_uri(path):
            place = Place.parse(path)
            if place.stat() is not None:
                return [path]
            return [place.child(name).uri for name, stat in sorted(place.entries()) if stat and name.endswith(_SUFFIX)]
        if Path(path).is_dir():
            return [str(file) for file in sorted(Path(path).glob(f"*{_SUFFIX}"))]
        return [str(regular(Path(path)))]
    except OSError as error:
        raise InputError(f"Cannot read {shown_as(path)}: {reason(error)}.") from error


def _opened(path: str) -> Any:
    return Place.parse(path).open() if is_uri(path) else path


def _describe(path: str) -> ShardFile:
    uri, path = path, shown_as(path)
    try:
        file = pq.read_metadata(_opened(uri))
        metadata = file.metadata or {}
        info = json.loads(metadata[SHARD_KEY.encode()]) if SHARD_KEY.encode() in metadata else None
        config = json.loads(metadata.get(CONFIG_KEY.encode(), b"{}"))
        schema = file.schema.to_arrow_schema()
    except OSError as error:
        raise InputError(f"Cannot read {path}: {reason(error)}.") from error
    except (ValueError, pa.ArrowException) as error:
        raise InputError(f"{path} is no Parquet file of `ocrbatch run --shard` ({error}).") from error
    if info is None or not schema.equals(SHARD_SCHEMA):
        raise InputError(f"{path} is no shard: only results of `ocrbatch run --shard I/N` by this version are merged.")
    try:
        return ShardFile(uri, ShardInfo.of_json(info), dict(config))
    except (TypeError, ValueError) as error:
        raise InputError(f"{path} is a shard of another version: start its command again with --overwrite.") from error


def _refuse_strangers(one: ShardFile, other: ShardFile) -> None:
    if one.info.of != other.info.of:
        raise InputError(
            f"{one.name} is shard {one.info.shard} and {other.name} is shard {other.info.shard}: these are parts of "
            f"different divisions."
        )
    words = f"{{name}} is {{one}} in {one.name}, {{other}} in {other.name}"
    if changes := differences(_plain(one.config), _plain(other.config), words):
        raise InputError(f"The shards were read with different settings: {changes}.")
    if (one.info.files, one.info.listing) != (other.info.files, other.info.listing):
        raise InputError(
            f"{one.name} and {other.name} are parts of different piles, of {one.info.files:,} and {other.info.files:,} "
            f"files: start the command of each shard again, it reads only what is new."
        )


def _plain(config: Mapping[str, Any]) -> dict[str, Any]:
    """Settings by the names that people know, and the version."""
    return {"the version of ocrbatch": config.get("ocrbatch"), **config.get("settings", {})}


def _refuse_gaps(infos: Sequence[ShardInfo]) -> None:
    of, there = infos[0].of, {info.number for info in infos}
    missing = of - len(there)
    if missing:
        absent = (number for number in range(1, of + 1) if number not in there)
        names = ", ".join(f"{number}/{of}" for number, _ in zip(absent, range(_NAMED), strict=False))
        more = f" and {missing - _NAMED} more" if missing > _NAMED else ""
        verb = "is" if missing == 1 else "are"
        raise InputError(
            f"Shard{'' if missing == 1 else 's'} {names}{more} {verb} missing: name the files of all {of}."
        )


def _runs(shard: ShardFile, columns: Sequence[str], stack: ExitStack) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Runs of rows of one source file, with its place in the listing."""
    try:
        file = stack.enter_context(pq.ParquetFile(_opened(shard.path)))
        for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE, columns=[*columns, ORDINAL]):
            places = batch[ORDINAL].to_numpy()
            cuts = [0, *(np.flatnonzero(np.diff(places)) + 1).tolist(), len(places)]
            for first, stop in pairwise(cuts):
                yield int(places[first]), batch.slice(first, stop - first)
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"Cannot read {shard.name}: {error}.") from error
