"""Pictures of single lines of text, as a detector cuts them out of receipts, letters, tables, books and photographs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from ocrbatch.charset import Charset
from ocrbatch.data.synth import ink as inks
from ocrbatch.data.synth import paper, printing
from ocrbatch.data.synth.crop import Crop, place
from ocrbatch.data.synth.damage import Profile, damage
from ocrbatch.data.synth.fonts import Face, FontBook, Style
from ocrbatch.data.synth.ink import Ink
from ocrbatch.data.synth.line_text import Kind, label, line_text
from ocrbatch.data.synth.optics import Pixels, Rng
from ocrbatch.data.synth.text import TextSource

MAX_HEIGHT = 48

_KINDS: tuple[Kind, ...] = ("receipt", "document", "book", "scene")
_SHARES = (0.50, 0.18, 0.22, 0.10)
_STYLES: Mapping[Kind, Mapping[Style, float]] = {
    "receipt": {"mono": 0.5, "dot": 0.1, "sans": 0.34, "serif": 0.06},
    "document": {"sans": 0.52, "serif": 0.36, "mono": 0.12},
    "book": {"serif": 0.9, "sans": 0.07, "mono": 0.03},
    "scene": {"sans": 0.5, "serif": 0.2, "display": 0.25, "mono": 0.03, "dot": 0.02},
}
_PROFILES: Mapping[Kind, Profile] = {"receipt": "receipt", "document": "scan", "book": "book", "scene": "photo"}
_OLD_FACES = re.compile(
    "Old Standard|C059|Schola|Century|Didot|Modern Roman|LM Roman|Caslon|FELL|Baskerville|Bodoni|Goudy|Garamond"
    "|Prociono|Artemisia|Gentium|Junicode|Cardo|Nimbus Roman|Libertine|Tinos|Old ?style|Vollkorn"
)


def render_line(
    rng: Rng, source: TextSource, book: FontBook, charset: Charset, backgrounds: Sequence[Path] = ()
) -> tuple[Pixels, str]:
    """A random line: its picture, uint8 (h, w) or (h, w, 3), h at most 48, and its label (NFC, single spaces)."""
    kind = _KINDS[int(rng.choice(len(_KINDS), p=_SHARES))]
    text = line_text(rng, source, kind, charset)
    style = str(rng.choice(list(_STYLES[kind]), p=list(_STYLES[kind].values())))
    like = _OLD_FACES if kind == "book" and rng.random() < 0.6 else None
    face = book.pick(rng, text, style, like)  # type: ignore[arg-type]
    if kind == "scene" and rng.random() < 0.5:  # signs are bold more often than not
        face = book.sister(rng, face, text)
    finer = rng.uniform(1.3, 2.2) if rng.random() < 0.5 else 1.0
    ink = _shape(rng, _set(rng, book, face, text, kind, finer), kind, face)
    neighbours = [_neighbour(rng, source, face, ink, text) for _ in range(2)] if _chance(rng, 0.15, kind) else []
    mask = inks.shrink(place(rng, ink, neighbours, Crop.random(rng, kind)), finer)
    clean = _paint(rng, mask, kind, backgrounds)
    picture = damage(clean, rng, _profile(rng, kind), letter=0.55 * ink.em / finer)
    return _fit(rng, picture if legible(picture, mask) else clean), label(text, charset)


def _size(rng: Rng, kind: Kind) -> float:
    """Pixels to the em."""
    centre, spread, low, high = {
        "receipt": (23, 0.32, 10.5, 44),
        "document": (27, 0.35, 10.5, 46),
        "book": (36, 0.28, 12, 50),
        "scene": (38, 0.35, 12, 60),
    }[kind]
    return float(np.clip(centre * np.exp(rng.normal(0, spread)), low, high))


def _set(rng: Rng, book: FontBook, face: Face, text: str, kind: Kind, finer: float = 1.0) -> Ink:
    """The text with the spacing of its kind, ``finer`` times as large; now and then some words in italics or bold."""
    size = _size(rng, kind) * finer
    tracking, gap, sentence = 0.0, 1.0, 1.0
    spread = rng.random()
    if spread < 0.1:
        tracking = rng.uniform(0.02, 0.14)
    elif spread < 0.14 and len(text) <= 30:
        tracking = rng.uniform(0.15, 0.45)
    elif spread < 0.2:
        tracking = rng.uniform(-0.05, -0.015)
    if rng.random() < {"book": 0.65, "document": 0.3, "receipt": 0.25, "scene": 0.1}[kind]:
        gap = float(np.clip(np.exp(rng.normal(0.4 if kind == "book" else 0.25, 0.4)), 0.85, 3))
    if tracking < 0:  # words must stay apart
        gap = max(gap, 1.25)
    if kind == "book" and rng.random() < 0.5:
        sentence = rng.uniform(1.2, 2.2)
    in_cells = face.style == "sans" and rng.random() < {"receipt": 0.6, "document": 0.06}.get(kind, 0)
    cell = rng.uniform(0.5, 0.72)

    def set_part(face: Face, part: str) -> Ink:
        if in_cells and part[:1].strip():  # a cell needs a letter before it
            return inks.set_in_cells(face, size, part, cell)
        return inks.set_text(face, size, part, tracking=tracking, word_gap=gap, sentence_gap=sentence)

    if kind != "book" and rng.random() < 0.6:
        parts, most = _around_colon(text)
        if parts:
            return inks.join([set_part(face, part) for part in parts], size * rng.uniform(0.15, most))
    words = text.split(" ")
    if len(words) < 3 or rng.random() > 0.07:
        return set_part(face, text)
    start, end = sorted(int(n) for n in rng.choice(len(words) + 1, 2, replace=False))
    runs = [(f, " ".join(part)) for f, part in _stressed(rng, book, face, words, start, end) if part]
    return inks.join(
        [set_part(f, part) for f, part in runs], set_part(face, "n n").advance - 2 * set_part(face, "n").advance
    )


def _around_colon(text: str) -> tuple[list[str], float]:
    """A text cut before or behind a colon that its line's neighbours may have in the same column, and how many em may
    lie there; no parts where there is none."""
    if text.startswith(": "):
        return [":", text[2:]], 1.5
    label, colon, value = text.partition(" :")
    return ([label, f":{value}"], 3.0) if label and colon else ([], 0.0)


def _stressed(
    rng: Rng, book: FontBook, face: Face, words: list[str], start: int, end: int
) -> list[tuple[Face, list[str]]]:
    other = book.sister(rng, face, " ".join(words))
    return [(face, words[:start]), (other, words[start:end]), (face, words[end:])]


def _shape(rng: Rng, ink: Ink, kind: Kind, face: Face) -> Ink:
    """Condensed, wide, bold, oblique, hollow letters, needles and coarse dots."""
    if rng.random() < {"receipt": 0.5, "document": 0.25, "book": 0.25, "scene": 0.4}[kind]:
        centre = -0.18 if kind == "receipt" else -0.04  # tills print tall, narrow letters
        factor = float(np.clip(np.exp(rng.normal(centre, 0.22)), 0.6, 1.5))
        ink = replace(ink, mask=inks.stretch(ink.mask, factor))
    if rng.random() < 0.05:
        ink = replace(ink, mask=inks.slant(ink.mask, rng.uniform(0.08, 0.3)))
    if rng.random() < (0.3 if kind == "scene" else 0.14):
        ink = replace(ink, mask=inks.embolden(ink.mask, rng.uniform(0.3, 1.0) * ink.em / 20))
    if kind == "scene" and ink.em > 26 and rng.random() < 0.06:
        return replace(ink, mask=inks.outline(ink.mask, max(1, round(ink.em / 24))))
    if kind != "receipt" or ink.mask.shape[0] < 6:
        return ink
    coarse = rng.random()
    if coarse < 0.15 and face.style in ("mono", "dot", "sans"):
        rows = max(5, round(ink.mask.shape[0] / ink.em * rng.uniform(9.5, 16)))
        pitch, roundness = int(rng.integers(2, 6)), rng.uniform(0.38, 0.7)
        dots = inks.dot_matrix(ink.mask, rows, pitch, roundness, dense=rng.random() < 0.5)
        return ink.scaled(dots, dots.shape[0] / ink.mask.shape[0])
    if coarse < 0.4:
        rows = max(6, round(ink.mask.shape[0] / ink.em * rng.uniform(15, 30)))
        return replace(ink, mask=inks.bitmap(ink.mask, rows))
    return ink


def _neighbour(rng: Rng, source: TextSource, face: Face, ink: Ink, text: str) -> Ink:
    """The line above or below: in the same face, or the same text where the face lacks a letter."""
    other = source.phrase(rng, max(4, len(text)))
    usable = "".join(c for c in other if c in text or c.isascii())
    return inks.set_text(face, ink.em, usable)


def _paint(rng: Rng, mask: inks.Mask, kind: Kind, backgrounds: Sequence[Path]) -> Pixels:
    if kind == "scene" or (kind == "document" and rng.random() < 0.06):
        return paper.scene(rng, mask, backgrounds)
    inverse = rng.random() < {"receipt": 0.03, "document": 0.08, "book": 0.0}[kind]
    return paper.print_ink(rng, mask, inverse=inverse, colour=rng.random() < 0.22)


def _profile(rng: Rng, kind: Kind) -> Profile:
    return "photo" if rng.random() < 0.12 and kind != "book" else _PROFILES[kind]


def legible(picture: Pixels, mask: inks.Mask) -> bool:
    """Whether the ink can still be told from the ground: it differs by 14 grey levels at least, most of it."""
    grey = printing.gray(picture).astype(np.float32)
    ink = mask > 127
    if not ink.any() or ink.all():
        return True
    letters, ground = grey[ink], grey[~ink]
    apart = abs(float(letters.mean() - ground.mean()))
    return apart > 14 and apart > 0.7 * float(letters.std() + ground.std())


def _fit(rng: Rng, picture: Pixels) -> Pixels:
    """At most 48 pixels high, now and then much less."""
    height, width = picture.shape[:2]
    target = min(height, MAX_HEIGHT)
    if rng.random() < 0.1:
        target = min(target, int(rng.integers(15, 27)))
    if target == height:
        return picture
    size = (max(1, round(width * target / height)), target)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _chance(rng: Rng, share: float, kind: Kind) -> bool:
    return kind != "scene" and rng.random() < share
