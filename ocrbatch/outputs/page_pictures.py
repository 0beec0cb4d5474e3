"""The picture of a page, found again for a row of results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import PIL.Image
import pypdfium2 as pdfium

from ocrbatch.data.images import Document, Reading, probe, read_page, stamp
from ocrbatch.data.places import Place, is_uri
from ocrbatch.errors import InputError
from ocrbatch.types import Image

_POINTS_PER_INCH = 72
_USUAL_DPI = 200.0
_SANE_DPI = (50.0, 2400.0)
_EXIF_ORIENTATION = 0x0112


@dataclass(frozen=True, slots=True)
class PagePicture:
    """A page as displayed, RGB uint8 (H, W, 3), its resolution, and its file's bytes when that is a plain JPEG."""

    pixels: Image
    dpi: float
    jpeg: bytes | None = None


def open_source(row: Mapping[str, Any], images: Path | None = None) -> Document:
    """The file that ``row`` was read from, at its source or below ``images``.

    Raises InputError when it has changed, and a page's error (MissingFile, DamagedFile, ...) when it cannot be read.
    """
    path = locate(str(row["source"]), images)
    sha256, size, mtime_ns = stamp(path)
    if row["sha256"] and row["sha256"] != sha256:
        raise InputError(f"{path} has changed since it was read.")
    return probe(path, sha256, size, mtime_ns)


def page_picture(row: Mapping[str, Any], document: Document) -> PagePicture:
    """The page of ``row``. Raises InputError when it is another one by now."""
    path, page = document.path, int(row["page"] or 0)
    if page >= document.n_pages:
        raise InputError(f"{path} has no page {page + 1}.")
    wanted = int(row["width"]), int(row["height"])
    dpi = _pdf_dpi(path, page, wanted) if document.is_pdf else _picture_dpi(path)
    limit = 2 * wanted[0] * wanted[1] + 10_000
    pixels, _ = read_page(document, page, Reading(round(dpi), limit))
    if not document.is_pdf and (pixels.shape[1], pixels.shape[0]) != wanted:
        raise InputError(f"{path} has another size than the page that was read.")
    return PagePicture(pixels, dpi, _plain_jpeg(document, path))


def locate(source: str, images: Path | None) -> Path:
    """The file called ``source``; with ``images``, the deepest part of its path that is there below that folder. Raises
    InputError for a file on another machine."""
    if images is None:
        here = Place.parse(source).local if is_uri(source) else Path(source)
        if here is None:
            raise InputError(f"{source} is not on this machine: copy its folder here and name that with --images.")
        return here
    parts = [part for part in PurePath(source).parts if part not in ("..", PurePath(source).anchor)]
    below = (images.joinpath(*parts[start:]) for start in range(len(parts)))
    return next((path for path in below if path.is_file()), images.joinpath(*parts[-1:]))


def _pdf_dpi(path: Path, page: int, wanted: tuple[int, int]) -> float:
    """The resolution at which the page has ``wanted`` pixels."""
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
        upright = picture.getexif().get(_EXIF_ORIENTATION, 1) == 1
        plain = picture.format == "JPEG" and picture.mode in ("RGB", "L") and upright
    return path.read_bytes() if plain else None
