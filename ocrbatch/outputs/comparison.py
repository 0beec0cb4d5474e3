"""Pictures of what is labelled above what was read, for looking at a model's worst cases."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw

from ocrbatch.outputs.pictures import draw, text_font
from ocrbatch.types import Image as Pixels
from ocrbatch.types import TextRegion

_LINE_HEIGHT, _CAPTION = 64, 28


def compare_pages(page: Pixels, truth: Sequence[TextRegion], found: Sequence[TextRegion]) -> Image.Image:
    """A page, RGB uint8 (H, W, 3), with the labelled regions and, below, with those that were found."""
    return stacked([captioned(draw(page, truth), "labelled"), captioned(draw(page, found), "found")])


def compare_lines(line: Pixels, truth: str, read: str) -> Image.Image:
    """The picture of a line, RGB uint8 (h, w, 3), and below it its label and what was read."""
    height, width = line.shape[:2]
    size = max(1, round(width * _LINE_HEIGHT / height)), _LINE_HEIGHT
    parts = [Image.fromarray(line).resize(size, Image.Resampling.BICUBIC), caption(truth or "-"), caption(read or "-")]
    return stacked(parts)


def captioned(picture: Image.Image, text: str) -> Image.Image:
    """A picture below a line of text."""
    return stacked([caption(text), picture])


def caption(text: str) -> Image.Image:
    """A line of text in black on white; spaces at its edges and what cannot be printed are made visible."""
    shown = "".join(character if character.isprintable() else "\ufffd" for character in text)
    edges = len(shown) - len(shown.lstrip(" ")), len(shown) - len(shown.rstrip(" "))
    shown = "\u2423" * edges[0] + shown.strip(" ") + "\u2423" * edges[1] if shown.strip(" ") else "\u2423" * len(shown)
    font = text_font(round(_CAPTION * 0.7))
    canvas = Image.new("RGB", (max(1, int(font.getlength(shown)) + 8), _CAPTION), "white")
    ImageDraw.Draw(canvas).text((4, 2), shown, fill="black", font=font)
    return canvas


def stacked(pictures: Sequence[Image.Image]) -> Image.Image:
    """Pictures below each other, left edges together, on white."""
    width, height = max(picture.width for picture in pictures), sum(picture.height for picture in pictures)
    canvas = Image.new("RGB", (width, height), "white")
    top = 0
    for picture in pictures:
        canvas.paste(picture, (0, top))
        top += picture.height
    return canvas
