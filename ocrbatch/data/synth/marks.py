"""What stands on real pages and is not text to read: handwriting, stamps, codes, holes, folds. Drawn in place."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from ocrbatch.data.synth.ink import set_text
from ocrbatch.data.synth.layouts.sheet import Colour, Desk
from ocrbatch.data.synth.painting import Region, stain
from ocrbatch.data.synth.paper import background
from ocrbatch.types import Image

Rng = np.random.Generator
_PENS: tuple[Colour, ...] = ((20, 20, 25), (25, 35, 120), (40, 60, 170), (170, 30, 40), (20, 110, 90), (60, 60, 60))


def add_marks(desk: Desk, picture: Image, regions: Sequence[Region]) -> None:
    """A random few of all marks; bar codes and logos keep off the text, the others need not."""
    rng = desk.rng
    for chance, mark in (
        (0.3, _scribble),
        (0.15, _tick),
        (0.1, _ring),
        (0.1, _stamp),
        (0.12, _holes),
        (0.08, _fold),
        (0.1, _specks),
    ):
        while rng.random() < chance:
            mark(desk, picture)
    for chance, mark_at in ((0.3, _remark), (0.08, _strike)):
        while regions and rng.random() < chance:
            mark_at(desk, picture, regions[int(rng.integers(len(regions)))])
    for chance, mark_in in ((0.22, _bar_code), (0.08, _square_code), (0.15, _logo), (0.2, _photograph)):
        while rng.random() < chance and (box := _free_box(rng, picture, regions)):
            mark_in(rng, picture, box)


def add_clutter(rng: Rng, picture: Image) -> None:
    """Shapes and patterns as a street or a room has them: plates, discs, grids, lines."""
    height, width = picture.shape[:2]
    for _ in range(int(rng.integers(0, 14))):
        red, green, blue = (int(value) for value in rng.integers(0, 256, 3))
        colour = red, green, blue
        x, y = int(rng.integers(-width // 4, width)), int(rng.integers(-height // 4, height))
        w, h = (int(rng.exponential(0.2) * side) + 4 for side in (width, height))
        kind = rng.random()
        if kind < 0.35:
            cv2.rectangle(picture, (x, y), (x + w, y + h), colour, int(rng.choice([-1, -1, 2, 5])))
        elif kind < 0.6:
            cv2.ellipse(
                picture,
                (x, y),
                (w, h),
                float(rng.uniform(0, 180)),
                0,
                360,
                colour,
                int(rng.choice([-1, -1, 3])),
                cv2.LINE_AA,
            )
        elif kind < 0.8:
            _grid(rng, picture[max(y, 0) : y + h, max(x, 0) : x + w], colour)
        else:
            _polyline(
                picture,
                rng.uniform(0, 1, (int(rng.integers(2, 5)), 2)) * (width, height),
                colour,
                int(rng.integers(1, 9)),
            )


def _grid(rng: Rng, patch: Image, colour: Colour) -> None:
    """Bars or bricks."""
    step, thick = int(rng.integers(6, 60)), int(rng.integers(1, 6))
    for row in range(0, patch.shape[0], step):
        patch[row : row + thick] = colour
    if rng.random() < 0.6:
        for column in range(0, patch.shape[1], step * int(rng.integers(1, 4))):
            patch[:, column : column + thick] = colour


def _free_box(rng: Rng, picture: Image, regions: Sequence[Region]) -> tuple[int, int, int, int] | None:
    """A box (x, y, width, height) that touches no region, if one is found."""
    height, width = picture.shape[:2]
    boxes = np.array([[*r.points.min(axis=0), *r.points.max(axis=0)] for r in regions] or np.zeros((0, 4)))
    for _ in range(25):
        w, h = int(rng.uniform(0.12, 0.6) * width), int(rng.uniform(0.06, 0.3) * width)
        x, y = int(rng.integers(0, width - w)), int(rng.integers(0, max(1, height - h)))
        hit = (boxes[:, 0] < x + w + 6) & (boxes[:, 2] > x - 6) & (boxes[:, 1] < y + h + 6) & (boxes[:, 3] > y - 6)
        if not hit.any():
            return x, y, w, h
    return None


def _pen_strokes(rng: Rng, x: float, y: float, size: float, letters: int) -> NDArray[np.float64]:
    """A smooth line that looks like joined writing, (n, 2)."""
    steps = rng.uniform(0.15, 0.5, letters * 3) * size
    knots = np.stack([np.cumsum(steps), rng.choice([0.0, -0.5, -0.5, -1.0, 0.35], letters * 3) * size], axis=1)
    knots += rng.normal(0, 0.18 * size, knots.shape)
    place = np.linspace(0, len(knots) - 1, len(knots) * 6)
    dense = np.stack([np.interp(place, np.arange(len(knots)), knots[:, axis]) for axis in (0, 1)], axis=1)
    smooth = cv2.GaussianBlur(dense, (1, 9), 0, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(smooth, np.float64) + np.array([x, y])


def _polyline(picture: Image, points: NDArray[np.float64], colour: Colour, thickness: int) -> None:
    cv2.polylines(picture, [np.rint(points * 16).astype(np.int32)], False, colour, thickness, cv2.LINE_AA, 4)


def _pen(rng: Rng, width: int) -> tuple[Colour, int]:
    return _PENS[int(rng.integers(len(_PENS)))], int(max(1, rng.uniform(0.002, 0.006) * width))


def _scribble(desk: Desk, picture: Image) -> None:
    """A word by hand, or a signature with a stroke below it."""
    rng, (height, width) = desk.rng, picture.shape[:2]
    size = rng.uniform(0.03, 0.1) * width
    x, y = rng.uniform(0, 0.7) * width, (rng.uniform(0, 1) if rng.random() < 0.4 else rng.choice([0.05, 0.92])) * height
    colour, thickness = _pen(rng, width)
    points = _pen_strokes(rng, 0, 0, size, int(rng.integers(1, 8)))
    angle = rng.normal(0, 0.2)
    turned = points @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    _polyline(picture, turned + np.array([x, y]), colour, thickness)
    if rng.random() < 0.3:
        _polyline(
            picture, np.array([[x, y + size * 0.5], [x + size * 4, y + size * rng.uniform(0, 0.6)]]), colour, thickness
        )


def _remark(desk: Desk, picture: Image, region: Region) -> None:
    """Writing by hand beside a line of print, which often runs into it."""
    rng, width = desk.rng, picture.shape[1]
    (left, top), (right, bottom) = region.points.min(axis=0), region.points.max(axis=0)
    size = (bottom - top) * rng.uniform(0.6, 2.0)
    letters = int(rng.integers(1, 7))
    x = right + rng.uniform(-1.5, 1.5) * size if rng.random() < 0.6 else left - rng.uniform(0.2, letters) * size
    _polyline(picture, _pen_strokes(rng, x, bottom + rng.uniform(-0.8, 0.6) * size, size, letters), *_pen(rng, width))


def _strike(desk: Desk, picture: Image, region: Region) -> None:
    """A line by hand through print, or a crease that the scanner saw as one."""
    rng, width = desk.rng, picture.shape[1]
    (left, top), (right, bottom) = region.points.min(axis=0), region.points.max(axis=0)
    reach = right - left + rng.uniform(-0.3, 1.5) * (right - left)
    x = left + rng.uniform(-0.3, 0.2) * reach + np.linspace(0, reach, 9)
    y = top + (bottom - top) * (rng.uniform(0.2, 0.9) + np.cumsum(rng.normal(0, 0.06, 9)))
    _polyline(picture, np.stack([x, y], axis=1), *_pen(rng, width))


def _tick(desk: Desk, picture: Image) -> None:
    rng, (height, width) = desk.rng, picture.shape[:2]
    size = rng.uniform(0.02, 0.06) * width
    start = np.array([rng.uniform(0.6, 0.97) * width, rng.uniform(0.1, 0.9) * height])
    shape = np.array([[0, 0], [0.25, 0.4], [0.4, 0.5], [0.7, -0.3], [1.2, -1]]) + rng.normal(0, 0.06, (5, 2))
    _polyline(picture, start + shape * size, *_pen(rng, width))


def _ring(desk: Desk, picture: Image) -> None:
    """Something circled by hand."""
    rng, (height, width) = desk.rng, picture.shape[:2]
    angles = np.linspace(0, 2 * np.pi * rng.uniform(0.95, 1.15), 40)
    radii = np.array([rng.uniform(0.04, 0.14), rng.uniform(0.03, 0.07)]) * width
    centre = np.array([rng.uniform(0.1, 0.95) * width, rng.uniform(0.05, 0.95) * height])
    wobble = 1 + 0.06 * np.sin(angles * 2.3 + rng.uniform(0, 6))
    _polyline(
        picture, centre + np.stack([np.cos(angles), np.sin(angles)], 1) * radii * wobble[:, None], *_pen(rng, width)
    )


def _stamp(desk: Desk, picture: Image) -> None:
    """A rubber stamp: a word in a frame or ring, turned, unevenly inked."""
    rng, (height, width) = desk.rng, picture.shape[:2]
    kind = desk.type(None, rng.uniform(0.04, 0.09) * width)
    words = ["PAID", "POSTED", "RECEIVED", "COPY", "ENTERED", "CANCELLED", "APPROVED", "VOID", "DRAFT", "FILED"]
    ink = set_text(kind.face, kind.size, words[int(rng.integers(len(words)))], tracking=float(rng.uniform(0, 0.15)))
    pad = int(kind.size * rng.uniform(0.3, 0.7))
    mask = np.pad(ink.mask, pad)
    high, wide = mask.shape
    if rng.random() < 0.6:
        cv2.rectangle(mask, (2, 2), (wide - 3, high - 3), 255, max(1, kind.size // 12))
    elif rng.random() < 0.5:
        side = int(np.hypot(high, wide))
        mask = np.pad(mask, (((side - high) // 2,) * 2, ((side - wide) // 2,) * 2))
        cv2.circle(mask, (mask.shape[1] // 2, mask.shape[0] // 2), mask.shape[1] // 2 - 2, 255, max(1, kind.size // 10))
    mask = _rotated(mask, float(rng.choice([rng.uniform(-35, 35), rng.uniform(-8, 8)])))
    patchy = cv2.resize(rng.uniform(0.1, 1, (7, 11)), (mask.shape[1], mask.shape[0]), interpolation=cv2.INTER_CUBIC)
    mask = (mask * np.clip(patchy, 0, 0.95)).astype(np.uint8)
    x, y = int(rng.uniform(-0.05, 0.8) * width), int(rng.uniform(0, 0.9) * height)
    stain(picture, mask, x, y, _PENS[int(rng.integers(len(_PENS)))])


def _rotated(mask: NDArray[np.uint8], angle: float) -> NDArray[np.uint8]:
    height, width = mask.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1)
    cos, sin = abs(matrix[0, 0]), abs(matrix[0, 1])
    wide, high = int(width * cos + height * sin) + 2, int(width * sin + height * cos) + 2
    matrix[:, 2] += ((wide - width) / 2, (high - height) / 2)
    return np.asarray(cv2.warpAffine(mask, matrix, (wide, high)), np.uint8)


def _holes(desk: Desk, picture: Image) -> None:
    """Punch holes down the left side, black on a scanner with an open lid."""
    rng, (height, width) = desk.rng, picture.shape[:2]
    radius, x = int(rng.uniform(0.012, 0.03) * width), int(rng.uniform(0.03, 0.12) * width)
    first, step = rng.uniform(0.05, 0.5), rng.uniform(0.15, 0.4)
    colour = (0, 0, 0) if rng.random() < 0.7 else (250, 250, 250)
    for number in range(int(rng.integers(1, 4))):
        centre = x, int((first + number * step) * height)
        cv2.circle(picture, centre, radius, colour, -1, cv2.LINE_AA)
        if colour[0]:
            cv2.circle(picture, centre, radius, (120, 120, 120), 1, cv2.LINE_AA)


def _fold(desk: Desk, picture: Image) -> None:
    """A crease across the page: a band darker on one side."""
    rng, (height, width) = desk.rng, picture.shape[:2]
    down = rng.random() < 0.3
    extent = width if down else height
    profile = np.ones(extent, np.float32)
    place, reach = int(rng.uniform(0.2, 0.8) * extent), int(rng.uniform(0.01, 0.06) * extent) + 2
    profile[place : place + reach] -= np.linspace(rng.uniform(0.08, 0.35), 0, reach)[: extent - place]
    shade = profile[None, :, None] if down else profile[:, None, None]
    picture[:] = (picture * shade).astype(np.uint8)


def _specks(desk: Desk, picture: Image) -> None:
    """Dirt: small dark blobs of many sizes."""
    rng, (height, width) = desk.rng, picture.shape[:2]
    for _ in range(int(rng.integers(5, 60))):
        centre = int(rng.integers(width)), int(rng.integers(height))
        axes = int(rng.exponential(1.5)) + 1, int(rng.exponential(1.2)) + 1
        cv2.ellipse(picture, centre, axes, float(rng.uniform(0, 180)), 0, 360, (int(rng.integers(0, 120)),) * 3, -1)


def _bar_code(rng: Rng, picture: Image, box: tuple[int, int, int, int]) -> None:
    x, y, width, height = box
    unit = max(1, round(width / rng.uniform(95, 200)))
    widths = rng.choice([1, 1, 1, 2, 2, 3, 4], width // unit) * unit
    edges = np.cumsum(widths)
    bars = np.flatnonzero(edges < width)[::2]
    for bar in bars:
        picture[y : y + height, x + edges[bar] - widths[bar] : x + edges[bar]] = 25


def _square_code(rng: Rng, picture: Image, box: tuple[int, int, int, int]) -> None:
    """Looks like a QR code: random cells and three corner squares."""
    x, y, width, height = box
    count = int(rng.integers(21, 42))
    cells = (rng.random((count, count)) < 0.5).astype(np.uint8)
    for top, left in ((0, 0), (0, count - 7), (count - 7, 0)):
        cells[top : top + 7, left : left + 7] = 1
        cells[top + 1 : top + 6, left + 1 : left + 6] = 0
        cells[top + 2 : top + 5, left + 2 : left + 5] = 1
    unit = max(1, min(width, height) // count)
    code = np.kron(1 - cells, np.ones((unit, unit), np.uint8)) * 230 + 20
    patch = picture[y : y + code.shape[0], x : x + code.shape[1]]
    patch[:] = code[: patch.shape[0], : patch.shape[1], None]


def _logo(rng: Rng, picture: Image, box: tuple[int, int, int, int]) -> None:
    """A few simple shapes."""
    x, y, width, height = box
    size = min(width, height)
    for _ in range(int(rng.integers(1, 5))):
        colour = (
            tuple(int(v) for v in rng.integers(0, 200, 3)) if rng.random() < 0.4 else (int(rng.integers(0, 90)),) * 3
        )
        corners = (rng.uniform(0, 1, (int(rng.integers(3, 7)), 2)) * size + (x, y)).astype(np.int32)
        if rng.random() < 0.5:
            cv2.ellipse(
                picture,
                (x + size // 2, y + size // 2),
                (size // 2, int(size * rng.uniform(0.2, 0.5))),
                0,
                0,
                360,
                colour,
                int(rng.choice([-1, 2, 4])),
                cv2.LINE_AA,
            )
        else:
            cv2.fillPoly(picture, [np.asarray(cv2.convexHull(corners), np.int32)], colour, cv2.LINE_AA)


def _photograph(rng: Rng, picture: Image, box: tuple[int, int, int, int]) -> None:
    """A picture in the page."""
    x, y, width, height = box
    patch = np.clip(background(rng, height, width), 0, 255).astype(np.uint8)
    add_clutter(rng, patch)
    if rng.random() < 0.6:
        patch[:] = patch.mean(axis=2, keepdims=True).astype(np.uint8)
    picture[y : y + height, x : x + width] = patch[: picture.shape[0] - y]
