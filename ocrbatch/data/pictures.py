"""Labelled pictures, on disk or in a database: their pixels as training sees them, and their size from the header."""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
from numpy.typing import NDArray

from ocrbatch.data.formats.lmdb import is_stored, stored
from ocrbatch.errors import InputError
from ocrbatch.types import Image

_ORIENTATION = 0x0112
_TURNED = (5, 6, 7, 8)


@dataclass(frozen=True, slots=True)
class Inspected:
    """A picture file that was read and decoded: ``sha256`` of its content, (height, width) of what it shows."""

    sha256: str
    size: tuple[int, int]


def read_picture(path: Path) -> Image:
    """A picture as uint8 RGB (H, W, 3). Raises InputError."""
    return _decoded(_bytes_of(path), path)


def inspect(path: Path) -> Inspected:
    """Reads a whole picture, so that damage anywhere in it is found. Raises InputError."""
    data = _bytes_of(path)
    return Inspected(hashlib.sha256(data.data).hexdigest(), _decoded(data, path).shape[:2])


def picture_size(path: Path) -> tuple[int, int]:
    """(height, width) of a picture as displayed, from its header where possible. Raises InputError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with PIL.Image.open(BytesIO(stored(path)) if is_stored(path) else path) as picture:
                width, height = picture.size
                turned = picture.getexif().get(_ORIENTATION) in _TURNED
    except Exception:  # Pillow's readers raise many kinds; the decoder knows formats that Pillow does not
        return read_picture(path).shape[:2]
    return (width, height) if turned else (height, width)


def _bytes_of(path: Path) -> NDArray[np.uint8]:
    if is_stored(path):
        return np.frombuffer(stored(path), np.uint8)
    try:
        return np.fromfile(path, np.uint8)
    except OSError as error:
        raise InputError(f"Cannot read the picture {path} ({error.strerror}).") from error


def _decoded(data: NDArray[np.uint8], path: Path) -> Image:
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    if picture is None:
        raise InputError(f"{path} is no picture that can be decoded: repair it, or take it out of the labels.")
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
