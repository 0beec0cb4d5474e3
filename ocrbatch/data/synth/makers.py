"""What :func:`ocrbatch.data.synth.generate.generate` makes: lines for recognizers, pages for detectors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ocrbatch.charset import Charset
from ocrbatch.data.synth.fonts import FontBook
from ocrbatch.data.synth.lines import render_line
from ocrbatch.data.synth.optics import Pixels, Rng
from ocrbatch.data.synth.pages import render_page
from ocrbatch.data.synth.text import TextSource


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
