"""What the readers of text formats share. What cannot be understood is a ValueError, which becomes a Flaw."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from ocrbatch.charset import normalize
from ocrbatch.data.label_types import Flaw
from ocrbatch.data.regular import regular
from ocrbatch.errors import InputError
from ocrbatch.types import Polygon

PICTURES = frozenset(
    (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".tif", ".tiff", ".bmp", ".dib", ".webp", ".gif", ".avif", ".jp2")
)
"""Suffixes of files that are pictures to label, in lower case."""

FARTHEST = 1e6
"""Pixels from the corner of a picture beyond which a coordinate is a mistake."""

_BOM = b"\xef\xbb\xbf"
_AFTER_NAME = re.compile(r"\.(?:jpe?g|png|tiff?|bmp|webp|gif)\"?( +|\\t|,|;|:)", re.IGNORECASE)
_SEPARATORS = {" ": "a space", "\\": "a backslash with a t", ",": "a comma", ";": "a semicolon", ":": "a colon"}

T = TypeVar("T")


def contents(source: Path) -> bytes:
    """A label file without its byte order mark. Raises InputError."""
    try:
        return regular(source).read_bytes().removeprefix(_BOM)
    except OSError as error:
        raise InputError(
            f"Cannot read the labels {source} ({error.strerror}): give a label file or its folder."
        ) from error


def decoded(raw: bytes) -> str:
    """One line as text, without the carriage return of Windows. Raises ValueError."""
    try:
        return raw.removesuffix(b"\r").decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 text ({error}): save the file as UTF-8") from error


def each_line(source: Path, parse: Callable[[str], T], data: bytes | None = None) -> Iterator[T | Flaw]:
    """What ``parse`` makes of every line that is not blank; a ValueError of it becomes a Flaw."""
    for number, raw in enumerate((contents(source) if data is None else data).split(b"\n"), 1):
        if not raw.strip():
            continue
        try:
            yield parse(decoded(raw))
        except ValueError as error:
            yield Flaw(f"{source}, line {number}", str(error))


def first_line(data: bytes) -> str:
    """The first line that is not blank, as far as it is text; empty when there is none."""
    return next((raw for raw in data.split(b"\n") if raw.strip()), b"").decode(errors="replace").removesuffix("\r")


def parse_json(content: str | bytes) -> Any:
    """A JSON value. Raises ValueError."""
    try:
        return json.loads(content)
    except json.JSONDecodeError as error:
        raise ValueError(f"not valid JSON ({error.msg} at column {error.colno})") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 text ({error}): save the file as UTF-8") from error
    except RecursionError as error:
        raise ValueError("not valid JSON (nested too deeply)") from error
    except ValueError as error:  # Python reads no whole number of more than 4,300 digits
        raise ValueError("not valid JSON (a number has thousands of digits)") from error


def to_points(value: Any) -> Polygon:
    """An outline, float32 (n, 2), n >= 3, from a list of [x, y]. Raises ValueError."""
    try:
        with np.errstate(over="ignore"):  # what is too large is told below
            points = np.asarray(value, np.float32)
    except OverflowError as error:  # a whole number beyond what Python's floats hold
        raise ValueError("'points' holds a number of hundreds of digits") from error
    except (TypeError, ValueError) as error:
        raise ValueError("'points' is no list of [x, y] pairs") from error
    if points.ndim != 2 or points.shape[1] != 2 or len(points) < 3:
        raise ValueError("'points' needs at least three [x, y] pairs")
    if not np.isfinite(points).all():
        raise ValueError("'points' holds a number that is not finite")
    if np.abs(points).max() > FARTHEST:
        raise ValueError(f"'points' holds {np.abs(points).max():.4g}, which no picture has pixels for")
    return points


def to_text(value: Any) -> str | None:
    """A transcription in NFC, or None. Raises ValueError."""
    if value is not None and not isinstance(value, str):
        raise ValueError("'text' is neither a string nor null")
    return None if value is None else normalize(whole(value, "'text'"))


def whole(text: str, called: str, encode: Callable[[str], bytes] = str.encode) -> str:
    """A string as it is. Raises ValueError when JSON's \\u escapes made a character of it that cannot be written."""
    try:
        encode(text)
    except UnicodeEncodeError as error:
        half = ord(text[error.start])
        raise ValueError(f"{called} holds \\u{half:04x}, half of a character: write the character itself") from error
    return text


def to_size(record: dict[str, Any]) -> tuple[int, int] | None:
    """(height, width) of a picture where a record states both. Raises ValueError."""
    height, width = record.get("height"), record.get("width")
    if not (isinstance(height, int) and isinstance(width, int) and height > 0 and width > 0):
        return None
    if max(height, width) > FARTHEST:
        raise ValueError("'height' or 'width' is more than any picture has pixels")
    return height, width


def regions_of(values: Any, parse: Callable[[Any], T]) -> tuple[T, ...]:
    """The regions of a page, a ValueError naming which of them is wrong."""
    if not isinstance(values, list):
        raise ValueError("'regions' is missing or no list: a page needs the outlines of its text")
    regions = []
    for number, value in enumerate(values):
        try:
            regions.append(parse(value))
        except ValueError as error:
            raise ValueError(f"region {number}: {error}") from error
    return tuple(regions)


def picture(folder: Path, name: Any) -> Path:
    """The file that a record names. Raises ValueError."""
    if not isinstance(name, str) or not name:
        raise ValueError("'image' is missing: name the picture's file")
    if "\0" in name:
        raise ValueError("'image' holds a null character")
    return folder / whole(name, "'image'", os.fsencode)  # which takes what stands for bytes that are not UTF-8


def base_folder(source: Path, name: Any) -> Path:
    """What the paths of a list are relative to, judged by its first one: the list's own folder, or, as tools write them
    too, a folder above it."""
    folders = (source.parent, *source.absolute().parent.parents[:2])
    if not isinstance(name, str) or not name:
        return source.parent
    return next((folder for folder in folders if os.path.isfile(folder / name)), source.parent)  # noqa: PTH113


def wrong_separator(content: str) -> str:
    """A hint for a line without a TAB: what stands where the TAB should be."""
    found = _AFTER_NAME.search(content) or re.search(r"\S( +)\S", content)
    return f" ({_SEPARATORS[found[1][0]]} stands where the TAB should be)" if found else ""


def files_below(folder: Path, suffixes: Iterable[str]) -> list[Path]:
    """All files of a folder and the folders in it with one of these suffixes, sorted; hidden files and
    folders are left alone."""
    wanted = frozenset(suffixes)
    found = (path for path in folder.rglob("*") if path.suffix.lower() in wanted)
    shown = (path for path in found if not any(part.startswith(".") for part in path.parts[len(folder.parts) :]))
    return sorted(path for path in shown if path.is_file())
