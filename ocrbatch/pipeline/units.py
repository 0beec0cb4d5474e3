"""What travels between the driver and its workers."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ocrbatch.data.sources import SourceFile


@dataclass(frozen=True, slots=True)
class Span:
    """Consecutive pages of one file.

    With ``stop`` None nobody has looked at the file yet: the worker counts its pages and reads as many from the first
    as its unit allows. If ``sha256`` is given all the same, the file was read before and seems touched: it is left
    alone when its content is still that. ``ordinal`` is the file's place in the listing, from 0.
    """

    file: SourceFile
    first: int = 0
    stop: int | None = None
    sha256: str = ""
    n_pages: int = 1
    ordinal: int = 0

    def single_pages(self) -> list[Span]:
        """One span for each page, as far as they are known."""
        if self.stop is None:
            return [self]
        return [replace(self, first=page, stop=page + 1) for page in range(self.first, self.stop)]


@dataclass(frozen=True, slots=True)
class Unit:
    """What a worker takes at a time; ``most`` pages of each span that nobody has looked at. ``attempt`` counts how
    often a page of its own was tried; 0 is a first try, with others."""

    spans: tuple[Span, ...]
    most: int
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class Tick:
    """Sign of life of a worker: the step that it begins, and the page with what is known of its file."""

    stage: str
    page: int = 0
    n_pages: int = 1
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class SpanReport:
    """What became of a span: the file as it was found, and of each page that has a row its number, status and kind of
    error (empty when there was none)."""

    source: str
    size: int
    mtime_ns: int
    sha256: str
    n_pages: int
    pages: tuple[tuple[int, str, str], ...]


@dataclass(frozen=True, slots=True)
class Reply:
    """A unit's reports in the order of its spans, and its rows in the order of their pages, as bytes of an Arrow
    record batch; ``seconds`` is the time of each stage; ``warnings`` has a line for each page with any."""

    reports: tuple[SpanReport, ...]
    rows: bytes
    seconds: dict[str, float]
    warnings: tuple[str, ...] = ()
