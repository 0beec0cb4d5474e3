"""What a layout makes: runs of text, rules and fills at places on a sheet, as plain records that a painter draws."""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Literal

import numpy as np
from PIL import ImageFont

from ocrbatch.data.synth.fonts import Face, FontBook, Style
from ocrbatch.data.synth.text import TextSource
from ocrbatch.errors import InputError

Colour = tuple[int, int, int]
BLACK: Colour = (20, 20, 20)
Align = Literal["left", "centre", "right"]
Box = tuple[float, float, float, float]

_ASCII = "".join(map(chr, range(33, 127)))
_LETTERS = string.ascii_letters + string.digits
_ACCENTED = "äéöüßçñ"


@lru_cache(maxsize=512)
def load_font(path: str, index: int, size: int) -> ImageFont.FreeTypeFont:
    """The font of a file at a size in pixels; kept, since a page uses one many times."""
    return ImageFont.truetype(path, size, index=index)


@dataclass(frozen=True, slots=True)
class Type:
    """How text is set: face, size in pixels, stretch (double width and height print), colour, what the face can print.

    ``dots`` is the distance of a needle printer's dots in pixels (0: none), ``bold`` what is added to the width of the
    strokes in pixels, ``tracking`` the extra space after each letter in em; ``cell`` is the width in em of the cells
    that letters of any width stand in (0: none, each takes its own).
    """

    face: Face
    size: int
    glyphs: frozenset[int]
    wide: float = 1.0
    tall: float = 1.0
    colour: Colour = BLACK
    dots: float = 0.0
    bold: float = 0.0
    tracking: float = 0.0
    cell: float = 0.0

    @property
    def font(self) -> ImageFont.FreeTypeFont:
        return load_font(self.face.path, self.face.index, self.size)

    @property
    def em(self) -> float:
        """Height of a line's body in pixels."""
        return self.size * self.tall

    def clean(self, text: str) -> str:
        """``text`` with what the face cannot print reduced to base letters or left out, single spaces."""
        if self.face.unicase:
            text = text.upper()
        kept = "".join(c if ord(c) in self.glyphs or c == " " else base_letter(c, self.glyphs) for c in text)
        return " ".join(kept.split())

    def width(self, text: str) -> float:
        """Advance of ``text`` in pixels."""
        if self.cell:
            return self.cell * self.size * self.wide * len(text)
        return (self.font.getlength(text) + self.tracking * self.size * max(0, len(text) - 1)) * self.wide

    def fit(self, text: str, width: float) -> str:
        """``text`` without its last words, or cut, so that it is at most ``width`` pixels wide; may be empty."""
        words = self.clean(text).split()
        while len(words) > 1 and self.width(" ".join(words)) > width:
            words.pop()
        text = " ".join(words)
        while text and self.width(text) > width:
            text = text[:-1]
        return text.rstrip()

    def scaled(self, factor: float) -> Type:
        """The same at another size (at least 7 pixels)."""
        return replace(self, size=max(7, round(self.size * factor)))


def base_letter(character: str, glyphs: frozenset[int]) -> str:
    """A character without its accents, such as o for ö; empty where a face lacks that too."""
    base = unicodedata.normalize("NFD", character)[0]
    return base if ord(base) in glyphs else ""


@dataclass(frozen=True, slots=True)
class Run:
    """A run of text: its left end and its baseline in pixels; separators and the like bear no label.

    One that is ``joined`` stands to the left of the run before it, close enough for both to be one region.
    """

    text: str
    type: Type
    x: float
    y: float
    label: bool = True
    word_gap: float = 1.0
    joined: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A straight line from (x0, y0) to (x1, y1); ``dash`` is the lengths of its strokes and gaps, or None."""

    x0: float
    y0: float
    x1: float
    y1: float
    thickness: float = 1.0
    colour: Colour = BLACK
    dash: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Fill:
    """A filled box."""

    box: Box
    colour: Colour


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page before it is painted; items are painted in their order."""

    width: int
    height: int
    items: tuple[Run | Rule | Fill, ...]
    paper: Colour = (255, 255, 255)
    scene: bool = False


