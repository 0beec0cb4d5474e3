"""Pictures for people: the page with its boxes, and beside it the text drawn where it was read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ocrbatch.geometry import quad_size
from ocrbatch.outputs.naming import Places
from ocrbatch.types import Image as Pixels
from ocrbatch.types import PageRef, TextRegion

_SYSTEM_FONTS = ("DejaVuSans.ttf", "NotoSans-Regular.ttf", "Arial Unicode.ttf", "arial.ttf")
_COLORS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#8c564b", "#e377c2")
_REJECTED = "#999999"
_LONGEST_SIDE = 2400
_SMALLEST_LETTERS = 7


@dataclass(frozen=True, slots=True)
class Drawing:
    """Where drawn pages go: ``folder``, under the source's path below ``base``, so that equal names never meet."""

    folder: Path
    base: str = ""

    def write(self, ref: PageRef, page: Pixels, regions: Sequence[TextRegion]) -> Path:
        """Draw a page, RGB uint8 (H, W, 3), and return the file, which appears whole."""
        target = self.path(ref)
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{target.name}.partial")
        draw(page, regions).save(partial, "JPEG", quality=88)
        return partial.replace(target)

    def path(self, ref: PageRef) -> Path:
        """The file of a page."""
        return Places(self.folder, self.base, ".jpg").of_page(ref.source, ref.page, ref.n_pages)


def draw(page: Pixels, regions: Sequence[TextRegion]) -> Image.Image:
    """Page, RGB uint8 (H, W, 3), with coloured outlines (grey for rejected regions) at the left; at the right the texts
    at the same places on white. Large pages are drawn smaller."""
    height, width = page.shape[:2]
    scale = min(1.0, _LONGEST_SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    left = Image.fromarray(page).resize(size, Image.Resampling.LANCZOS)
    right = Image.new("RGB", size, "white")
    for number, region in enumerate(regions):
        color = _COLORS[number % len(_COLORS)] if region.kept else _REJECTED
        _outline(left, region, scale, color, 2 if max(size) > 600 else 1)
        if region.kept:
            _outline(right, region, scale, color, 1)
            _write(right, region, scale)
    both = Image.new("RGB", (2 * size[0], size[1]), "white")
    both.paste(left, (0, 0))
    both.paste(right, (size[0], 0))
    return both


def _outline(canvas: Image.Image, region: TextRegion, scale: float, color: str, width: int) -> None:
    outline = region.points if region.polygon is None else region.polygon
    corners = [(float(x) * scale, float(y) * scale) for x, y in outline]
    ImageDraw.Draw(canvas).line([*corners, corners[0]], fill=color, width=width)


def _write(canvas: Image.Image, region: TextRegion, scale: float) -> None:
    """The text, as large as fits into its box, turned as the box is."""
    width, height = (max(1.0, side * scale) for side in quad_size(region.points))
    if not region.text:
        return
    text = "".join(character if character.isprintable() else "\ufffd" for character in region.text)
    font = text_font(max(_SMALLEST_LETTERS, int(height * 0.8)))
    left, top, right, bottom = font.getbbox(text)
    if right - left > width:
        font = text_font(max(_SMALLEST_LETTERS, int(height * 0.8 * width / (right - left))))
        left, top, right, bottom = font.getbbox(text)
    label = Image.new("L", (max(1, int(right - left) + 2), max(1, int(bottom - top) + 2)), 0)
    ImageDraw.Draw(label).text((1 - left, 1 - top), text, fill=255, font=font)
    (x0, y0), (x1, y1) = region.points[0] * scale, region.points[1] * scale
    angle = float(np.degrees(np.arctan2(y1 - y0, x1 - x0)))
    centre = region.points.mean(axis=0) * scale
    if abs(angle) > 1:
        label = label.rotate(-angle, Image.Resampling.BICUBIC, expand=True)
    corner = round(float(centre[0]) - label.width / 2), round(float(centre[1]) - label.height / 2)
    canvas.paste("black", (*corner, corner[0] + label.width, corner[1] + label.height), label)


def text_font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """A font of the system that knows many scripts, else the one that comes with Pillow."""
    for name in _SYSTEM_FONTS:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return ImageFont.load_default(size)
