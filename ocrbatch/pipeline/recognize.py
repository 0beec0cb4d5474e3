"""Reading the lines of some pages together."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ocrbatch.charset import normalize
from ocrbatch.contracts import Reading, RecognizerCodec, Session
from ocrbatch.data.gray import as_gray, as_rgb, contiguous
from ocrbatch.geometry import crop_quad, quad_sizes, with_height
from ocrbatch.pipeline.long_lines import Piece, pieces
from ocrbatch.types import Image, Polygon, TextRegion, Word

_SURELY_TURNED = 3.0  # times as tall as wide: no single character is
_NARROWEST = 64  # columns that a network is given at least: some context even for a single character
_WORD = re.compile("[^ ]+")

_HELD = 16_000_000
"""Bytes of outputs that are decoded together: after each batch, when the network has filled the processor's caches, the
same takes two thirds longer."""

_Read: TypeAlias = tuple[list[int], Sequence[NDArray[Any]]]
"""Numbers of the lines of a batch, and the network's outputs."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line as the network takes it: uint8 (H, W, C), and the fraction of W that it covers."""

    pixels: NDArray[np.uint8]
    used: float


@dataclass(frozen=True, slots=True)
class View:
    """One way to read a region: its ``lines``, one for each of the ``pieces`` of its picture, and its corners from the
    top left of the text."""

    lines: tuple[Line, ...]
    pieces: tuple[Piece, ...]
    points: Polygon


@dataclass(frozen=True, slots=True)
class Recognizer:
    """A loaded recognizer; ``model`` is how results call it. Lines more than ``longest`` times as long as high are read
    in pieces. Of the codec's padding only what fills up the next ``step`` columns is read (all when None). Of each box
    ``crop_height`` of the height is cut out, across the text; in ``gray``, where the codec sees no colours, that takes
    a third of the time."""

    codec: RecognizerCodec
    session: Session
    batch_lines: int
    turn_tall: float
    model: str
    longest: float = math.inf
    step: int | None = None
    crop_height: float = 1.0
    gray: bool = False

    def views(self, page: Image, regions: Sequence[TextRegion]) -> list[list[View]]:
        """What to read of the regions of a page, RGB uint8 (H, W, 3)."""
        source = np.ascontiguousarray(as_gray(page)) if self.gray else page
        quads = np.array([region.points for region in regions], np.float32).reshape(-1, 4, 2)
        crops = (crop_quad(source, quad, turn_tall=None) for quad in self._across(quads))
        pictures = (as_rgb(crop) if self.gray else crop for crop in crops)
        return [self.views_of(picture, region.points) for picture, region in zip(pictures, regions, strict=True)]

    def views_of(self, picture: Image, points: Polygon) -> list[View]:
        """The picture of a region as it stands or, when it is tall, turned by a quarter (text that runs downwards);
        both when it may be a single character."""
        height, width = picture.shape[:2]
        if height < self.turn_tall * width:
            return [self._view(picture, points)]
        turned = self._view(contiguous(np.rot90(picture)), np.roll(points, -1, axis=0))
        if height >= _SURELY_TURNED * width:
            return [turned]
        return [self._view(picture, points), turned]

    def _across(self, quads: Polygon) -> Polygon:
        """What is cut out of boxes (n, 4, 2): all of one when nobody knows yet which way its text runs."""
        width, height = quad_sizes(quads).T
        level, turned = height < self.turn_tall * width, height >= _SURELY_TURNED * width
        lower = with_height(quads, self.crop_height)
        narrower = np.roll(with_height(np.roll(quads, -1, axis=1), self.crop_height), 1, axis=1)
        return np.where(level[:, None, None], lower, np.where(turned[:, None, None], narrower, quads))

    def _view(self, picture: Image, points: Polygon) -> View:
        parts = tuple(pieces(picture, self.longest))
        if len(parts) == 1:  # all of it
            return View((self.line(picture),), parts, points)
        lines = tuple(self.line(contiguous(picture[:, part.start : part.stop])) for part in parts)
        return View(lines, parts, points)

    def line(self, picture: Image) -> Line:
        """A picture of one line, RGB uint8 (h, w, 3), as the network takes it."""
        pixels, used = self.codec.encode(picture)
        width = pixels.shape[1]
        kept = width if self.step is None else min(width, _next(used * width, self.step))
        return Line(pixels[:, :kept], used * width / kept)

    def read(self, lines: Sequence[Line], between: Callable[[], None] = lambda: None) -> list[Reading]:
        """Readings in the order of ``lines``. Lines of one shape share batches; neighbours change no result.
        ``between`` is called before each batch."""
        readings: dict[int, Reading] = {}
        held: list[_Read] = []
        for numbers in self._batches(lines):
            between()
            held.append((numbers, self.session(np.stack([lines[number].pixels for number in numbers]))))
            if sum(output.nbytes for _, outputs in held for output in outputs) > _HELD:
                readings.update(self._decoded(lines, held))
                held = []
        readings.update(self._decoded(lines, held))
        return [readings[number] for number in range(len(lines))]

    def _decoded(self, lines: Sequence[Line], held: Sequence[_Read]) -> Iterator[tuple[int, Reading]]:
        """The readings of some batches, with the numbers of their lines."""
        for numbers, outputs in held:
            used = [lines[number].used for number in numbers]
            yield from zip(numbers, self.codec.decode(outputs, used), strict=True)

    def _batches(self, lines: Sequence[Line]) -> Iterator[list[int]]:
        by_shape: dict[tuple[int, ...], list[int]] = {}
        for number, line in enumerate(lines):
            by_shape.setdefault(line.pixels.shape, []).append(number)
        for _, numbers in sorted(by_shape.items()):
            for start in range(0, len(numbers), self.batch_lines):
                yield numbers[start : start + self.batch_lines]


