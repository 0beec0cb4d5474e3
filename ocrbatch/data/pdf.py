"""Pages of PDF files, one at a time, through pdfium."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from ocrbatch.data.problems import DamagedFile, EncryptedFile, PageError
from ocrbatch.types import Image

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument

_POINTS_PER_INCH = 72
_SMALLEST_SCALE = 1e-3
_ONE_AT_A_TIME = Lock()
"""pdfium may be called from one thread at a time."""


def count_pages(path: Path) -> int:
    """Number of pages. Raises EncryptedFile or DamagedFile."""
    with _open(path) as document:
        count = len(document)
    if count == 0:
        raise DamagedFile(f"{path.name} has no pages.")
    return count


def render(path: Path, page: int, dpi: int, pixel_limit: int) -> tuple[Image, tuple[str, ...]]:
    """Pixels of one page (from 0), RGB uint8 (H, W, 3), with a warning when it had to be drawn below ``dpi``.

    Annotations and filled-in forms are drawn too. Raises EncryptedFile or DamagedFile.
    """
    with _open(path) as document:
        opened = document[page]
        width, height = opened.get_size()
        wanted = dpi / _POINTS_PER_INCH
        scale = min(wanted, max(_SMALLEST_SCALE, (pixel_limit / max(1.0, width * height)) ** 0.5 * 0.999))
        pixels = opened.render(scale=scale, rev_byteorder=True).to_numpy()[..., :3]
        picture = np.array(pixels if pixels.shape[2] == 3 else np.repeat(pixels[..., :1], 3, axis=2))
    if scale < wanted:
        return picture, (f"The page is so large that it was drawn at {scale * _POINTS_PER_INCH:.0f} dpi.",)
    return picture, ()


@contextmanager
def _open(path: Path) -> Iterator[PdfDocument]:
    import pypdfium2 as pdfium  # pictures need not wait for it
    import pypdfium2.raw as pdfium_raw

    try:
        with _ONE_AT_A_TIME, path.open("rb") as file:
            document = pdfium.PdfDocument(file)
            try:
                document.init_forms()
                yield document
            finally:
                document.close()
    except PageError:
        raise
    except pdfium.PdfiumError as error:
        if getattr(error, "err_code", None) == pdfium_raw.FPDF_ERR_PASSWORD:
            raise EncryptedFile(f"{path.name} asks for a password: save a copy without one.") from error
        raise DamagedFile(f"{path.name} cannot be read as a PDF ({error}).") from error
