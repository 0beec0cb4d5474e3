"""Rows divided into files of bounded size."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter

import pyarrow as pa

ROWS_PER_PART = 8192
"""Pages in each file but the last: about a hundred megabytes of dense text."""

_PART = re.compile(r"part-\d{5,}\.parquet")


def part_name(number: int) -> str:
    """Name of a part file, counted from 0."""
    return f"part-{number:05d}.parquet"


def is_part(name: str) -> bool:
    """Whether :func:`part_name` makes such names."""
    return _PART.fullmatch(name) is not None


def divided(batches: Iterable[pa.RecordBatch], most: int = ROWS_PER_PART) -> Iterator[Iterator[pa.RecordBatch]]:
    """The rows of each part in turn, ``most`` in all but the last, however the batches were cut; one part without rows
    when there are none. Each must be used up before the next is asked for, as with :func:`itertools.groupby`."""
    empty = True
    for _, pieces in groupby(_numbered(batches, most), key=itemgetter(0)):
        empty = False
        yield (piece for _, piece in pieces)
    if empty:
        yield iter(())


def _numbered(batches: Iterable[pa.RecordBatch], most: int) -> Iterator[tuple[int, pa.RecordBatch]]:
    rows = 0
    for batch in batches:
        while batch.num_rows:
            piece = batch.slice(0, most - rows % most)
            yield rows // most, piece
            rows += piece.num_rows
            batch = batch.slice(piece.num_rows)
