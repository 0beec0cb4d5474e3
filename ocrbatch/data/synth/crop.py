"""Where a detector's box cuts a line: margins, what touches it, and how it lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ocrbatch.data.synth.ink import Ink, Mask
from ocrbatch.data.synth.optics import Rng, smooth_field


@dataclass(frozen=True, slots=True)
class Crop:
    """Margins in em around the ink (negative cuts into it); ``nominal``: around the height of a line with ascenders and
    descenders, whatever this one has; ``angle`` in radians, ``keystone`` and ``bow`` as shares of the height,
    ``wobble`` (how far letters stand off their place) in em."""

    top: float
    bottom: float
    left: float
    right: float
    nominal: bool = False
    angle: float = 0.0
    keystone: tuple[float, float] = (0.0, 0.0)
    bow: float = 0.0
    wobble: float = 0.0
    rules: tuple[str, ...] = ()

    @classmethod
    def random(cls, rng: Rng, kind: str) -> Crop:
        """Mostly tight and straight; words of scenes may stand askew."""
        scene = kind == "scene"
        askew = rng.random()
        return cls(
            top=_margin(rng),
            bottom=rng.uniform(-0.14, 0.0) if rng.random() < 0.06 else _margin(rng),  # some boxes cut commas
            left=max(0.0, _margin(rng)) if rng.random() < 0.9 else rng.uniform(0.4, 2.0),
            right=max(0.0, _margin(rng)) if rng.random() < 0.9 else rng.uniform(0.4, 2.0),
            nominal=rng.random() < 0.4,
            angle=float(rng.normal(0, 0.06 if scene else 0.012)) if askew < (0.7 if scene else 0.4) else 0.0,
            keystone=(rng.uniform(-0.25, 0.25), rng.uniform(-0.12, 0.12)) if scene and askew < 0.5 else (0.0, 0.0),
            bow=rng.uniform(-0.25, 0.25) if rng.random() < (0.15 if scene else 0.06) else 0.0,
            wobble=float(abs(rng.normal(0, 0.025))) if rng.random() < (0.3 if kind == "book" else 0.08) else 0.0,
            rules=tuple(name for name, share in _RULES.items() if rng.random() < share) if not scene else (),
        )


_RULES = {"under": 0.05, "above": 0.02, "left": 0.025, "right": 0.025, "pen": 0.02}


def _margin(rng: Rng) -> float:
    kind = rng.random()
    if kind < 0.12:
        return rng.uniform(-0.05, 0.0)
    return rng.uniform(0.0, 0.12) if kind < 0.6 else rng.uniform(0.1, 0.28) if kind < 0.93 else rng.uniform(0.25, 0.5)


def place(rng: Rng, ink: Ink, neighbours: Sequence[Ink], crop: Crop) -> Mask:
    """The line's mask cut as ``crop`` says. Of two ``neighbours`` the first stands above, the second below."""
    em = ink.em
    height, width = ink.mask.shape
    above, below = -ink.top, ink.top + height
    if crop.nominal:
        above, below = max(above, round(0.74 * em)), max(below, round(0.22 * em))
    most = 0.2 if neighbours else 1.0  # what shows of them must not look like the line itself
    top, bottom = above + min(crop.top, most) * em, below + min(crop.bottom, most) * em
    box = np.array([-crop.left * em, -top, width + crop.right * em, bottom])
    pad = int(0.5 * em) + 4
    x0, y0 = int(np.floor(box[0])) - pad, int(np.floor(box[1])) - pad
    canvas = np.zeros((int(np.ceil(box[3])) + pad - y0, int(np.ceil(box[2])) + pad - x0), np.uint8)
    paste(canvas, ink.mask, -x0, ink.top - y0)
    for side, other in zip((-1, 1), neighbours, strict=False):
        pitch = rng.uniform(1.0, 1.3) * em
        paste(canvas, other.mask, -x0 + int(rng.normal(0, em)), round(other.top + side * pitch) - y0)
    for rule in crop.rules:
        _rule(rng, canvas, rule, em, (-x0, -y0, width - x0))
    if crop.wobble:
        canvas = _wobble(rng, canvas, em, crop.wobble * em)
    return _cut(canvas, box - [x0, y0, x0, y0], crop)


def paste(canvas: Mask, mask: Mask, x: int, y: int) -> None:
    """Lays a mask on the canvas with its corner at (x, y); what stands out is cut off."""
    rows, columns = canvas.shape
    top, left, bottom, right = max(0, y), max(0, x), min(rows, y + mask.shape[0]), min(columns, x + mask.shape[1])
    if top < bottom and left < right:
        part = canvas[top:bottom, left:right]
        np.maximum(part, mask[top - y : bottom - y, left - x : right - x], out=part)