def with_texts(
    regions: Sequence[TextRegion], views: Sequence[Sequence[tuple[Polygon, Reading]]]
) -> tuple[TextRegion, ...]:
    """The regions of a page, each with the text of its most certain view; the score of no text is 0."""
    best = [max(several, key=lambda view: (bool(view[1].text), view[1].score)) for several in views]
    return tuple(
        replace(
            region,
            points=points,
            text=normalize(reading.text),
            rec_score=float(reading.score) if reading.text else 0.0,
            words=words,
        )
        for region, (points, reading), words in zip(regions, best, _words(best), strict=True)
    )


def _words(lines: Sequence[tuple[Polygon, Reading]]) -> Iterator[tuple[Word, ...]]:
    """The words of each line. Where they stand and how sure they are is reckoned for all lines together: numpy is slow
    on a few numbers."""
    places = [[match.span() for match in _WORD.finditer(reading.text)] for _, reading in lines]
    counts = [len(of_line) for of_line in places]
    quads: Iterator[Polygon] = iter(())
    scores: Iterator[float] = iter(())
    if any(counts):
        spans = np.concatenate([reading.spans for _, reading in lines])
        letters = np.concatenate([*(reading.letter_scores() for _, reading in lines), [0.0]])  # where the last one ends
        before = np.cumsum([0, *(len(reading.text) for _, reading in lines[:-1])])
        flat = np.array([place for of_line in places for place in of_line])
        first, stop = (flat + np.repeat(before, counts)[:, None]).T
        corners = np.repeat(np.stack([points for points, _ in lines]), counts, axis=0)
        quads = iter(_between(corners, spans[first, 0], spans[stop - 1, 1]))
        sums = np.add.reduceat(letters, np.stack([first, stop], axis=1).ravel())[::2]
        scores = iter((sums / (stop - first)).tolist())
    for (_, reading), of_line in zip(lines, places, strict=True):
        text = reading.text
        yield tuple(Word(normalize(text[start:stop]), next(quads), next(scores)) for start, stop in of_line)


def _between(points: Polygon, left: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.float32]:
    """Parts (n, 4, 2) of quadrilaterals (n, 4, 2) between fractions (n,) of their widths."""
    fractions = np.stack([left, right, right, left], axis=1)[..., None]
    starts, ends = points[:, [0, 0, 3, 3]], points[:, [1, 1, 2, 2]]
    return np.asarray(starts + (ends - starts) * fractions, np.float32)


def _next(width: float, step: int) -> int:
    """The first multiple of ``step`` that holds ``width``, which rounding may have raised a little."""
    return max(_NARROWEST, math.ceil((width - 1e-3) / step) * step)
