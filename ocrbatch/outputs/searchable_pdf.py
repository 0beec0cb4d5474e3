"""Searchable PDF: the picture of each page with its text, invisible, where it was read."""

from __future__ import annotations

import ctypes
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import numpy as np
import PIL.Image
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_raw

from ocrbatch.outputs.invisible_font import ADVANCE, DESCENT, UNITS, invisible_font
from ocrbatch.outputs.layout import Layout, levelled
from ocrbatch.outputs.page_pictures import PagePicture
from ocrbatch.types import Image, Polygon

_POINTS_PER_INCH = 72
_JPEG_QUALITY = 85
_LARGEST_PAGE = 14_400  # points; PDF 1.7, annex C


@dataclass(slots=True)
class _Writing:
    """A file that pdfium writes. An error in its callback would be printed and forgotten, so it is kept."""

    file: IO[bytes]
    error: OSError | None = None

    def write(self, data: bytes) -> int:
        """How much was written: all of it, also when the disk is full."""
        try:
            if self.error is None:
                self.file.write(data)
        except OSError as error:
            self.error = error
        return len(data)


class SearchablePdf:
    """Writes pages into one PDF. Pictures wait in ``spool``, a file, so that memory does not grow with the pages."""

    def __init__(self, spool: IO[bytes]) -> None:
        self._spool = spool
        self._document = pdfium.PdfDocument.new()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Forget the pages."""
        self._document.close()

    def add(self, layout: Layout, picture: PagePicture) -> None:
        """Append a page as large as its ``dpi`` says."""
        image = pdfium.PdfImage.new(self._document)
        image.load_jpeg(self._keep(picture), inline=False, autoclose=False)
        self._add(layout, picture.dpi, image)

    def add_text(self, layout: Layout, dpi: float) -> None:
        """Append a page of that resolution without a picture."""
        self._add(layout, dpi, None)

    def save(self, target: Path) -> None:
        """Write the file. Raises OSError."""
        with target.open("wb") as file:
            writing = _Writing(file)
            self._document.save(writing)
            if writing.error:
                raise writing.error

    def _add(self, layout: Layout, dpi: float, image: pdfium.PdfImage | None) -> None:
        scale = min(_POINTS_PER_INCH / dpi, _LARGEST_PAGE / max(layout.width, layout.height))
        width, height = layout.width * scale, layout.height * scale
        page = self._document.new_page(width, height)
        if image is not None:
            image.set_matrix(pdfium.PdfMatrix().scale(width, height))
            page.insert_obj(image)
        self._write(page, layout, scale)
        page.gen_content()
        page.close()

    def _keep(self, picture: PagePicture) -> _Part:
        jpeg = picture.jpeg or _to_jpeg(picture.pixels)
        start = self._spool.seek(0, io.SEEK_END)
        self._spool.write(jpeg)
        return _Part(self._spool, start, len(jpeg))

    def _write(self, page: pdfium.PdfPage, layout: Layout, scale: float) -> None:
        words = list(_words(layout))
        if not words:
            return
        characters = {" "}.union(*(text for text, _ in words))
        data = invisible_font(characters)
        array = (ctypes.c_uint8 * len(data)).from_buffer_copy(data)
        font = pdfium_raw.FPDFText_LoadFont(self._document, array, len(data), pdfium_raw.FPDF_FONT_TRUETYPE, 1)
        for text, points in words:
            written = pdfium_raw.FPDFPageObj_CreateTextObj(self._document, font, 1.0)
            content = ctypes.create_string_buffer(
                f"{text} \0".encode("utf-16-le")
            )  # readers that see no gap see the space
            pdfium_raw.FPDFText_SetText(written, ctypes.cast(content, ctypes.POINTER(ctypes.c_ushort)))
            pdfium_raw.FPDFTextObj_SetTextRenderMode(written, pdfium_raw.FPDF_TEXTRENDERMODE_INVISIBLE)
            pdfium_raw.FPDFPageObj_Transform(written, *_matrix(text, points * scale, layout.height * scale))
            pdfium_raw.FPDFPage_InsertObject(page, written)
        pdfium_raw.FPDFFont_Close(font)


def _to_jpeg(pixels: Image) -> bytes:
    file = io.BytesIO()
    PIL.Image.fromarray(pixels).save(file, "JPEG", quality=_JPEG_QUALITY)
    return file.getvalue()


def _words(layout: Layout) -> Iterator[tuple[str, Polygon]]:
    for block in layout.blocks:
        for line in block:
            for word in line.words:
                text = "".join(map(_writable, word.text))
                if text:
                    yield text, levelled(word.points)


def _writable(character: str) -> str:
    """Characters that the font cannot name are U+FFFD: controls, surrogates and those beyond 16 bits."""
    plain = " " if character.isspace() else character
    return plain if ord(plain) <= 0xFFFF and plain.isprintable() else "\ufffd"


def _matrix(text: str, points: Polygon, height: float) -> tuple[float, ...]:
    """The affine matrix from the text as the font writes it in size 1 to its quadrilateral, given in points with y
    downwards on a page of ``height``."""
    origin, right, _, below = (np.array([x, height - y]) for x, y in points[:4].tolist())
    across = (right - origin) * UNITS / (ADVANCE * len(text))
    up = origin - below
    start = below + up * (DESCENT / UNITS)
    return tuple(float(value) for value in (*across, *up, *start))


@dataclass(eq=False, slots=True)
class _Part:
    """A file within a file, as pdfium reads it."""

    file: IO[bytes]
    start: int
    length: int
    place: int = 0

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self.place, io.SEEK_END: self.length}[whence]
        self.place = base + offset
        return self.place

    def tell(self) -> int:
        return self.place

    def read(self, size: int = -1) -> bytes:
        left = max(0, self.length - self.place)
        self.file.seek(self.start + self.place)
        data = self.file.read(left if size < 0 else min(size, left))
        self.place += len(data)
        return data

    def readinto(self, buffer: bytearray) -> int:
        data = self.read(len(buffer))
        memoryview(buffer).cast("B")[: len(data)] = data
        return len(data)
