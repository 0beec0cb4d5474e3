"""The driver of a run: it lists files, hands units to workers and keeps the journal."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from ocrbatch.data.shards import Roll
from ocrbatch.data.sources import list_sources, still_there
from ocrbatch.errors import OutputError
from ocrbatch.outputs.formats import ONE_PAGE_ONLY
from ocrbatch.outputs.rows import page_facts, to_batch
from ocrbatch.pipeline.executor import Done, Executor, Lost
from ocrbatch.pipeline.journal import Journal
from ocrbatch.pipeline.ledger import Ledger
from ocrbatch.pipeline.local_workers import LocalWorkers
from ocrbatch.pipeline.planner import Planner
from ocrbatch.pipeline.processes import Processes
from ocrbatch.pipeline.units import Reply, Span, SpanReport, Unit
from ocrbatch.types import PageFailure, PageRef

if TYPE_CHECKING:
    from ocrbatch.pipeline.batch import Batch, Watch

_FILES_AT_A_TIME = 500
_LISTING_PAUSE = 0.0
_PAUSE = 0.2
_MEMORY_EVERY = 1.0


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands: pages read by this start, pages that had their rows before, and all pages known of;
    ``listed`` says whether the listing is complete. Memory is that of all processes, in bytes."""

    read: int = 0
    skipped: int = 0
    total: int = 0
    listed: bool = False
    failed: int = 0
    seconds: float = 0.0
    memory: int = 0
    peak_memory: int = 0


