"""Results as documents: a file for each page (hOCR, ALTO, PAGE) or for each source (text, searchable PDF)."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import groupby
from pathlib import Path

from ocrbatch.errors import OcrbatchError, OutputError
from ocrbatch.outputs.alto import alto
from ocrbatch.outputs.files import replacing
from ocrbatch.outputs.hocr import hocr
from ocrbatch.outputs.layout import Layout, layout_of
from ocrbatch.outputs.naming import Places, common_base
from ocrbatch.outputs.page_pictures import open_source, page_picture
from ocrbatch.outputs.pagexml import pagexml
from ocrbatch.outputs.results import Row, read_rows, read_sources
from ocrbatch.outputs.searchable_pdf import SearchablePdf

SUFFIXES = {"hocr": ".hocr", "alto": ".alto.xml", "pagexml": ".page.xml", "txt": ".txt", "pdf": ".pdf"}
"""What each format's files end in."""

Render = Callable[[Layout], bytes]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A page that was converted or, with a ``problem``, left out."""

    source: str
    page: int
    problem: str | None = None


def convert(
    results: Path, form: str, folder: Path, *, images: Path | None = None, overwrite: bool = False
) -> Iterator[Outcome]:
    """Write the documents, page by page in memory, and tell of each page. ``form`` is a key of :data:`SUFFIXES`.

    Pages that failed in the run, or that cannot be converted, are left out and told of. Raises InputError for results
    that cannot be read and OutputError for a folder that is in use or two sources with the same file.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"Cannot write into {folder}: it is a file; name a folder.")
    if folder.is_dir() and any(folder.iterdir()) and not overwrite:
        raise OutputError(f"{folder} is not empty: choose another folder, or --overwrite the files in it.")
    places = Places(folder, common_base(read_sources(results)), SUFFIXES[form])
    created = datetime.fromtimestamp(results.stat().st_mtime, UTC)
    renderers: dict[str, Callable[[Layout], bytes]] = {
        "hocr": hocr,
        "alto": alto,
        "pagexml": partial(pagexml, created=created),
    }
    rows = read_rows(results)
    if form in renderers:
        yield from _by_page(rows, renderers[form], places, overwrite)
        return
    for source, pages in groupby(rows, key=lambda row: str(row["source"])):
        target = _ready(places.of_source(source), overwrite)
        write = _text if form == "txt" else partial(_pdf, images=images)
        yield from write(pages, target)


def _by_page(rows: Iterable[Row], render: Render, places: Places, overwrite: bool) -> Iterator[Outcome]:
    for row in rows:
        problem = _failure(row)
        if problem is None:
            try:
                layout = layout_of(row)
            except (TypeError, ValueError) as error:
                problem = str(error)
            else:
                target = places.of_page(layout.source, layout.page, layout.n_pages)
                with replacing(_ready(target, overwrite), flush=False) as path:
                    path.write_bytes(render(layout))
        yield _outcome(row, problem)


def _text(rows: Iterable[Row], target: Path) -> Iterator[Outcome]:
    """Each page ends in a form feed, a failed one too, so that the n-th part is the n-th page."""
    with replacing(target, flush=False) as path, path.open("w", encoding="utf-8", errors="replace") as file:
        for row in rows:
            text = row["text"] or ""
            file.write(f"{text}\n\f" if text else "\f")
            yield _outcome(row, _failure(row))


def _pdf(rows: Iterable[Row], target: Path, images: Path | None) -> Iterator[Outcome]:
    with tempfile.TemporaryFile(dir=target.parent) as spool, SearchablePdf(spool) as document:
        written, opened = 0, None
        for row in rows:
            problem = _failure(row)
            if problem is None:
                try:
                    opened = opened or open_source(row, images)  # once: files of thousands of pages are large
                    document.add(layout_of(row), page_picture(row, opened))
                    written += 1
                except (TypeError, ValueError, OSError, OcrbatchError) as error:
                    problem = str(error)
            yield _outcome(row, problem)
        if written:
            with replacing(target, flush=False) as path:
                document.save(path)


def _ready(target: Path, overwrite: bool) -> Path:
    if target.exists() and not overwrite:
        raise OutputError(
            f"{target} is wanted twice: a page or source is in the results more than once, or not in a row."
        )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"Cannot make the folder {target.parent}: {error.strerror or error}.") from error
    return target


def _failure(row: Row) -> str | None:
    if row["status"] != "failed":
        return None
    return f"not read ({row['error_kind']}: {row['error_message']})"


def _outcome(row: Row, problem: str | None) -> Outcome:
    return Outcome(str(row["source"]), int(row["page"] or 0), problem)
