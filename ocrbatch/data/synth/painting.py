"""Paints a sheet: paper, rules, fills and text, and says where the labelled runs stand."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ocrbatch.data.synth.ink import set_text
from ocrbatch.data.synth.layouts.sheet import Box, Colour, Fill, Rule, Run, Sheet
from ocrbatch.types import Image, Polygon

_MARGIN = 0.06  # of the em, around the ink: annotators leave a little room


@dataclass(frozen=True, slots=True)
class Region:
    """A labelled run of text: quadrilateral float32 (4, 2) in pixels, clockwise from the text's top left. ``ignore`` marks
    one that nobody can be asked to read (cut off, or washed out)."""

    points: Polygon
    text: str
    ignore: bool = False


def paint(sheet: Sheet, ground: Image | None = None) -> tuple[Image, list[Region]]:
    """The sheet as a picture of its size, on ``ground`` or on blank paper, and its labelled runs."""
    picture = np.empty((sheet.height, sheet.width, 3), np.uint8)
    picture[:] = sheet.paper if ground is None else ground
    regions = []
    for item in sheet.items:
        if isinstance(item, Run):
            box = _paint_run(picture, item)
            if item.label and box is not None:
                regions.append(Region(corners(box), item.text))
        elif isinstance(item, Rule):
            _paint_rule(picture, item)
        else:
            _paint_fill(picture, item)
    return picture, regions


def corners(box: Box) -> Polygon:
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


def _paint_run(picture: Image, run: Run) -> Box | None:
    """Draws a run; returns the box of its label."""
    kind = run.type
    ink = set_text(kind.face, kind.size, run.text, word_gap=run.word_gap)
    if not ink.mask.any():
        return None
    mask, left, top = ink.mask, ink.left, ink.top
    if kind.wide != 1 or kind.tall != 1:
        size = max(1, round(mask.shape[1] * kind.wide)), max(1, round(mask.shape[0] * kind.tall))
        mask = np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_AREA), np.uint8)
        left, top = round(left * kind.wide), round(top * kind.tall)
    x, y = round(run.x) + left, round(run.y) + top
    stain(picture, mask, x, y, kind.colour)
    return _label_box(run, (x, y, x + mask.shape[1], y + mask.shape[0]))


def _label_box(run: Run, inked: Box) -> Box:
    """The ink's box, at least from the tops of the capitals to the baseline, with a small margin."""
    kind = run.type
    capital = -kind.font.getbbox("H", anchor="ls")[1] * kind.tall
    margin = max(1.0, _MARGIN * kind.em)
    x0, y0, x1, y1 = inked
    return x0 - margin, min(y0, run.y - capital) - margin, x1 + margin, max(y1, run.y) + margin


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
