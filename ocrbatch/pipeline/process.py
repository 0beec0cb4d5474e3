"""From a unit to its rows: the one pure function that a worker runs."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from ocrbatch.config.run import RunConfig
from ocrbatch.data.fetch import Fetcher
from ocrbatch.data.gray import is_gray
from ocrbatch.data.images import Document, load_decoders, looks_like_pdf, probe, read_page, stamp
from ocrbatch.data.problems import ChangedFile
from ocrbatch.errors import BundleError
from ocrbatch.outputs.pictures import Drawing
from ocrbatch.outputs.rows import STAGES, Outcome, page_facts, to_batch
from ocrbatch.pipeline.chain import Chain, Views
from ocrbatch.pipeline.text import page_text
from ocrbatch.pipeline.turning import in_words
from ocrbatch.pipeline.units import Reply, Span, SpanReport, Tick, Unit
from ocrbatch.plugin_system.host import Host
from ocrbatch.types import Image, PageFailure, PageRef, PageResult, TextRegion

SendTick = Callable[[Tick], None]


@dataclass(slots=True)
class _Page:
    """A page on its way through the stages."""

    ref: PageRef
    sha256: str
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))
    failure: PageFailure | None = None
    warnings: tuple[str, ...] = ()
    width: int = 0
    height: int = 0
    picture: Image | None = None
    regions: tuple[TextRegion, ...] = ()
    views: list[Views] = field(default_factory=list)
    document: Document | None = None
    quarters: int = 0

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Times a step; an error in it becomes the page's failure."""
        start = time.perf_counter()
        try:
            yield
        except Exception as error:
            self.failure = _failure(self.ref, error, name, self.sha256)
        finally:
            self.seconds[name] += time.perf_counter() - start


@dataclass(frozen=True, slots=True)
class Processor:
    """A chain at work; with ``drawing`` it also draws the pages."""

    chain: Chain
    drawing: Drawing | None = None
    fetch: Fetcher = field(default_factory=Fetcher)

    def __call__(self, unit: Unit, tick: SendTick) -> Reply:
        """Rows of a unit. Never raises for what a file or page holds: that becomes a failed row."""
        reports, pages = [], []
        for span in unit.spans:
            report, read = self._read_span(span, unit.most, tick)
            reports.append(report)
            pages += read
        self._recognize(pages, tick)
        for page in pages:
            self._turn(page, tick)
        outcomes = iter([self._finish(page, tick) for page in pages])
        written: list[Outcome] = []
        filled = []
        for report in reports:
            rows = [next(outcomes) for _ in report.pages]
            written += rows
            filled.append(replace(report, pages=page_facts(rows)))
        seconds = {stage: sum(page.seconds[stage] for page in pages) for stage in STAGES}
        return Reply(tuple(filled), self._batch(written), seconds, _warnings(written))

    def _batch(self, outcomes: Sequence[Outcome]) -> bytes:
        det, rec = self.chain.detector, self.chain.recognizer
        batch = to_batch(outcomes, det.model if det else None, rec.model if rec else None)
        content: bytes = batch.serialize().to_pybytes()
        return content

    def _read_span(self, span: Span, most: int, tick: SendTick) -> tuple[SpanReport, list[_Page]]:
        """Pages of a span with their boxes found. The report lists the pages without a status yet."""
        tick(Tick("open", span.first, span.n_pages, span.sha256))
        sha256, size, mtime_ns = span.sha256 if span.stop else "", span.file.size, span.file.mtime_ns
        try:
            path = self.fetch(span.file.path, lambda: tick(Tick("open", span.first, span.n_pages, span.sha256)))
            if span.stop is None:
                sha256, size, mtime_ns = stamp(path)
                tick(Tick("open", 0, 1, sha256))
                if sha256 == span.sha256:
                    return SpanReport(span.file.source, size, mtime_ns, sha256, span.n_pages, ()), []
                document = probe(path, sha256, size, mtime_ns)
                numbers = range(min(most, document.n_pages))
            else:
                document = _reopen(span, path)
                numbers = range(span.first, span.stop)
        except Exception as error:
            numbers = range(span.first, span.stop or span.first + 1)
            n_pages = span.n_pages if span.stop else 1
            refs = [PageRef(span.file.source, number, n_pages) for number in numbers]
            failed = [_Page(ref, sha256, failure=_failure(ref, error, "open", sha256)) for ref in refs]
            return _report(span, size, mtime_ns, sha256, n_pages, numbers), failed
        pages = [self._find(document, span.file.source, number, tick) for number in numbers]
        return _report(span, size, mtime_ns, sha256, document.n_pages, numbers), pages

    def _find(self, document: Document, source: str, number: int, tick: SendTick) -> _Page:
        page = _Page(PageRef(source, number, document.n_pages), document.sha256, document=document)
        tick(Tick("decode", number, document.n_pages, document.sha256))
        with page.stage("decode"):
            picture, page.warnings = read_page(document, number, self.chain.how)
            if self.drawing:  # what is drawn on keeps its colours; what is read is the same either way
                page.picture = self._in_colour(document, number) if is_gray(picture) else picture
        if page.failure:
            return page
        page.height, page.width = picture.shape[:2]
        tick(Tick("detect", number, document.n_pages, document.sha256))
        with page.stage("detect"):
            page.regions = self.chain.detect(picture)
        with page.stage("rectify"):
            page.views = self.chain.views(picture, page.regions)
        return page

    def _in_colour(self, document: Document, number: int) -> Image:
        return read_page(document, number, replace(self.chain.how, gray=False))[0]

    def _recognize(self, pages: Sequence[_Page], tick: SendTick) -> None:
        """Read the lines of all pages together; when that fails, page by page to find whose fault it is."""
        alive = [page for page in pages if not page.failure]
        start = time.perf_counter()
        try:
            self._read(alive, tick)
        except Exception:
            for page in alive:
                with page.stage("recognize"):
                    self._read([page], tick)
        else:
            lines = sum(len(page.views) for page in alive) or 1
            for page in alive:
                page.seconds["recognize"] += (time.perf_counter() - start) * len(page.views) / lines

    def _read(self, pages: Sequence[_Page], tick: SendTick) -> None:
        if not pages:
            return
        ref = pages[0].ref
        alive = Tick("recognize", ref.page, ref.n_pages, pages[0].sha256)
        texts = self.chain.recognize([(page.regions, page.views) for page in pages], lambda: tick(alive))
        for page, regions in zip(pages, texts, strict=True):
            page.regions, page.views = regions, page.views

    def _turn(self, page: _Page, tick: SendTick) -> None:
        """A page that was read badly is looked at once more: it may lie on its side or upside down."""
        if page.failure or page.document is None or not self.chain.doubts(page.regions):
            return
        ref = page.ref
        alive = Tick("recognize", ref.page, ref.n_pages, page.sha256)
        tick(alive)
        with page.stage("recognize"):
            picture, _ = read_page(page.document, ref.page, self.chain.how)
            page.quarters, page.regions = self.chain.upright(picture, page.regions, lambda: tick(alive))
            page.warnings += in_words(page.quarters)
        if page.failure:  # what was read stays
            page.warnings += (f"Whether the page lies upright could not be found out ({page.failure.message}).",)
            page.failure = None

    def _finish(self, page: _Page, tick: SendTick) -> Outcome:
        if page.failure:
            return page.failure
        tick(Tick("post", page.ref.page, page.ref.n_pages, page.sha256))
        with page.stage("post"):
            page.regions = self.chain.finish(page.regions, page.width, page.height, page.quarters)
        if self.drawing and page.picture is not None and not page.failure:
            page.warnings += _draw(self.drawing, page, page.picture)
        if page.failure:
            return page.failure
        return PageResult(
            page.ref,
            page.sha256,
            page.width,
            page.height,
            page.regions,
            page_text(page.regions),
            page.warnings,
            page.seconds,
        )


