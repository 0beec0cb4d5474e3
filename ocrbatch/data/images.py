"""From files to pages: what a file is, how many pages it has, and each page as RGB pixels."""

from __future__ import annotations

import hashlib
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import Any, Literal

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from PIL import ImageFile, ImageOps, UnidentifiedImageError

from ocrbatch.data import pdf
from ocrbatch.data.gray import as_rgb
from ocrbatch.data.problems import DamagedFile, EmptyFile, MissingFile, PixelLimit, UnknownFormat
from ocrbatch.types import Image

_PDF_MARK = b"%PDF-"
_PDF_MARK_WITHIN = 1024
_STRIP = 256  # rows
_SWITCHING = Lock()
"""Held while Pillow's switches are turned, which all threads share."""


@dataclass(frozen=True, slots=True)
class Document:
    """A file that was looked at: ``sha256`` of its content, its pages, and whether it is a PDF."""

    path: Path
    sha256: str
    size: int
    mtime_ns: int
    n_pages: int
    is_pdf: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """How pages become pixels: ``dpi`` for PDF, the most pixels that a page may have, and whether pictures are read
    without their colours, which takes half the time."""

    dpi: int = 200
    pixel_limit: int = 150_000_000
    gray: bool = False


def stamp(path: Path) -> tuple[str, int, int]:
    """sha256, size in bytes and time of change in nanoseconds. Raises MissingFile."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise MissingFile(f"{path.name} is no regular file.")
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise MissingFile(f"Cannot open {path.name}: {error.strerror or error}.") from error
    return digest, status.st_size, status.st_mtime_ns


def probe(path: Path, sha256: str, size: int, mtime_ns: int) -> Document:
    """Look at a file whose :func:`stamp` is known: what it is (its name does not count) and how many pages it has.

    Raises EmptyFile, UnknownFormat, DamagedFile or EncryptedFile.
    """
    if size == 0:
        raise EmptyFile(f"{path.name} has no content.")
    is_pdf = looks_like_pdf(path)
    n_pages = pdf.count_pages(path) if is_pdf else _count_frames(path, path.name)
    return Document(path, sha256, size, mtime_ns, n_pages, is_pdf)


def load_decoders() -> None:
    """Import the usual ones of Pillow's formats now, not with the first picture, whose time is limited. All others
    take longer, and come with the first picture that is none of these."""
    PIL.Image.preinit()


def looks_like_pdf(path: Path) -> bool:
    """Whether the mark of a PDF stands near the file's beginning."""
    with path.open("rb") as file:
        return _PDF_MARK in file.read(_PDF_MARK_WITHIN)


def read_page(document: Document, page: int, how: Reading) -> tuple[Image, tuple[str, ...]]:
    """Pixels of one page (counted from 0), RGB uint8 (H, W, 3) as displayed, and warnings about what was mended.

    Gray ones cannot be written to (:func:`ocrbatch.data.gray.as_rgb`); a PDF keeps its colours. Transparent pictures
    are laid on white, 16-bit ones scaled to 8, EXIF orientation applied. Raises DamagedFile or PixelLimit.
    """
    if document.is_pdf:
        return pdf.render(document.path, page, how.dpi, how.pixel_limit)
    return _read(document.path, document.path.name, page, how)


def read_content(data: bytes, name: str, how: Reading) -> tuple[Image, tuple[str, ...]]:
    """What :func:`read_page` gives for the first page of a picture file called ``name`` with the content ``data``.

    Raises UnknownFormat, DamagedFile or PixelLimit.
    """
    return _read(data, name, 0, how)


def read_array(picture: PIL.Image.Image, *, gray: bool = False) -> Image:
    """An opened picture, which is turned upright by its EXIF, as RGB uint8 (H, W, 3): transparency on white, depth cut
    to 8 bits."""
    if gray:
        picture.draft("L", picture.size)  # of JPEG only the luminance is decoded then
    ImageOps.exif_transpose(picture, in_place=True)
    if picture.mode.startswith(("I", "F")):
        pixels = as_rgb(_eight_bits(np.asarray(picture)))
        return pixels if gray else pixels.copy()
    if picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info:
        layer = picture.convert("RGBA")
        picture = PIL.Image.alpha_composite(PIL.Image.new("RGBA", layer.size, "white"), layer)
    if gray and picture.mode in ("LAB", "HSV"):  # Pillow makes no gray of these
        picture = picture.convert("RGB")
    return as_rgb(_pixels(picture, "L")) if gray else _pixels(picture, "RGB")


