"""The chain: detect, rectify each box, recognize, post-process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ocrbatch.config.run import RunConfig
from ocrbatch.config.schema import RecognizerConfig, RecognizerInput
from ocrbatch.config.values import validate
from ocrbatch.contracts import Postprocessor
from ocrbatch.contracts import Reading as LineReading
from ocrbatch.data.images import Document, Reading, probe, read_page, stamp
from ocrbatch.errors import InputError
from ocrbatch.pipeline.cores import usable_cores
from ocrbatch.pipeline.detect import Detector
from ocrbatch.pipeline.long_lines import join
from ocrbatch.pipeline.models import label, open_bundles, postprocessors
from ocrbatch.pipeline.recognize import Recognizer, View, with_texts
from ocrbatch.pipeline.text import page_text
from ocrbatch.pipeline.turning import BETTER, in_words, longest_lines, mean_score, turned, turned_back, upside_down
from ocrbatch.plugin_system.host import Host
from ocrbatch.types import Image, PageRef, PageResult, Polygon, TextRegion

Views = list[View]

_PADDING_STEP = 32
_LETTER = 0.5  # width of a letter over the height of its line


@dataclass(frozen=True, slots=True)
class Chain:
    """Loaded models and postprocessors. Without a detector each page is one line; without a recognizer nothing is read.

    A chain belongs to one process; sharing it between threads is safe as far as the engine is.
    """

    detector: Detector | None
    recognizer: Recognizer | None
    post: tuple[Postprocessor, ...]
    how: Reading
    turn_below: float = 0.0

    @classmethod
    def default(cls, *, threads: int | None = None) -> Chain:
        """The bundles and postprocessors that come with ocrbatch."""
        return cls.build(RunConfig(), Host.load(), threads)

    @classmethod
    def load(
        cls,
        det: str | Path = "det",
        rec: str | Path = "rec",
        *,
        threads: int | None = None,
        host: Host | None = None,
        **options: Any,
    ) -> Chain:
        """A chain of these bundles; ``options`` are keys of :class:`ocrbatch.config.run.RunConfig`, such as
        ``post=[{"name": "reading_order"}]`` or ``dpi=300``. Raises BundleError, ConfigError, PluginError."""
        values = {"det": {"bundle": str(det)}, "rec": {"bundle": str(rec)}, **options}
        return cls.build(validate(RunConfig, values), host or Host.load(), threads)

    @classmethod
    def build(cls, config: RunConfig, host: Host, threads: int | None = None) -> Chain:
        """The chain that ``config`` describes, each network on ``threads`` threads (all cores when None)."""
        det, rec = open_bundles(config, host)
        engine_plugin = host.engine(config.engine.name)
        engine = host.resolve(engine_plugin.factory)(host.config(engine_plugin, config.engine.options, "engine"))
        threads = threads or usable_cores()
        detector = recognizer = None
        if det is not None:
            session = engine.open(det.graph, threads)
            detector = Detector(det.codec(), session, det.config.input, config.tiles, label(det), config.letter_height)
        if rec is not None:
            session = engine.open(rec.graph, threads)
            input = rec.config.input
            recognizer = Recognizer(
                rec.codec(),
                session,
                config.batch_lines,
                config.turn_tall,
                label(rec),
                _longest(rec.config),
                _step(input),
                crop_height=config.crop_height,
                gray=input.color == "gray",
            )
        gray = all(bundle.config.input.color == "gray" for bundle in (det, rec) if bundle is not None)
        how = Reading(config.dpi, config.pixel_limit, gray)
        return cls(detector, recognizer, postprocessors(config, host), how, config.turn_below)

    def read(self, source: str | Path | Image, page: int = 0) -> PageResult:
        """One page of a file (``page`` counts from 0), or a picture, RGB uint8 (H, W, 3). Raises InputError."""
        if isinstance(source, np.ndarray):
            if source.dtype != np.uint8 or source.ndim != 3 or source.shape[2] != 3 or not source.size:
                raise InputError(f"A picture must be RGB, uint8, (H, W, 3), not {source.dtype} {source.shape}.")
            return self._read(PageRef("", 0, 1), "", np.ascontiguousarray(source), ())
        document = _open(source)
        if not 0 <= page < document.n_pages:
            raise InputError(f"{source} has {document.n_pages} pages, counted from 0: there is no page {page}.")
        return self._read_document(document, page)

    def read_all(self, source: str | Path) -> Iterator[PageResult]:
        """All pages of a file, one at a time. Raises InputError."""
        document = _open(source)
        for page in range(document.n_pages):
            yield self._read_document(document, page)

    def detect(self, page: Image) -> tuple[TextRegion, ...]:
        """Regions of a page without text; the whole page as one region when there is no detector."""
        if self.detector is not None:
            return self.detector.find(page)
        height, width = page.shape[:2]
        return (TextRegion(np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)),)

    def views(self, page: Image, regions: Sequence[TextRegion]) -> list[Views]:
        """What the recognizer is to read of each region."""
        if self.recognizer is None:
            return [[] for _ in regions]
        if self.detector is None:
            return [self.recognizer.views_of(page, region.points) for region in regions]
        return self.recognizer.views(page, regions)

    def recognize(
        self, pages: Sequence[tuple[Sequence[TextRegion], Sequence[Views]]], between: Callable[[], None] = lambda: None
    ) -> list[tuple[TextRegion, ...]]:
        """Regions of several pages with their text, read together. ``between`` is called before each batch."""
        if self.recognizer is None:
            return [tuple(regions) for regions, _ in pages]
        lines = [line for _, views in pages for several in views for view in several for line in view.lines]
        readings = iter(self.recognizer.read(lines, between))

        def read(view: View) -> tuple[Polygon, LineReading]:
            return view.points, join([next(readings) for _ in view.lines], view.pieces)

        return [
            with_texts(regions, [[read(view) for view in several] for several in views]) for regions, views in pages
        ]

    def doubts(self, regions: Sequence[TextRegion]) -> bool:
        """Whether a page was read so badly that it may not lie upright."""
        return self.detector is not None and 0 < mean_score(regions) < self.turn_below

    def upright(
        self, page: Image, regions: tuple[TextRegion, ...], between: Callable[[], None] = lambda: None
    ) -> tuple[int, tuple[TextRegion, ...]]:
        """How many quarters to turn a page counterclockwise so that it reads best, tried on some of its lines, and its
        regions read so, in pixels of the turned page; 0 and ``regions`` where no other way is clearly better."""
        on_side = turned(page, 1)
        lines, side_lines = longest_lines(regions), longest_lines(self.detect(on_side))
        scores = {0: mean_score(regions) + BETTER}
        for quarters, picture, sample in (
            (1, on_side, side_lines),
            (2, page, upside_down(lines)),
            (3, on_side, upside_down(side_lines)),
        ):
            scores[quarters] = mean_score(self.recognize([(sample, self.views(picture, sample))], between)[0])
        best = max(scores, key=lambda quarters: scores[quarters])
        if best == 0:
            return 0, regions
        picture = turned(page, best)
        found = self.detect(picture)
        return best, self.recognize([(found, self.views(picture, found))], between)[0]

    def regions_upright(self, page: Image) -> tuple[int, tuple[TextRegion, ...]]:
        """The regions of a page with their texts, and by how many quarters it was turned for them: see
        :meth:`upright`. They are not yet post-processed."""
        found = self.detect(page)
        (regions,) = self.recognize([(found, self.views(page, found))])
        return self.upright(page, regions) if self.doubts(regions) else (0, regions)

    def finish(
        self, regions: tuple[TextRegion, ...], width: int, height: int, quarters: int = 0
    ) -> tuple[TextRegion, ...]:
        """Regions after all postprocessors, on a page of ``width`` and ``height``, which see it turned by ``quarters``
        counterclockwise, as the regions were read."""
        seen = (height, width) if quarters % 2 else (width, height)
        for step in self.post:
            regions = step(regions, *seen)
        return turned_back(regions, quarters, width, height)

    def _read_document(self, document: Document, page: int) -> PageResult:
        picture, warnings = read_page(document, page, self.how)
        return self._read(PageRef(str(document.path), page, document.n_pages), document.sha256, picture, warnings)

    def _read(self, ref: PageRef, sha256: str, picture: Image, warnings: tuple[str, ...]) -> PageResult:
        height, width = picture.shape[:2]
        quarters, regions = self.regions_upright(picture)
        regions = self.finish(regions, width, height, quarters)
        return PageResult(ref, sha256, width, height, regions, page_text(regions), (*warnings, *in_words(quarters)))


def _longest(config: RecognizerConfig) -> float:
    """Length of a line over its height that a recognizer was made for. One of a single width squeezes all lines into
    it, and is trained so, but no label that it saw was longer than ``max_length`` characters."""
    widths = config.input.widths
    return widths[-1] / config.input.height if len(widths) > 1 else config.max_length * _LETTER


def _step(input: RecognizerInput) -> int | None:
    """Columns to which lines are padded: between the widths that a network was trained on, others cost it nothing. A
    network of a single width takes no other."""
    return _PADDING_STEP if len(input.widths) > 1 else None


def _open(source: str | Path) -> Document:
    path = Path(source)
    return probe(path, *stamp(path))