def _rule(rng: Rng, canvas: Mask, rule: str, em: float, box: tuple[int, int, int]) -> None:
    """Underline, table rule, border or pen stroke; ``box`` is left, baseline, right of the text on the canvas."""
    left, baseline, right = box
    thick = max(1, round(em * rng.uniform(0.02, 0.09)))
    shade = int(rng.integers(120, 256))
    if rule == "pen":
        _pen_stroke(rng, canvas, thick, shade // 2)
        return
    if rule in ("left", "right"):
        x = left - round(em * rng.uniform(0.12, 0.4)) if rule == "left" else right + round(em * rng.uniform(0.12, 0.4))
        canvas[:, max(0, x) : max(0, x) + thick] = shade
        return
    y = (
        baseline + round(em * rng.uniform(0.08, 0.3))
        if rule == "under"
        else baseline - round(em * rng.uniform(0.9, 1.1))
    )
    if y < 0:
        return
    start, end = (left, right) if rng.random() < 0.6 else (0, canvas.shape[1])
    row = canvas[y : y + thick, start:end]
    dash = int(rng.integers(2, 7))
    pattern = np.arange(row.shape[1]) // dash % 2 == 0 if rng.random() < 0.2 else np.ones(row.shape[1], bool)
    np.maximum(row, (pattern * shade).astype(np.uint8), out=row)


def _pen_stroke(rng: Rng, canvas: Mask, thick: int, shade: int) -> None:
    """A hand-drawn stroke across the text, paler than its ink."""
    rows, columns = canvas.shape
    x = np.sort(rng.uniform(-0.1, 1.1, 4)) * columns
    y = rng.uniform(0, rows, 4)
    line = np.zeros_like(canvas)
    points = np.stack([x, y], axis=1).astype(np.int32)
    cv2.polylines(line, [points], False, shade, thick, cv2.LINE_AA)
    np.maximum(canvas, line, out=canvas)


def _cut(canvas: Mask, box: np.ndarray, crop: Crop) -> Mask:
    x0, y0, x1, y1 = box
    width = max(3, round(x1 - x0))
    angle = float(np.clip(crop.angle, *np.array([-0.35, 0.35]) * min(1.0, (y1 - y0) / width)))
    spare = 0.4 * (abs(np.sin(angle)) * width + (abs(crop.bow) + abs(crop.keystone[1])) * (y1 - y0))
    y0, y1 = max(0.0, y0 - spare), min(float(canvas.shape[0]), y1 + spare)
    height = max(4, round(y1 - y0))
    if crop.bow:
        canvas = _bend(canvas, crop.bow * (y1 - y0))
    if not crop.angle and not any(crop.keystone):
        left, top = round(x0), round(y0)
        return np.ascontiguousarray(canvas[top : top + height, left : left + width])
    corners = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
    centre = corners.mean(axis=0)
    turned = (corners - centre) @ np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) + centre
    tilt, lean = np.array(crop.keystone) * height
    turned += np.array([[lean, tilt], [lean, -tilt], [-lean, tilt], [-lean, -tilt]]) / 2
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(turned.astype(np.float32), target)
    return np.asarray(cv2.warpPerspective(canvas, matrix, (width, height), flags=cv2.INTER_LINEAR), np.uint8)


def _wobble(rng: Rng, canvas: Mask, em: float, reach: float) -> Mask:
    """Letters moved by up to ``reach`` pixels up, down and aside, as in hand-set lines or under a jerky scanner."""
    rows, columns = canvas.shape
    dx, dy = (smooth_field(rng, rows, columns, 0.5 * em, low=-reach, high=reach) for _ in range(2))
    x = np.arange(columns, dtype=np.float32) + dx
    return np.asarray(cv2.remap(canvas, x, np.arange(rows, dtype=np.float32)[:, None] + dy, cv2.INTER_LINEAR), np.uint8)


def _bend(canvas: Mask, depth: float) -> Mask:
    """Text on an arc: the middle of the canvas is ``depth`` pixels lower than its ends."""
    rows, columns = canvas.shape
    arc = np.float32(depth) * (1 - np.linspace(-1, 1, columns, dtype=np.float32) ** 2) - np.float32(depth / 2)
    x, y = np.meshgrid(np.arange(columns, dtype=np.float32), np.arange(rows, dtype=np.float32))
    return np.asarray(cv2.remap(canvas, x, y - arc, cv2.INTER_LINEAR), np.uint8)
