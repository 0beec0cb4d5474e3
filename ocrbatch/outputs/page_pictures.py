"""The picture of a page, found again for a row of results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from pathlib import Path, PurePath
from typing import Any, Self

import PIL.Image

from ocrbatch.data.fetch import Fetcher
from ocrbatch.data.images import Document, Reading, probe, read_page, stamp
from ocrbatch.data.places import Place, is_uri
from ocrbatch.data.sources import as_reached, roots_of
from ocrbatch.errors import InputError, OcrbatchError
from ocrbatch.types import Image

_POINTS_PER_INCH = 72
_USUAL_DPI = 200.0
_SANE_DPI = (50.0, 2400.0)
_EXIF_ORIENTATION = 0x0112

NO_PICTURE = (OcrbatchError, OSError, TypeError, ValueError)
"""Why a page has no picture."""


@dataclass(frozen=True, slots=True)
class PagePicture:
    """A page as displayed, RGB uint8 (H, W, 3), its resolution, and its file's bytes when that is a plain JPEG."""

    pixels: Image
    dpi: float
    jpeg: bytes | None = None


@dataclass(slots=True)
class PageFiles:
    """The files that rows were read from: at their source, or below the folder ``images``. The last one is kept open,
    or known to be missing, for a file of many pages is asked for many times; one that is elsewhere is a copy meanwhile,
    reached as the URIs in ``reached`` are."""

    images: Path | None = None
    reached: InitVar[Sequence[str]] = ()
    _roots: Mapping[str, Place] = field(init=False)
    _fetch: Fetcher = field(default_factory=Fetcher)
    _last: tuple[str, Document | Exception] | None = None

    def __post_init__(self, reached: Sequence[str]) -> None:
        self._roots = roots_of(reached)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._fetch.close()

    def picture(self, row: Mapping[str, Any]) -> PagePicture:
        """The page of ``row``. Raises one of :data:`NO_PICTURE` when it cannot be read, or is another one by now."""
        source = str(row["source"])
        if self._last is None or self._last[0] != source:
            self._last = source, self._open(row)
        if isinstance(self._last[1], Exception):
            raise self._last[1].with_traceback(None)  # each raise would add to that of the one before
        return page_picture(row, self._last[1])

    def _open(self, row: Mapping[str, Any]) -> Document | Exception:
        try:
            return open_source(row, self._locate(str(row["source"])))
        except NO_PICTURE as error:
            return error

    def _locate(self, source: str) -> Path:
        if self.images is not None:
            return below(self.images, source)
        return self._fetch(as_reached(source, self._roots).uri) if is_uri(source) else Path(source)


def open_source(row: Mapping[str, Any], path: Path) -> Document:
    """The file that ``row`` was read from, which is at ``path``.

    Raises InputError when it has changed, and a page's error (MissingFile, DamagedFile, ...) when it cannot be read.
    """
    sha256, size, mtime_ns = stamp(path)
    if row["sha256"] and row["sha256"] != sha256:
        raise InputError(f"{_shown(row, path)} has changed since it was read.")
    return probe(path, sha256, size, mtime_ns)


def page_picture(row: Mapping[str, Any], document: Document) -> PagePicture:
    """The page of ``row``. Raises InputError when it is another one by now."""
    path, page = document.path, int(row["page"] or 0)
    if page >= document.n_pages:
        raise InputError(f"{_shown(row, path)} has no page {page + 1}.")
    wanted = int(row["width"]), int(row["height"])
    dpi = _pdf_dpi(path, page, wanted) if document.is_pdf else _picture_dpi(path)
    limit = 2 * wanted[0] * wanted[1] + 10_000
    pixels, _ = read_page(document, page, Reading(round(dpi), limit))
    if not document.is_pdf and (pixels.shape[1], pixels.shape[0]) != wanted:
        raise InputError(f"{_shown(row, path)} has another size than the page that was read.")
    return PagePicture(pixels, dpi, _plain_jpeg(document, path))


def below(images: Path, source: str) -> Path:
    """The deepest part of the path of ``source`` that is there below the folder ``images``."""
    parts = [part for part in PurePath(source).parts if part not in ("..", PurePath(source).anchor)]
    candidates = (images.joinpath(*parts[start:]) for start in range(len(parts)))
    return next((path for path in candidates if path.is_file()), images.joinpath(*parts[-1:]))


def _shown(row: Mapping[str, Any], path: Path) -> str:
    """How messages call the file: a copy of one that is elsewhere means nothing to anybody."""
    return str(row["source"]) if is_uri(str(row["source"])) else str(path)


def _pdf_dpi(path: Path, page: int, wanted: tuple[int, int]) -> float:
    """The resolution at which the page has ``wanted`` pixels."""
    import pypdfium2 as pdfium  # other files need not wait for it

    with pdfium.PdfDocument(path) as document:
        width, height = document[page].get_size()
    return _POINTS_PER_INCH * max(wanted) / max(width, height)


def _picture_dpi(path: Path) -> float:
    """The resolution that the file states, unless it is absent or absurd."""
    with PIL.Image.open(path) as picture:
        dpi = float(picture.info.get("dpi", (0.0, 0.0))[0])
    return dpi if _SANE_DPI[0] <= dpi <= _SANE_DPI[1] else _USUAL_DPI


def _plain_jpeg(document: Document, path: Path) -> bytes | None:
    """The bytes of a JPEG that every reader shows as it was read: RGB or grey, upright."""
    if document.is_pdf:
        return None
    with PIL.Image.open(path) as picture:
        plain = picture.format == "JPEG" and picture.mode in ("RGB", "L")
        upright = plain and picture.getexif().get(_EXIF_ORIENTATION, 1) == 1  # of a damaged PNG it would be an error
    return path.read_bytes() if upright else None
