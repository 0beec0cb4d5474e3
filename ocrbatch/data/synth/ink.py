"""Text as ink: coverage masks, uint8, 255 where the ink is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, features

from ocrbatch.data.synth.fonts import Face

Mask = NDArray[np.uint8]
_MARKS = re.compile(r"([;:!?])$")


@dataclass(frozen=True, slots=True)
class Ink:
    """A tightly boxed mask (h, w) and where it stands: ``left`` and ``top`` are its first column and row seen from the
    pen's start on the baseline (``top`` is negative for what rises above it), ``advance`` how far the
    pen moved, ``em`` the size, all in pixels."""

    mask: Mask
    left: int
    top: int
    advance: float
    em: float

    def scaled(self, mask: Mask, factor: float) -> Ink:
        """The same ink drawn anew, ``factor`` times as large, as ``mask``."""
        return Ink(mask, round(self.left * factor), round(self.top * factor), self.advance * factor, self.em * factor)


def render(
    face: Face, size_px: float, text: str, *, tracking: float = 0.0, word_gap: float = 1.0, sentence_gap: float = 1.0
) -> Mask:
    """Coverage of one line, uint8 (h, w), cut to its ink; see :func:`set_text`."""
    return set_text(face, size_px, text, tracking=tracking, word_gap=word_gap, sentence_gap=sentence_gap).mask


def set_text(
    face: Face, size_px: float, text: str, *, tracking: float = 0.0, word_gap: float = 1.0, sentence_gap: float = 1.0
) -> Ink:
    """One line of text at ``size_px`` pixels to the em.

    ``tracking`` is extra space after each letter in em; spaces are ``word_gap`` times as wide as the font's, those
    after a full stop ``sentence_gap`` times as wide again (above 1, high marks like ``;`` stand a little off, too). An
    empty or blank text gives a 1 x 1 mask without ink.
    """
    font = _font(face.path, face.index, max(4.0, round(size_px * 2) / 2))
    pieces, advance = _pieces(font, text, tracking * size_px, word_gap, sentence_gap)
    pad = int(size_px) + 2
    ascent, descent = font.getmetrics()
    baseline = ascent + pad
    picture = Image.new("L", (int(advance) + 2 * pad, baseline + descent + pad))
    draw = ImageDraw.Draw(picture)
    for x, piece in pieces:
        draw.text((pad + x, baseline), piece, fill=255, font=font, anchor="ls")
    mask = np.asarray(picture)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return Ink(np.zeros((1, 1), np.uint8), 0, 0, advance, size_px)
    top, left = int(rows[0]), int(columns[0])
    return Ink(mask[top : rows[-1] + 1, left : columns[-1] + 1], left - pad, top - baseline, advance, size_px)


def set_in_cells(face: Face, size_px: float, text: str, cell: float) -> Ink:
    """One line of text whose letters stand in the middle of cells of ``cell`` em each, as tills and typewriters print.

    Narrow letters have white on both sides, wide ones are squeezed into theirs. The text must not begin with a space.
    """
    width = cell * size_px
    letters: list[Ink] = []
    for letter in text:
        if letter == " ":
            letters[-1] = replace(letters[-1], advance=letters[-1].advance + width)
            continue
        ink = set_text(face, size_px, letter)
        mask = stretch(ink.mask, min(1.0, 0.94 * width / ink.mask.shape[1]))
        letters.append(Ink(mask, round((width - mask.shape[1]) / 2), ink.top, width, size_px))
    return join(letters, 0.0)


def join(inks: Sequence[Ink], gap: float) -> Ink:
    """Several pieces side by side on one baseline, ``gap`` pixels from the end of one to the start of the next."""
    starts = np.cumsum([0.0, *(ink.advance + gap for ink in inks)])
    places = [round(float(x)) + ink.left for x, ink in zip(starts, inks, strict=False)]
    left, top = min(places), min(ink.top for ink in inks)
    right = max(x + ink.mask.shape[1] for x, ink in zip(places, inks, strict=True))
    bottom = max(ink.top + ink.mask.shape[0] for ink in inks)
    mask = np.zeros((bottom - top, right - left), np.uint8)
    for x, ink in zip(places, inks, strict=True):
        part = mask[ink.top - top :, x - left :][: ink.mask.shape[0], : ink.mask.shape[1]]
        np.maximum(part, ink.mask, out=part)
    return Ink(mask, left, top, float(starts[-1] - gap), inks[0].em)


def _pieces(
    font: ImageFont.FreeTypeFont, text: str, tracking: float, word_gap: float, sentence_gap: float
) -> tuple[list[tuple[float, str]], float]:
    """What to draw at which x, and the total advance: the whole line where nothing is spread, else words or letters."""
    if tracking == 0 and word_gap == sentence_gap == 1:
        return [(0.0, text)], font.getlength(text)
    space = font.getlength(" ") * word_gap
    pieces: list[tuple[float, str]] = []
    x = end = 0.0
    for word in text.split(" "):
        for piece in word if tracking else _MARKS.split(word) if sentence_gap > 1 else [word]:
            if _MARKS.fullmatch(piece):
                x += 0.2 * space * sentence_gap
            pieces.append((x, piece))
            end = x + font.getlength(piece)
            x = end + tracking
        x += space * (sentence_gap if word.endswith((".", "!", "?")) else 1) + tracking
    return pieces, end


def stretch(mask: Mask, factor: float) -> Mask:
    """The mask made ``factor`` times as wide (condensed below 1)."""
    width = max(1, round(mask.shape[1] * factor))
    return np.asarray(cv2.resize(mask, (width, mask.shape[0]), interpolation=_kernel(factor)), np.uint8)


def shrink(mask: Mask, times: float) -> Mask:
    """The mask ``times`` as small: what was drawn on the grid of pixels no longer keeps to it, as under a scanner."""
    if times == 1:
        return mask
    size = (max(3, round(mask.shape[1] / times)), max(4, round(mask.shape[0] / times)))
    return np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_AREA), np.uint8)


def slant(mask: Mask, shear: float) -> Mask:
    """The mask leaning to the right by ``shear`` columns a row (an oblique face)."""
    height, width = mask.shape
    shift = abs(shear) * height
    matrix = np.array([[1, -shear, shift if shear > 0 else 0], [0, 1, 0]], np.float32)
    return np.asarray(cv2.warpAffine(mask, matrix, (int(width + shift) + 1, height)), np.uint8)


def embolden(mask: Mask, amount: float) -> Mask:
    """Strokes made ``amount`` pixels wider, in fractions too; the mask keeps its size."""
    whole = int(amount)
    for _ in range(whole):
        mask = np.asarray(cv2.dilate(mask, np.ones((1, 2), np.uint8)), np.uint8)
    if amount > whole:
        wider = np.asarray(cv2.dilate(mask, np.ones((2, 2), np.uint8)), np.uint8)
        mask = np.asarray(cv2.addWeighted(wider, amount - whole, mask, 1 - amount + whole, 0), np.uint8)
    return mask


def bitmap(mask: Mask, rows: int) -> Mask:
    """The mask as a printer with ``rows`` dots for its height draws it: no half-tones, coarse steps; same size."""
    height, width = mask.shape
    size = (max(1, round(width * rows / height)), rows)
    coarse = np.where(cv2.resize(mask, size, interpolation=cv2.INTER_AREA) > 100, 255, 0).astype(np.uint8)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def outline(mask: Mask, width: int) -> Mask:
    """Only the contour of the letters, ``width`` pixels wide."""
    inner = cv2.erode(mask, np.ones((width + 1, width + 1), np.uint8))
    return np.asarray(cv2.subtract(mask, inner), np.uint8)


def dot_matrix(mask: Mask, rows: int, pitch: int, roundness: float = 0.42, *, dense: bool = False) -> Mask:
    """The mask printed by needles: ``rows`` dots for its height, ``pitch`` pixels apart, each a disc with a radius of
    ``roundness`` of the pitch (above 0.5 the dots touch); ``dense`` sets twice as many columns, whose dots overlap."""
    columns = max(1, round(mask.shape[1] * rows / mask.shape[0])) * (2 if dense else 1)
    cells = (cv2.resize(mask, (columns, rows), interpolation=cv2.INTER_AREA) > 90).astype(np.uint8)
    axis = (np.arange(pitch) + 0.5) / pitch - 0.5
    distance = np.hypot(*np.meshgrid(axis, axis))
    disc = (np.clip((roundness - distance) * pitch + 0.5, 0, 1) * 255).astype(np.uint8)
    if not dense:
        return np.asarray(np.kron(cells, disc), np.uint8)
    dots = np.asarray(np.kron(cells[:, ::2], disc), np.uint8)
    between = np.kron(cells[:, 1::2], disc)[:, : dots.shape[1] - pitch // 2]
    np.maximum(dots[:, pitch // 2 :], between, out=dots[:, pitch // 2 :])
    return dots


def _kernel(factor: float) -> int:
    return cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR


@lru_cache(maxsize=512)
def _font(path: str, index: int, size: float) -> ImageFont.FreeTypeFont:
    engine = ImageFont.Layout.RAQM if features.check("raqm") else ImageFont.Layout.BASIC
    return ImageFont.truetype(path, size, index=index, layout_engine=engine)