def build_processor(
    config: RunConfig,
    host: Host,
    threads: int,
    drawing: Drawing | None,
    models: tuple[str | None, str | None] | None = None,
) -> Processor:
    """A processor with its models loaded, for one worker. Raises BundleError when they are not ``models``, as results
    call detector and recognizer: on another machine the same path may hold another bundle."""
    import cv2

    cv2.setNumThreads(threads)
    load_decoders()
    chain = Chain.build(config, host, threads)
    found = chain.detector and chain.detector.model, chain.recognizer and chain.recognizer.model
    if models is not None and found != models:
        raise BundleError(
            f"The models on {platform.node()} are {found}, not {models}: give all machines the same bundles."
        )
    return Processor(chain, drawing)


def _draw(drawing: Drawing, page: _Page, picture: Image) -> tuple[str, ...]:
    """A picture that cannot be drawn costs a warning, never the page."""
    try:
        drawing.write(page.ref, picture, page.regions)
    except Exception as error:
        return (f"The picture could not be drawn ({type(error).__name__}: {error}).",)
    return ()


def _warnings(outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    """A line for each page with warnings."""
    pages = (outcome for outcome in outcomes if isinstance(outcome, PageResult) and outcome.warnings)
    return tuple(f"{page.ref.source}, page {page.ref.page}: {' '.join(page.warnings)}" for page in pages)


def _failure(ref: PageRef, error: Exception, stage: str, sha256: str) -> PageFailure:
    return PageFailure(ref, type(error).__name__, stage, str(error) or repr(error), sha256)


def _reopen(span: Span, path: Path) -> Document:
    """A file that was looked at before. Raises ChangedFile when it is another by now."""
    status = path.stat()
    touched = (status.st_size, status.st_mtime_ns) != (span.file.size, span.file.mtime_ns)
    if touched and stamp(path)[0] != span.sha256:
        raise ChangedFile(f"{path.name} was changed while it was being read: start again to read it anew.")
    size, mtime_ns = span.file.size, span.file.mtime_ns
    return Document(path, span.sha256, size, mtime_ns, span.n_pages, looks_like_pdf(path))


def _report(span: Span, size: int, mtime_ns: int, sha256: str, n_pages: int, numbers: range) -> SpanReport:
    return SpanReport(span.file.source, size, mtime_ns, sha256, n_pages, tuple((number, "", "") for number in numbers))
