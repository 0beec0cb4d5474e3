"""The end of a run: from the journal to the final files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa

from ocrbatch.data.shards import Roll
from ocrbatch.errors import OutputError
from ocrbatch.outputs.arrow_columns import numbers
from ocrbatch.outputs.documents import Outcome
from ocrbatch.outputs.page_pictures import PageFiles
from ocrbatch.outputs.saving import Results, rows_of, save
from ocrbatch.outputs.shards import SHARD_SCHEMA, ShardInfo, write_shard
from ocrbatch.outputs.target_folders import Documents
from ocrbatch.outputs.targets import Target
from ocrbatch.pipeline.journal import Journal
from ocrbatch.pipeline.ledger import Ledger, PageRow


@dataclass(frozen=True, slots=True)
class Ending:
    """What is written: ``target`` with ``config`` in its metadata, from the journal in the folder ``work``. ``paths``
    are the inputs of the run, which say how pages that are elsewhere are reached."""

    work: Path
    target: Target
    paths: Sequence[str]
    config: Mapping[str, Any]

    def write(
        self, journal: Journal, ledger: Ledger, limit: int | None, roll: Roll | None, log: Callable[[str], None]
    ) -> tuple[str, int]:
        """Write the final files unless they are there already, as this very journal would make them: ``written`` or
        ``unchanged``, and how many good pages were left out, about which ``log`` is told. Raises OutputError."""
        digest = ledger.tally(limit).digest + (f" {roll.digest}" if roll else "")
        there = self.target.mark()
        if there and self._finished() == _mark(self.target, digest, there):
            return "unchanged", 0
        self._marker.unlink(missing_ok=True)
        left_out = self._shard(journal, ledger, roll) if roll else self._save(journal, ledger, limit, log)
        if not left_out:  # else the next start tries again
            unfinished = self._marker.with_suffix(".partial")
            unfinished.write_text(json.dumps(_mark(self.target, digest, self.target.mark())))
            unfinished.replace(self._marker)
        return "written", left_out

    def refuse_changed(self) -> None:
        """Raises OutputError when somebody else has changed the results since they were written, which writing them
        again would undo."""
        if changed := self._changed():
            raise OutputError(
                f"{changed} was changed since it was written: move it away, and it is made anew from what was read, or "
                f"choose another --out."
            )

    def _changed(self) -> str | None:
        if isinstance(self.target, Documents):
            name = self.target.changed(self.work)
            return name and f"{self.target.name.rstrip('/')}/{name}"
        finished = self._finished()
        noted = finished.get("there")
        if finished.get("form") != self.target.form or not isinstance(noted, dict):
            return None
        foreign = any(noted.get(key) != value for key, value in self.target.mark().items())  # a lost part is no loss
        return self.target.name if foreign else None

    @property
    def _marker(self) -> Path:
        return self.work / "finished.json"

    def _finished(self) -> dict[str, Any]:
        """What was noted when the results were last written whole; empty when they never were, or the note is
        damaged."""
        try:
            noted = json.loads(self._marker.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return noted if isinstance(noted, dict) else {}

    def _shard(self, journal: Journal, ledger: Ledger, roll: Roll) -> int:
        info = ShardInfo(roll.shard.number, roll.shard.of, roll.files, roll.digest)
        rows = _batches(journal, ledger.rows(), with_place=True)
        self.target.write(partial(write_shard, config=self.config, info=info), rows, self.work)
        return 0

    def _save(self, journal: Journal, ledger: Ledger, limit: int | None, log: Callable[[str], None]) -> int:
        left_out = 0

        def tell(page: Outcome) -> None:
            nonlocal left_out
            if page.problem is not None and page.status != "failed":
                left_out += 1
                log(f"{page.source}, page {page.page}: left out, {page.problem}")

        def batches() -> Iterator[pa.RecordBatch]:
            return _batches(journal, ledger.rows(limit))

        results = Results(
            batches,
            lambda: rows_of(batches()),
            lambda: (row.source for row in ledger.rows(limit)),
            self.config,
            datetime.fromtimestamp(journal.last_change(), UTC),
        )
        with PageFiles(reached=self.paths) as files:
            save(results, self.target, self.work, files, tell)
        return left_out


def _mark(target: Target, digest: str, there: Mapping[str, Any]) -> dict[str, Any]:
    return {"digest": digest, "form": target.form, "there": there}


def _batches(journal: Journal, rows: Iterable[PageRow], *, with_place: bool = False) -> Iterator[pa.RecordBatch]:
    """Rows from the journal, in the order asked for, as shards have them if ``with_place``."""
    for place, same in groupby(rows, key=lambda row: row.place):
        wanted = list(same)
        batch = _picked(journal.rows(place), [row.position for row in wanted])
        if with_place:
            listed = numbers([row.listed for row in wanted], pa.int64())
            batch = pa.RecordBatch.from_arrays([*batch.columns, listed], schema=SHARD_SCHEMA)
        yield batch


def _picked(batch: pa.RecordBatch, positions: list[int]) -> pa.RecordBatch:
    """Some rows of a batch; nearly always all of them, and then pyarrow's functions need not be imported."""
    if positions == list(range(batch.num_rows)):
        return batch
    return batch.take(numbers(positions, pa.int32()))
