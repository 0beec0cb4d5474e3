"""What :func:`ocrbatch.data.synth.generate.generate` makes: lines for recognizers, pages for detectors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from ocrbatch.charset import Charset
from ocrbatch.data.synth.fonts import FontBook
from ocrbatch.data.synth.layouts.sheet import base_letter
from ocrbatch.data.synth.line_text import label
from ocrbatch.data.synth.lines import render_line
from ocrbatch.data.synth.optics import Pixels, Rng
from ocrbatch.data.synth.pages import render_page
from ocrbatch.data.synth.text import TextSource
from ocrbatch.errors import InputError


@dataclass(frozen=True)
class LineMaker:
    """Makes pictures of lines, at most 48 pixels high, with characters of ``charset``; ``backgrounds`` are pictures."""

    source: TextSource
    book: FontBook
    charset: Charset
    backgrounds: tuple[Path, ...] = ()

    def __call__(self, rng: Rng) -> tuple[Pixels, dict[str, Any]]:
        picture, text = render_line(rng, self.source, self.book, self.charset, self.backgrounds)
        return picture, {"text": text}

    def drawable(self) -> Callable[[str], bool]:
        """What tells whether a word can be drawn and labelled."""
        return lambda word: not self.charset.unknown(label(word, self.charset)) and self.book.prints(word)


@dataclass(frozen=True)
class PageMaker:
    """Makes whole pages with the outline and the text of each separate run of text; ``backgrounds`` are pictures."""

    source: TextSource
    book: FontBook
    backgrounds: tuple[Path, ...] = ()

    def __call__(self, rng: Rng) -> tuple[Pixels, dict[str, Any]]:
        picture, regions = render_page(rng, self.source, self.book, self.backgrounds)
        rows = [
            {
                "points": region.points.astype(float).round(1).tolist(),
                "text": region.text,
                "ignore": bool(region.ignore),
            }
            for region in regions
        ]
        return picture, {"level": "line", "regions": rows}

    def drawable(self) -> Callable[[str], bool]:
        """What tells whether a word can be drawn, if need be without its accents."""
        faces = frozenset(self.book.coverage)
        return lambda word: any(all(ord(c) in glyphs or base_letter(c, glyphs) for c in word) for glyphs in faces)


AnyMaker = TypeVar("AnyMaker", bound=LineMaker | PageMaker)


def only_drawable(maker: AnyMaker) -> tuple[AnyMaker, list[str]]:
    """The maker with the words that it can draw, and those that it cannot. Raises InputError when it can draw none."""
    source, others = maker.source.only(maker.drawable())
    if not source.vocabularies:
        needed = "fonts, and a charset, that have" if isinstance(maker, LineMaker) else "fonts that have"
        raise InputError(
            f"None of the {len(others)} words can be drawn, such as {others[0]!r}: give {needed} its letters."
        )
    return replace(maker, source=source), others
