"""Parquet files of shards: rows as always, a column with the place of their files, and metadata that says what they are
a part of."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from ocrbatch.data.shards import Shard
from ocrbatch.outputs.rows import SCHEMA
from ocrbatch.outputs.writers import CONFIG_KEY, write_rows

SHARD_KEY = "ocrbatch.shard"
"""Key of a Parquet file's metadata that holds a :class:`ShardInfo` as JSON."""

ORDINAL = "ordinal"
"""Name of the column with the place of a row's file in the whole listing, from 0."""

SHARD_SCHEMA = SCHEMA.append(pa.field(ORDINAL, pa.int64()))


@dataclass(frozen=True, slots=True)
class ShardInfo:
    """Which part a file holds, and of what: number and digest of all files of the listing."""

    number: int
    of: int
    files: int
    listing: str

    @classmethod
    def of_json(cls, noted: Any) -> ShardInfo:
        """What :func:`write_shard` noted. Raises TypeError for anything else."""
        info = cls(**noted)
        if {type(info.number), type(info.of), type(info.files)} != {int} or not isinstance(info.listing, str):
            raise TypeError(f"{noted} is no shard")
        return info

    @property
    def shard(self) -> Shard:
        """The part."""
        return Shard(self.number, self.of)


def write_shard(target: Path, batches: Iterable[pa.RecordBatch], config: Mapping[str, Any], info: ShardInfo) -> None:
    """Like :func:`ocrbatch.outputs.writers.write_parquet`, for batches of :data:`SHARD_SCHEMA`. Raises OutputError."""
    metadata = {CONFIG_KEY: json.dumps(config, sort_keys=True), SHARD_KEY: json.dumps(asdict(info), sort_keys=True)}
    write_rows(target, batches, SHARD_SCHEMA.with_metadata(metadata))
