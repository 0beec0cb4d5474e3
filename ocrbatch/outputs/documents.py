"""Documents of pages: plain text, hOCR, ALTO, PAGE and searchable PDF, with any number of pages in one file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, Any, Protocol
from xml.etree.ElementTree import Element

from ocrbatch.errors import OutputError
from ocrbatch.outputs import alto, hocr, pagexml
from ocrbatch.outputs.files import replacing
from ocrbatch.outputs.formats import ONE_PAGE, ONE_PAGE_ONLY
from ocrbatch.outputs.layout import Layout, layout_of
from ocrbatch.outputs.page_pictures import NO_PICTURE, PageFiles
from ocrbatch.outputs.xml_text import fragment

if TYPE_CHECKING:
    from ocrbatch.outputs.searchable_pdf import SearchablePdf

_IN_MEMORY = 1 << 20  # bytes; what a few pages take, so that a folder of pages needs no temporary files
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """A page that was written or, with a ``problem``, left out; ``status`` is that of its row."""

    source: str
    page: int
    problem: str | None = None
    status: str = "ok"


Tell = Callable[[Outcome], None]


@dataclass(frozen=True, slots=True)
class DocumentWriter:
    """Writes rows as one document of the format ``form``, and tells of each page.

    Pages that failed in the run, or that cannot be written, are left out and told of. A document without any page is
    none: then there is no file, but for text, which keeps the places of failed pages. ``created`` is when the pages
    were read, ``files`` is where PDFs find their pictures, ``flush`` whether files are forced onto the disk.
    """

    form: str
    created: datetime
    files: PageFiles
    tell: Tell
    flush: bool = True

    def __call__(self, target: Path, rows: Iterable[Mapping[str, Any]]) -> None:
        """Raises OutputError."""
        if self.form == "txt":
            self._text(target, rows)
            return
        with SpooledTemporaryFile(_IN_MEMORY, dir=str(target.parent)) as spool, self._document(spool) as document:
            pages = 0
            for row in rows:
                problem = self._add(document, row, pages)
                pages += problem is None
                self.tell(outcome(row, problem))
            if pages:
                with replacing(target, flush=self.flush) as path:
                    document.save(path)
            else:
                target.unlink(missing_ok=True)

    def _add(self, document: _Document, row: Mapping[str, Any], before: int) -> str | None:
        """Add a page; else say why not."""
        if problem := failure(row):
            return problem
        if before and self.form in ONE_PAGE:
            raise OutputError(ONE_PAGE_ONLY)
        try:
            document.add(row)
        except NO_PICTURE as error:
            return str(error)
        return None

    def _text(self, target: Path, rows: Iterable[Mapping[str, Any]]) -> None:
        """Each page ends in a form feed, a failed one too, so that the n-th part is the n-th page."""
        with (
            replacing(target, flush=self.flush) as path,
            path.open("w", encoding="utf-8", errors="replace") as file,
        ):
            for row in rows:
                text = row["text"] or ""
                file.write(f"{text}\n\f" if text else "\f")
                self.tell(outcome(row, failure(row)))

    def _document(self, spool: IO[bytes]) -> _Document:
        if self.form == "pdf":
            from ocrbatch.outputs.searchable_pdf import SearchablePdf  # others need not wait for pdfium

            return _Pdf(SearchablePdf(spool), self.files)
        return {
            "hocr": partial(_Xml, spool, hocr.page_element, hocr.frame, hocr.LEVEL),
            "alto": partial(_Xml, spool, alto.page_element, alto.frame, alto.LEVEL),
            "pagexml": partial(
                _Xml, spool, pagexml.page_element, partial(pagexml.frame, created=self.created), pagexml.LEVEL
            ),
        }[self.form]()


def failure(row: Mapping[str, Any]) -> str | None:
    """Why a row has no page, if it has none."""
    if row["status"] != "failed":
        return None
    return f"not read ({row['error_kind']}: {row['error_message']})"


def outcome(row: Mapping[str, Any], problem: str | None) -> Outcome:
    """What is told of a row."""
    return Outcome(str(row["source"]), int(row["page"] or 0), problem, str(row["status"]))


class _Document(Protocol):
    """A document that grows page by page."""

    def __enter__(self) -> _Document: ...

    def __exit__(self, *_: object) -> None: ...

    def add(self, row: Mapping[str, Any]) -> None:
        """Append a page. Raises one of NO_PICTURE, and is as before then."""
        ...

    def save(self, path: Path) -> None:
        """Write all."""
        ...


@dataclass(frozen=True, slots=True)
class _Pdf:
    document: SearchablePdf
    files: PageFiles

    def __enter__(self) -> _Pdf:
        return self

    def __exit__(self, *_: object) -> None:
        self.document.close()

    def add(self, row: Mapping[str, Any]) -> None:
        picture = self.files.picture(row)
        self.document.add(layout_of(row), picture)

    def save(self, path: Path) -> None:
        self.document.save(path)


@dataclass(frozen=True, slots=True)
class _Xml:
    """Pages wait in ``spool``, because what stands before them says how many there are."""

    spool: IO[bytes]
    element: Callable[[Layout, int], Element]
    frame: Callable[[list[str], dict[str, None]], tuple[bytes, bytes]]
    level: int
    sources: list[str] = field(default_factory=list)
    models: dict[str, None] = field(default_factory=dict)

    def __enter__(self) -> _Xml:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def add(self, row: Mapping[str, Any]) -> None:
        page = layout_of(row)
        content = fragment(self.element(page, len(self.sources) + 1), self.level)
        self.spool.write(b"\n" + b" " * self.level + content if self.sources else content)
        self.sources.append(page.source)
        self.models.update(dict.fromkeys(page.models))

    def save(self, path: Path) -> None:
        head, tail = self.frame(self.sources, self.models)
        self.spool.seek(0)
        with path.open("wb") as file:
            file.write(head)
            while piece := self.spool.read(_CHUNK):
                file.write(piece)
            file.write(tail)
