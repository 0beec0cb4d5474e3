"""Rows into a target, in whatever format it has: the way that `run`, `merge` and `convert` end in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from ocrbatch.outputs.documents import DocumentWriter, Outcome, Tell
from ocrbatch.outputs.formats import DOCUMENTS
from ocrbatch.outputs.naming import common_base
from ocrbatch.outputs.page_pictures import PageFiles
from ocrbatch.outputs.results import Row
from ocrbatch.outputs.target_folders import Documents
from ocrbatch.outputs.targets import Target
from ocrbatch.outputs.writers import writer_of

_TOLD = ["source", "page", "status", "error_kind", "error_message"]


@dataclass(frozen=True, slots=True)
class Results:
    """What a run found, to be gone through as often as need be: as batches, as rows, and the source of each row alone.
    ``created`` is when it was read; ``config`` are the settings, for the formats that hold them."""

    batches: Callable[[], Iterator[pa.RecordBatch]]
    rows: Callable[[], Iterator[Row]]
    sources: Callable[[], Iterator[str]]
    config: Mapping[str, Any]
    created: datetime


def rows_of(batches: Iterator[pa.RecordBatch]) -> Iterator[Row]:
    """The rows of some batches."""
    return (row for batch in batches for row in batch.to_pylist())


def save(results: Results, target: Target, work: Path, files: PageFiles, tell: Tell) -> None:
    """Write everything, and tell of each page; ``work`` is a folder for what is on its way. Raises OutputError."""
    if target.form not in DOCUMENTS:
        write = writer_of(target.form)
        target.write(lambda path, rows: write(path, rows, results.config), _told(results.batches(), tell), work)
        return
    if isinstance(target, Documents):
        target = replace(target, base=common_base(results.sources()))
    flush = not isinstance(target, Documents)  # thousands of small files, which are written again when in doubt
    document = DocumentWriter(target.form, results.created, files, tell, flush)
    target.write(document, results.rows(), work)


def _told(batches: Iterator[pa.RecordBatch], tell: Tell) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        for row in batch.select(_TOLD).to_pylist():
            reason = f"failed in the run ({row['error_kind']}: {row['error_message']})"
            problem = reason if row["status"] == "failed" else None
            tell(Outcome(row["source"], row["page"] or 0, problem, row["status"]))
        yield batch