class Driver:
    """Runs a batch over a journal, which keeps ``settings`` with what is read, and its ledger."""

    def __init__(
        self,
        batch: Batch,
        journal: Journal,
        settings: Mapping[str, Any],
        ledger: Ledger,
        watch: Watch,
        processes: Processes | None = None,
    ) -> None:
        self.interrupted = False
        self.warned = 0
        self.stage_seconds: Counter[str] = Counter()
        self._batch = batch
        self._journal = journal
        self._settings = settings
        self._ledger = ledger
        self._watch = watch
        self._processes = processes
        self._planner = Planner(ledger, batch.unit_pages, batch.limit)
        skip = (*batch.skip, batch.journal, Path(batch.output.name))
        self.roll = Roll(batch.shard) if batch.shard else None
        takes = self.roll.takes if self.roll else (lambda _: True)
        self._listing = islice(list_sources(batch.paths, batch.selection, skip, takes), batch.limit)
        self._listed = False
        self._most = batch.output.most_pages
        self._n_files = 0
        self._read = 0
        self._failed = 0
        self._began = time.monotonic()
        self._memory = _Memory()

    @property
    def progress(self) -> Progress:
        """Where the run stands now."""
        total = self._n_files + self._planner.extra
        if self._batch.limit is not None:
            total = min(total, self._batch.limit)
        return Progress(
            self._read,
            self._planner.skipped,
            total,
            self._listed,
            self._failed,
            time.monotonic() - self._began,
            self._memory.now,
            self._memory.peak,
        )

    @property
    def gave_up(self) -> bool:
        """Whether more pages failed than the batch bears."""
        return self._batch.max_failures is not None and self._failed > self._batch.max_failures

    @property
    def _left(self) -> int | None:
        """Pages without a row, those under way too: more workers have nothing to do. None while the listing goes on."""
        return self.progress.total - self._planner.skipped - self._read if self._listed else None

    def work(self) -> None:
        """Read all pages that have no row yet. Workers start only when there are any."""
        waiting: deque[Unit] = deque()
        self._look_ahead(waiting)
        if not waiting:
            return
        with closing(self._executor()) as workers:
            if len(waiting) > 1:
                workers.grow(self._left)
            while True:
                stopping = self._watch.stopping() or self.gave_up
                while waiting and workers.idle and not stopping:
                    workers.submit(waiting.popleft())
                    self._look_ahead(waiting)
                if not workers.busy and (not waiting or stopping):
                    self.interrupted = bool(waiting)
                    return
                if waiting and workers.busy:
                    workers.grow(self._left)
                for event in workers.wait(_PAUSE if self._listed else _LISTING_PAUSE):
                    self._handle(event)
                self._list_more()
                self._look_ahead(waiting)
                self._memory.sample(workers.pids)
                self._watch.progress(self.progress)

    def _executor(self) -> Executor:
        batch = self._batch
        if batch.ray is None:
            processes = self._processes or Processes.told(batch.start)
            return LocalWorkers(processes, batch.workers or 1, batch.timeout)
        from ocrbatch.pipeline.ray_workers import RayWorkers

        return RayWorkers(batch.start, batch.workers, batch.timeout, batch.ray)

    def _look_ahead(self, waiting: deque[Unit]) -> None:
        """Have two units wait, if there are any: the second tells that one worker is too few."""
        while len(waiting) < 2 and (unit := self._next()):
            waiting.append(unit)

    def _next(self) -> Unit | None:
        """The next unit; lists on until there is one or the listing ends."""
        unit = self._planner.next(self._room())
        while unit is None and not self._listed:
            self._list_more()
            unit = self._planner.next(self._room())
        return unit

    def _room(self) -> int:
        """Pages of the next unit: ever fewer near the end, so that no worker waits long for the last one."""
        most, workers = self._batch.unit_pages, self._batch.workers
        if not self._listed or workers is None or workers == 1:
            return most
        left = self.progress.total - self._planner.skipped - self._planner.planned
        return max(1, min(most, left // (2 * workers)))

    def _list_more(self) -> None:
        if self._listed:
            return
        files = list(islice(self._listing, _FILES_AT_A_TIME))
        self._n_files += self._ledger.list_files(files)
        self._refuse_too_many()
        if len(files) < _FILES_AT_A_TIME:
            self._listed = True
            self._refuse_to_drop_rows()

    def _refuse_too_many(self) -> None:
        """A format with room for so many pages only is better refused now than after hours."""
        if self._most is not None and self.progress.total > self._most:
            raise OutputError(ONE_PAGE_ONLY)

    def _refuse_to_drop_rows(self) -> None:
        """Rows of files that are gone are dropped, as a fresh run would not have them; those of others never."""
        if self._batch.limit is not None:
            return
        left = [source for source in self._ledger.unlisted() if still_there(source, self._batch.paths)]
        if left:
            raise OutputError(
                f"{self._batch.name} has rows of {len(left)} files that this command does not name, such as "
                f"{left[0]}: name them too, choose another --out, or use --overwrite to begin anew."
            )

    def _handle(self, event: Done | Lost) -> None:
        if isinstance(event, Done):
            self._keep(event.unit.spans, event.reply)
            return
        where = ", ".join(span.file.source for span in event.unit.spans)
        self._watch.log(f"{event.kind} in {event.tick.stage} of {where}: {event.message}")
        span = self._planner.lost(event)
        if span is not None:
            self._keep((span,), self._failure(span, event))

    def _keep(self, spans: tuple[Span, ...], reply: Reply) -> None:
        if not self._journal.started:  # not before a page was read: a start that failed binds no other to its settings
            self._journal.start(self._settings)
        self._ledger.record(self._journal.append(reply.reports, reply.rows))
        self.stage_seconds.update(reply.seconds)
        self.warned += len(reply.warnings)
        for warning in reply.warnings:
            self._watch.log(warning)
        for span, report in zip(spans, reply.reports, strict=True):
            self._planner.reported(span, report)
            self._refuse_too_many()
            self._read += len(report.pages)
            for page, status, kind in report.pages:
                if status == "failed":
                    self._failed += 1
                    self._watch.log(f"{report.source}, page {page}: {kind}")

    def _failure(self, span: Span, event: Lost) -> Reply:
        """The row of a page that no worker survived."""
        tick = event.tick
        n_pages = span.n_pages if span.stop is not None else tick.n_pages
        sha256 = tick.sha256 or span.sha256
        failure = PageFailure(
            PageRef(span.file.source, span.first, n_pages), event.kind, tick.stage, event.message, sha256
        )
        facts = page_facts([failure])
        report = SpanReport(span.file.source, span.file.size, span.file.mtime_ns, sha256, n_pages, facts)
        return Reply((report,), to_batch([failure], *self._batch.models).serialize().to_pybytes(), {})


class _Memory:
    """Resident memory of this process and its workers, in bytes, looked up about once a second."""

    def __init__(self) -> None:
        self.now = 0
        self.peak = 0
        self._next = 0.0

    def sample(self, pids: list[int]) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _MEMORY_EVERY
        self.now = psutil.Process().memory_info().rss + sum(_resident(pid) for pid in pids)
        self.peak = max(self.peak, self.now)


def _resident(pid: int) -> int:
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:  # it just ended
        return 0
