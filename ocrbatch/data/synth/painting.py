"""Paints a sheet: paper, rules, fills and text, and says where the labelled runs stand."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from ocrbatch.data.synth.ink import Ink, dot_matrix, embolden, set_in_cells, set_text
from ocrbatch.data.synth.layouts.sheet import Box, Colour, Fill, Rule, Run, Sheet
from ocrbatch.types import Image, Polygon

_MARGIN = 0.06  # of the em, around the ink: annotators leave a little room
_OVERLAP = 0.22  # of the smaller box: lines set tight share the room of their descenders


@dataclass(frozen=True, slots=True)
class Region:
    """A labelled run of text: quadrilateral float32 (4, 2) in pixels, clockwise from the text's top left.

    ``ignore`` marks one that nobody can be asked to read (cut off, or washed out).
    """

    points: Polygon
    text: str
    ignore: bool = False


def paint(sheet: Sheet, ground: Image | None = None) -> tuple[Image, list[Region]]:
    """The sheet as a picture of its size, on ``ground`` or on blank paper, and its labelled runs. A
    run that would stand on an earlier one is left out: a label must be readable."""
    picture = np.empty((sheet.height, sheet.width, 3), np.uint8)
    picture[:] = sheet.paper if ground is None else ground
    regions: list[Region] = []
    boxes = np.zeros((0, 4))
    kept = False  # whether the run before has a region that one joined to it may share
    for item in sheet.items:
        if isinstance(item, Run):
            ink = _ink(item)
            box = _label_box(item, ink)
            if item.label and (not ink.mask.any() or _covers(box, boxes)):
                kept = False
                continue
            stain(picture, ink.mask, round(item.x) + ink.left, round(item.y) + ink.top, item.type.colour)
            if item.joined and kept:
                boxes[-1] = _around(box, boxes[-1])
                regions[-1] = Region(corners(boxes[-1]), f"{item.text} {regions[-1].text}")
            elif item.label:
                boxes = np.vstack([boxes, box])
                regions.append(Region(corners(box), item.text))
            kept = item.label
        elif isinstance(item, Rule):
            _paint_rule(picture, item)
        else:
            _paint_fill(picture, item)
    return picture, regions


def corners(box: Box | NDArray[np.float64]) -> Polygon:
    """The corners of an upright box (x0, y0, x1, y1), clockwise from the top left."""
    x0, y0, x1, y1 = box
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32)


def stain(picture: Image, mask: NDArray[np.uint8], left: int, top: int, colour: Colour) -> None:
    """Lays ``colour`` through a coverage mask whose corner stands at (left, top), in place, cut at the borders."""
    height, width = picture.shape[:2]
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + mask.shape[1], width), min(top + mask.shape[0], height)
    if x0 >= x1 or y0 >= y1:
        return
    cover = mask[y0 - top : y1 - top, x0 - left : x1 - left, None].astype(np.float32) / 255
    patch = picture[y0:y1, x0:x1]
    patch[:] = (patch + cover * (np.array(colour, np.float32) - patch) + 0.5).astype(np.uint8)


def _ink(run: Run) -> Ink:
    """The run's mask as it is printed: stretched, in dots."""
    kind = run.type
    if kind.cell:
        ink = set_in_cells(kind.face, kind.size, run.text, kind.cell)
    else:
        ink = set_text(kind.face, kind.size, run.text, tracking=kind.tracking, word_gap=run.word_gap)
    mask, left, top = ink.mask, ink.left, ink.top
    if kind.bold:
        mask = embolden(np.pad(mask, ((0, 0), (0, int(kind.bold) + 1))), kind.bold)
    if kind.dots:
        rows = max(4, round(mask.shape[0] / kind.dots))
        mask = _resized(dot_matrix(mask, rows, 6, 0.5), mask.shape[1], mask.shape[0])
    if kind.wide != 1 or kind.tall != 1:
        mask = _resized(mask, round(mask.shape[1] * kind.wide), round(mask.shape[0] * kind.tall))
        left, top = round(left * kind.wide), round(top * kind.tall)
    return replace(ink, mask=mask, left=left, top=top)


def _resized(mask: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(mask, (max(1, width), max(1, height)), interpolation=cv2.INTER_AREA), np.uint8)


def _label_box(run: Run, ink: Ink) -> Box:
    """The ink's box, at least from the tops of the capitals to the baseline, with a small margin."""
    kind = run.type
    capital = -kind.font.getbbox("H", anchor="ls")[1] * kind.tall
    margin = max(1.0, _MARGIN * kind.em)
    left, top = round(run.x) + ink.left, round(run.y) + ink.top
    bottom = top + ink.mask.shape[0]
    return (
        left - margin,
        min(top, run.y - capital) - margin,
        left + ink.mask.shape[1] + margin,
        max(bottom, run.y) + margin,
    )


def _around(one: Box, other: NDArray[np.float64]) -> NDArray[np.float64]:
    """The smallest box that holds both."""
    return np.concatenate([np.minimum(one[:2], other[:2]), np.maximum(one[2:], other[2:])])


def _covers(box: Box, boxes: NDArray[np.float64]) -> bool:
    """Whether a box lies on more than a little of any of the ``boxes`` (n, 4), or they on it."""
    x0, y0, x1, y1 = box
    wide = np.clip(np.minimum(boxes[:, 2], x1) - np.maximum(boxes[:, 0], x0), 0, None)
    high = np.clip(np.minimum(boxes[:, 3], y1) - np.maximum(boxes[:, 1], y0), 0, None)
    sides = np.minimum((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]), (x1 - x0) * (y1 - y0))
    return bool((wide * high > _OVERLAP * sides).any())


def _paint_rule(picture: Image, rule: Rule) -> None:
    length = float(np.hypot(rule.x1 - rule.x0, rule.y1 - rule.y0))
    stroke, gap = rule.dash or (length, 1.0)
    starts = np.arange(0, max(length, 1e-3), max(1.0, stroke + gap))
    dx, dy = (rule.x1 - rule.x0) / max(length, 1e-3), (rule.y1 - rule.y0) / max(length, 1e-3)
    half = max(1.0, rule.thickness) / 2
    for start in starts:
        end = min(start + stroke, length)
        xs = sorted((rule.x0 + dx * start, rule.x0 + dx * end))
        ys = sorted((rule.y0 + dy * start, rule.y0 + dy * end))
        across, along = half * abs(dy), half * abs(dx)
        _fill(picture, (xs[0] - across, ys[0] - along, xs[1] + across, ys[1] + along), rule.colour)


def _paint_fill(picture: Image, fill: Fill) -> None:
    _fill(picture, fill.box, fill.colour)


def _fill(picture: Image, box: Box, colour: Colour) -> None:
    x0, y0, x1, y1 = (max(0, round(value)) for value in box)
    picture[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)] = colour
