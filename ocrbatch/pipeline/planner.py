"""Which pages to read next."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace

from ocrbatch.pipeline.executor import Lost
from ocrbatch.pipeline.ledger import KnownFile, Ledger
from ocrbatch.pipeline.units import Span, SpanReport, Unit

_FILES_AT_A_TIME = 64
_TRIES = 2


class Planner:
    """Makes units of what the ledger has listed and lacks. The rest of a file that was begun comes before new files,
    pages that lost their worker before all. With ``limit`` only the first pages in input order are read; a file counts
    for at least one page, so a few more may be."""

    def __init__(self, ledger: Ledger, unit_pages: int, limit: int | None = None) -> None:
        self._ledger = ledger
        self._unit_pages = unit_pages
        self._limit = limit
        self._retries: deque[Unit] = deque()
        self._rests: deque[Span] = deque()
        self._files: deque[KnownFile] = deque()
        self._next_ordinal = 0
        self.skipped = 0
        self.planned = 0
        self.extra = 0
        """Pages beyond one for each file that was looked at; ``skipped`` are those that had their rows already, and
        ``planned`` those in units."""

    def next(self, most: int | None = None) -> Unit | None:
        """The next unit, of at most ``most`` pages; None when all that is listed now is read or on its way."""
        if self._retries:
            return self._retries.popleft()
        spans: list[Span] = []
        most = most or self._unit_pages
        room = most
        while room > 0 and (span := self._next_span(room)):
            spans.append(span)
            room -= 1 if span.stop is None else span.stop - span.first
        self.planned += most - room
        return Unit(tuple(spans), self._unit_pages) if spans else None

    def reported(self, span: Span, report: SpanReport) -> None:
        """A span was answered and the ledger knows it: plan the rest of a file that was just looked at."""
        if span.stop is None:
            self.extra += report.n_pages - 1
            file = replace(span.file, size=report.size, mtime_ns=report.mtime_ns)
            known = replace(span, file=file, sha256=report.sha256, n_pages=report.n_pages)
            missing = self._ledger.missing(report.source, report.n_pages)
            self.skipped += report.n_pages - len(report.pages) - sum(stop - first for first, stop in missing)
            self._rests.extend(self._cut(known, missing))

    def lost(self, event: Lost) -> Span | None:
        """A unit lost its worker: plan its pages one by one, or give back the page that is to blame."""
        unit = event.unit
        if unit.attempt == 0:
            singles = [single for span in unit.spans for single in span.single_pages()]
            self._retries.extend(Unit((single,), 1, 1) for single in singles)
            return None
        if event.kind == "WorkerCrashed" and unit.attempt < _TRIES:
            self._retries.append(replace(unit, attempt=unit.attempt + 1))
            return None
        return unit.spans[0]

    def _next_span(self, room: int) -> Span | None:
        if not self._rests:
            self._rests.extend(self._new_spans())
        if not self._rests:
            return None
        span = self._rests.popleft()
        if span.stop is not None and span.stop - span.first > room:
            self._rests.appendleft(replace(span, first=span.first + room))
            return replace(span, stop=span.first + room)
        return span

    def _new_spans(self) -> Iterator[Span]:
        """Spans of the next listed file that lacks any."""
        while True:
            if not self._files:
                self._files.extend(self._ledger.files_from(self._next_ordinal, _FILES_AT_A_TIME))
            if not self._files:
                return
            known = self._files.popleft()
            self._next_ordinal = known.ordinal + 1
            spans = self._spans(known)
            if spans:
                yield from spans
                return

    def _spans(self, known: KnownFile) -> list[Span]:
        span = Span(known.file, sha256=known.sha256, n_pages=max(1, known.n_pages), ordinal=known.ordinal)
        if not known.untouched:
            return self._cut(span, [(0, 1)]) and [span]
        missing = self._ledger.missing(known.file.source, known.n_pages)
        self.extra += known.n_pages - 1
        self.skipped += known.n_pages - sum(stop - first for first, stop in missing)
        return self._cut(span, missing)

    def _cut(self, span: Span, runs: list[tuple[int, int]]) -> list[Span]:
        """Spans of the runs of a file, without the pages behind the limit."""
        if self._limit is not None:
            most = self._limit - span.ordinal
            runs = [(first, min(stop, most)) for first, stop in runs if first < most]
        return [replace(span, first=first, stop=stop) for first, stop in runs]
