"""Labelled pictures, on disk or in a database: their pixels, the same that a run sees, and their size."""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import PIL.Image

from ocrbatch.data.formats.lmdb import is_stored, stored
from ocrbatch.data.images import Reading, read_content
from ocrbatch.data.plain import is_plain
from ocrbatch.data.problems import DamagedFile, UnknownFormat
from ocrbatch.data.regular import regular
from ocrbatch.errors import InputError
from ocrbatch.types import Image

_ORIENTATION = 0x0112
_TURNED = (5, 6, 7, 8)
_MOST_PIXELS = 1 << 30  # OpenCV's own limit


@dataclass(frozen=True, slots=True)
class Inspected:
    """A picture file that was read and decoded: ``sha256`` of its content, (height, width) of what it shows, whether
    that is one colour only, and what had to be mended, in a sentence."""

    sha256: str
    size: tuple[int, int]
    blank: bool = False
    damage: str = ""


def read_picture(path: Path) -> Image:
    """A picture as uint8 RGB (H, W, 3), read as :func:`ocrbatch.data.images.read_page` does. Raises InputError."""
    return _decoded(_bytes_of(path), path)[0]


def inspect(path: Path) -> Inspected:
    """Reads a whole picture, so that damage anywhere in it is found. Raises InputError."""
    data = _bytes_of(path)
    picture, damage = _decoded(data, path)
    return Inspected(hashlib.sha256(data).hexdigest(), picture.shape[:2], _is_blank(picture), damage)


def picture_size(path: Path) -> tuple[int, int]:
    """(height, width) of a picture as displayed, from its header where possible. Raises InputError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with PIL.Image.open(BytesIO(stored(path)) if is_stored(path) else regular(path)) as picture:
                width, height = picture.size
                turned = picture.getexif().get(_ORIENTATION) in _TURNED
    except Exception:  # Pillow's readers raise many kinds; some files can be mended
        return read_picture(path).shape[:2]
    return (width, height) if turned else (height, width)


def _bytes_of(path: Path) -> bytes:
    if is_stored(path):
        return stored(path)
    try:
        return regular(path).read_bytes()
    except OSError as error:
        raise InputError(f"Cannot read the picture {path} ({error.strerror}).") from error


def _decoded(data: bytes, path: Path) -> tuple[Image, str]:
    """The pixels, and what had to be mended."""
    if is_plain(data) and (picture := _by_opencv(data)) is not None:
        return picture, ""
    try:
        picture, mended = read_content(data, path.name, Reading(pixel_limit=_MOST_PIXELS))
    except (UnknownFormat, DamagedFile) as error:
        raise InputError(
            f"{path} is no picture that can be decoded: repair it, or take it out of the labels."
        ) from error
    return picture, " ".join(mended)


def _by_opencv(data: bytes) -> Image | None:
    """The pixels; None where OpenCV gives up, on damage or on the size."""
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        return None
    return None if picture is None else cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def _is_blank(picture: Image) -> bool:
    first = picture[0, 0]
    return bool((picture[0] == first).all() and (picture == first).all())
