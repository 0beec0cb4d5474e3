"""A page's layout as the tree of elements that OCRmyPDF writes into a PDF."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from ocrmypdf import BoundingBox, OcrClass, OcrElement

from ocrbatch.outputs.layout import Layout, Line, levelled
from ocrbatch.types import Polygon, Word

_LEVEL = 0.005
"""Slope up to which OCRmyPDF itself takes a baseline as level."""


def tree_of(layout: Layout, dpi: float, page_number: int = 0) -> OcrElement:
    """The page with its blocks as paragraphs, their lines and words, in pixels. ``page_number`` counts from 0."""
    return OcrElement(
        OcrClass.PAGE,
        BoundingBox(0, 0, layout.width, layout.height),
        dpi=dpi,
        page_number=page_number,
        children=[_paragraph(block) for block in layout.blocks],
    )


def _paragraph(lines: Iterable[Line]) -> OcrElement:
    children = [element for line in lines for element in _elements(line)]
    box = _box(np.array([corner for child in children for corner in child.poly or ()], np.float32))
    return OcrElement(OcrClass.PARAGRAPH, box, children=children)


def _elements(line: Line) -> list[OcrElement]:
    """The line, if its words stand level; else each of its words as a line of its own.

    OCRmyPDF writes all words of a line along one baseline. A slanted one would make readers take the words apart
    (:func:`ocrbatch.outputs.layout.levelled`).
    """
    words = [Word(word.text, levelled(word.points), word.score) for word in line.words]
    across = words[-1].points[2] - words[0].points[3]
    slant = abs(float(across[1])) / max(1.0, abs(float(across[0])))
    if slant < _LEVEL and not _angle(words[0]):
        return [_element(words, 0.0)]
    return [_element([word], _angle(word)) for word in words]


def _angle(word: Word) -> float:
    """Degrees by which a word descends to the right."""
    x, y = (word.points[1] - word.points[0]).tolist()
    return math.degrees(math.atan2(y, x))


def _element(words: Sequence[Word], angle: float) -> OcrElement:
    points = np.concatenate([word.points for word in words])
    return OcrElement(
        OcrClass.LINE,
        _box(points),
        poly=[(float(x), float(y)) for x, y in points],
        text=" ".join(word.text for word in words),
        confidence=min(word.score for word in words),
        children=[OcrElement(OcrClass.WORD, _box(w.points), text=w.text, confidence=w.score) for w in words],
        textangle=-angle if angle else None,
    )


def _box(points: Polygon) -> BoundingBox:
    left, top = (float(value) for value in points.min(axis=0))
    right, bottom = (float(value) for value in points.max(axis=0))
    return BoundingBox(left, top, max(right, left + 1), max(bottom, top + 1))