def _pixels(picture: PIL.Image.Image, mode: Literal["L", "RGB"]) -> NDArray[np.uint8]:
    """A picture's pixels, (H, W) or (H, W, 3), strip by strip: each copy of a whole page that Pillow makes takes four
    bytes a pixel, and three of them more memory than both networks."""
    if picture.mode == mode == "L" and (shared := _shared(picture)) is not None:
        return shared
    width, height = picture.size
    pixels = np.empty((height, width) if mode == "L" else (height, width, 3), np.uint8)
    for top in range(0, height, _STRIP):
        bottom = min(top + _STRIP, height)
        pixels[top:bottom] = np.asarray(picture.crop((0, top, width, bottom)).convert(mode))
    return pixels


def _shared(picture: PIL.Image.Image) -> NDArray[np.uint8] | None:
    """The memory of a gray picture itself, as (H, W); None where Pillow is too old to lend it, holds it in pieces, or
    sees it through the file, which may change."""
    import pyarrow  # takes longer than many commands do

    picture.load()
    try:
        lends = hasattr(picture, "__arrow_c_array__") and not picture.readonly
        flat = pyarrow.array(picture) if lends else None
    except ValueError:
        return None
    width, height = picture.size
    return None if flat is None else np.frombuffer(flat.buffers()[1], np.uint8).reshape(height, width)


def _read(file: Path | bytes, name: str, page: int, how: Reading) -> tuple[Image, tuple[str, ...]]:
    """A page of a picture, and a warning if it had to be mended."""
    try:
        return _decode(file, name, page, how, mend=False), ()
    except PixelLimit:
        raise
    except Exception as error:  # Pillow's decoders raise many kinds
        first = f"{type(error).__name__}: {error}"
    _count_frames(file, name)  # a file whose very beginning is damaged is refused, not mended
    try:
        picture = _decode(file, name, page, how, mend=True)
    except Exception as error:
        raise DamagedFile(f"{name} cannot be decoded ({first}).") from error
    return picture, (f"The file is damaged and was read as far as possible ({first}).",)


def _decode(file: Path | bytes, name: str, page: int, how: Reading, *, mend: bool) -> Image:
    with _pillow(mend=mend), PIL.Image.open(_source(file)) as picture:
        if page:
            picture.seek(page)
        width, height = picture.size
        if width * height > how.pixel_limit:
            raise PixelLimit(f"{name} has {width} x {height} pixels, more than the limit of {how.pixel_limit:,}.")
        return read_array(picture, gray=how.gray)


def _source(file: Path | bytes) -> Path | BytesIO:
    return BytesIO(file) if isinstance(file, bytes) else file


def _count_frames(file: Path | bytes, name: str) -> int:
    """Pages of a picture: only TIFF has several (frames of an animation and previews in a photograph are none)."""
    try:
        with _pillow(mend=False), PIL.Image.open(_source(file)) as picture:
            return max(1, _frames(picture)) if picture.format == "TIFF" else 1
    except UnidentifiedImageError as error:
        raise UnknownFormat(f"{name} is no picture or PDF of a known format.") from error
    except Exception as error:
        raise DamagedFile(f"{name} cannot be opened ({type(error).__name__}: {error}).") from error


def _frames(picture: Any) -> int:
    try:
        return int(picture.n_frames)
    except Exception:  # the list of pages is cut off: read those that can be reached
        return int(picture.tell()) + 1


def _eight_bits(values: np.ndarray) -> np.ndarray:
    """Grey values of any depth as uint8: from 0 to the largest value of the depth they seem to have, 12, 16 or more."""
    values = np.nan_to_num(values.astype(np.float32), posinf=0.0, neginf=0.0)
    low, high = min(0.0, float(values.min())), float(values.max())
    depths = (1.0, 255.0, 4095.0, 65535.0)
    top = next((depth for depth in depths if high <= depth), high)
    return np.rint((values - low) * (255.0 / (top - low))).astype(np.uint8)


@contextmanager
def _pillow(*, mend: bool) -> Iterator[None]:
    """Pillow has two global switches: its pixel limit (off: ours counts) and whether damage is tolerated."""
    with _SWITCHING:
        before = PIL.Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES
        PIL.Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES = None, mend
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield
        finally:
            PIL.Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES = before