@dataclass
class Draft:
    """Collects the items of a sheet of a given width; ``y`` is the top of what comes next."""

    width: int
    y: float = 0.0
    items: list[Run | Rule | Fill] = field(default_factory=list)

    def text(
        self,
        text: str,
        type: Type,
        x: float,
        y: float,
        align: Align = "left",
        *,
        label: bool = True,
        line: bool = False,
        joined: bool = False,
    ) -> float:
        """Sets a run with its baseline at ``y``, underlined if ``line``; returns its width in pixels."""
        text = type.clean(text)
        if not text:
            return 0.0
        width = type.width(text)
        x -= {"left": 0.0, "centre": width / 2, "right": width}[align]
        self.items.append(Run(text, type, x, y, label, joined=joined))
        if line:
            below = y + type.em * 0.14
            self.rule(x, below, x + width, below, thickness=max(1.0, type.em * 0.06), colour=type.colour)
        return width

    def rule(
        self,
        x0: float,
        y0: float,
        x1: float,
        y1: float,
        *,
        thickness: float = 1.0,
        colour: Colour = BLACK,
        dash: tuple[float, float] | None = None,
    ) -> None:
        """Draws a line."""
        self.items.append(Rule(x0, y0, x1, y1, thickness, colour, dash))

    def frame(self, box: Box, *, thickness: float = 1.0, colour: Colour = BLACK) -> None:
        """Draws the four sides of a box."""
        x0, y0, x1, y1 = box
        for a, b, c, d in ((x0, y0, x1, y0), (x1, y0, x1, y1), (x0, y1, x1, y1), (x0, y0, x0, y1)):
            self.rule(a, b, c, d, thickness=thickness, colour=colour)

    def fill(self, box: Box, colour: Colour) -> None:
        """Fills a box."""
        self.items.append(Fill(box, colour))

    def justified(self, text: str, type: Type, x: float, y: float, width: float) -> None:
        """Sets a run with its baseline at ``y`` and its spaces stretched so that it fills ``width`` pixels."""
        text = type.clean(text)
        spaces = text.count(" ") * type.width(" ")
        if text:
            gap = 1 + (width - type.width(text)) / spaces if spaces else 1.0
            self.items.append(Run(text, type, x, y, word_gap=float(np.clip(gap, 0.6, 3.0))))


@dataclass(frozen=True)
class Desk:
    """What every layout needs: randomness, text and fonts."""

    rng: np.random.Generator
    source: TextSource
    book: FontBook

    def type(self, style: Style | None, size: float, colour: Colour = BLACK, accents: bool = False) -> Type:
        """A face at ``size`` pixels that prints all of ASCII, with ``accents`` common accented letters too.

        What no face of the book has is done without.
        """
        for wanted in ([_ASCII + _ACCENTED] if accents else []) + [_ASCII]:
            with suppress(InputError):
                return self._type(self.book.pick(self.rng, wanted, style), size, colour)
        return self._type(self.book.pick(self.rng, _LETTERS, style), size, colour)

    def _type(self, face: Face, size: float, colour: Colour) -> Type:
        return Type(face, max(7, round(size)), self.book.coverage[self.book.faces.index(face)], colour=colour)

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def uniform(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def whole(self, low: int, high: int) -> int:
        """A whole number, ``high`` included."""
        return int(self.rng.integers(low, high + 1))

    def words(self, low: int, high: int) -> str:
        return " ".join(self.source.words(self.rng, self.whole(low, high)))

    def of(self, kind: Callable[..., str]) -> str:
        """Text of a kind of :mod:`ocrbatch.data.synth.kinds` that needs words."""
        vocabulary = self.source.vocabulary(self.rng)
        return kind(self.rng, lambda: vocabulary.word(self.rng))
