"""Reading a page image of OCRmyPDF with the models that its options name."""

from __future__ import annotations

import functools
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
from ocrmypdf.exceptions import InputFileError

from ocrbatch import Chain
from ocrbatch.data.images import read_array
from ocrbatch.errors import OcrbatchError
from ocrbatch.outputs.layout import Layout, layout_of
from ocrbatch.outputs.rows import to_batch

_STEEPEST = 15.0  # degrees: steeper lines are meant to be so
_LONG = 3.0  # width over height from which the direction of a line is known well
_USUAL_DPI = 300.0
_LOADING = threading.Lock()


@dataclass(frozen=True, slots=True)
class Page:
    """What was read of a page image, its text, and its resolution."""

    layout: Layout
    text: str
    dpi: float


def chain_for(options: Any) -> Chain:
    """The models that the options name. Loaded once in each process, whatever the number of pages and of threads: one
    thread waits for the other, and a forked process does not share sessions with its parent. Raises OcrbatchError."""
    with _LOADING:
        return _load(os.getpid(), options.ocrbatch.det, options.ocrbatch.rec)


@functools.lru_cache(maxsize=1)
def _load(process: int, det: str, rec: str) -> Chain:  # noqa: ARG001
    return Chain.load(det, rec, threads=1)  # OCRmyPDF reads as many pages at once as there are cores


def read(image: Path, options: Any) -> Page:
    """Find and read the text of a page image. Raises InputFileError."""
    try:
        result = chain_for(options).read(image)
    except OcrbatchError as error:
        raise InputFileError(str(error)) from error
    row = to_batch([result]).to_pylist()[0]
    return Page(layout_of(row), result.text, _dpi(image))


def quarters_of(image: Path, options: Any) -> int | None:
    """Quarters of a full turn counterclockwise by which a page image lies upright; None where no text says it."""
    with PIL.Image.open(image) as picture:
        quarters, regions = chain_for(options).regions_upright(read_array(picture))
    return quarters if any(region.text for region in regions) else None


def skew_of(image: Path, options: Any) -> float:
    """Degrees by which the lines of a page image descend to the right: the median of the almost level ones, which count
    by the square of their slenderness, since outlines of short lines tend to be upright."""
    with PIL.Image.open(image) as picture:
        regions = chain_for(options).detect(read_array(picture))
    outlines = np.stack([region.points for region in regions]) if regions else np.zeros((0, 4, 2))
    across, down = outlines[:, 1] - outlines[:, 0], outlines[:, 3] - outlines[:, 0]
    slenderness = np.linalg.norm(across, axis=1) / np.maximum(np.linalg.norm(down, axis=1), 1.0)
    angles = np.degrees(np.arctan2(across[:, 1], across[:, 0]))
    level = (slenderness >= _LONG) & (np.abs(angles) <= _STEEPEST)
    if not level.any():
        return 0.0
    order = np.argsort(angles[level])
    weights = np.cumsum(slenderness[level][order] ** 2)
    return float(angles[level][order][np.searchsorted(weights, weights[-1] / 2)])


def _dpi(image: Path) -> float:
    with PIL.Image.open(image) as picture:
        dpi = float(picture.info.get("dpi", (_USUAL_DPI, _USUAL_DPI))[0])
    return dpi if dpi > 1 else _USUAL_DPI
