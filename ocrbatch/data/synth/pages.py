"""Whole pages for detectors: a layout is drawn, marked, painted, laid down and damaged; labels follow every step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from ocrbatch.data.synth.damage import Profile, damage
from ocrbatch.data.synth.fonts import FontBook
from ocrbatch.data.synth.layouts.business import form, invoice, table_page
from ocrbatch.data.synth.layouts.prose import book_page, letter, newspaper
from ocrbatch.data.synth.layouts.receipt import receipt
from ocrbatch.data.synth.layouts.scene import scene
from ocrbatch.data.synth.layouts.sheet import Desk, Sheet
from ocrbatch.data.synth.marks import add_clutter, add_marks
from ocrbatch.data.synth.painting import Region, paint
from ocrbatch.data.synth.paper import background
from ocrbatch.data.synth.text import TextSource
from ocrbatch.data.synth.warp import Warp, lay
from ocrbatch.geometry import clip_polygon, signed_area, to_shape
from ocrbatch.types import Image, Polygon

__all__ = ["Region", "render_page"]

Layout = Callable[[Desk], Sheet]

_LAYOUTS: tuple[tuple[float, Layout, Profile], ...] = (
    (0.42, receipt, "receipt"),
    (0.10, letter, "scan"),
    (0.09, book_page, "book"),
    (0.06, newspaper, "book"),
    (0.10, invoice, "scan"),
    (0.08, form, "scan"),
    (0.07, table_page, "scan"),
    (0.08, scene, "photo"),
)
_FAINT = 6.0  # grey levels (root mean square over its box) of print that can hardly be seen
_ALIKE = 0.3  # correlation with the undamaged print, below which none of it is left


def render_page(
    rng: np.random.Generator, source: TextSource, book: FontBook, backgrounds: Sequence[Path] = ()
) -> tuple[Image, list[Region]]:
    """A random page of a random kind and its labelled runs of text, in pixels of the picture.

    ``backgrounds`` are picture files to lay pages and words on; without them grounds are made up.
    """
    shares = np.array([share for share, _, _ in _LAYOUTS])
    _, layout, profile = _LAYOUTS[int(rng.choice(len(shares), p=shares / shares.sum()))]
    desk = Desk(rng, source, book)
    sheet = layout(desk)
    picture, regions = paint(sheet, _view(rng, sheet, backgrounds) if sheet.scene else None)
    if not sheet.scene:
        add_marks(desk, picture, regions)
    photographed = sheet.scene or rng.random() < 0.15
    warp = _place(rng, sheet, photographed)
    if warp is not None:
        picture = warp.picture(picture, _surroundings(rng, warp.size, sheet, photographed, backgrounds))
    size = (picture.shape[1], picture.shape[0])
    placed = (_inside(region, region.points if warp is None else warp.quad(region.points), size) for region in regions)
    regions = [region for region in placed if region is not None]
    letter_height = float(np.median([_side(region) for region in regions])) if regions else 24.0
    damaged = damage(picture, rng, "photo" if photographed else profile, letter=letter_height)
    return damaged, [replace(region, ignore=region.ignore or _lost(picture, damaged, region)) for region in regions]


def _place(rng: np.random.Generator, sheet: Sheet, photographed: bool) -> Warp | None:
    """How the sheet lies; None when the picture is the sheet itself."""
    size = sheet.width, sheet.height
    if photographed:
        inset = (-0.08, 0.02) if sheet.scene else (-0.02, 0.12)
        turn = rng.uniform(-30, 30) if sheet.scene and rng.random() < 0.2 else rng.normal(0, 4)
        return lay(size, rng, turn=turn, tilt=rng.uniform(0, 0.07), curl=_curl(rng, sheet, 0.3), margin=inset)
    if rng.random() < 0.35:
        return None
    turn = rng.uniform(-10, 10) if rng.random() < 0.08 else rng.normal(0, 1.1)
    tilt = rng.uniform(0, 0.02) if rng.random() < 0.2 else 0.0
    margin = (0.0, rng.uniform(0.02, 0.3)) if rng.random() < 0.35 else (-0.03, 0.01)
    return lay(size, rng, turn=turn, tilt=tilt, curl=_curl(rng, sheet, 0.12), margin=margin)


def _curl(rng: np.random.Generator, sheet: Sheet, chance: float) -> float:
    return sheet.width * 0.012 if rng.random() < chance and not sheet.scene else 0.0


def _surroundings(
    rng: np.random.Generator, size: tuple[int, int], sheet: Sheet, photographed: bool, backgrounds: Sequence[Path]
) -> Image:
    """What is seen around the sheet: a table, or a scanner's lid, white or black."""
    if photographed:
        return _texture(rng, *size, backgrounds)
    chance = rng.random()
    colour = sheet.paper if chance < 0.45 else (255, 255, 255) if chance < 0.7 else (int(rng.integers(0, 70)),) * 3
    ground = np.empty((size[1], size[0], 3), np.uint8)
    ground[:] = colour
    return ground


def _view(rng: np.random.Generator, sheet: Sheet, backgrounds: Sequence[Path]) -> Image:
    """What a scene's words stand in front of."""
    ground = _texture(rng, sheet.width, sheet.height, backgrounds)
    add_clutter(rng, ground)
    return ground


def _texture(rng: np.random.Generator, width: int, height: int, backgrounds: Sequence[Path]) -> Image:
    """A surface; made at half its size, which is four times as fast."""
    half = np.clip(background(rng, height // 2, width // 2, backgrounds), 0, 255).astype(np.uint8)
    return np.asarray(cv2.resize(half, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _inside(region: Region, points: Polygon, size: tuple[int, int]) -> Region | None:
    """The region at ``points`` of a picture of ``size`` (width, height): None outside it, cut and to be ignored where
    more than a little is missing."""
    width, height = size
    clipped = clip_polygon(points, width, height)
    whole = abs(signed_area(points))
    shown = to_shape(points).intersection(to_shape([[0, 0], [width, 0], [width, height], [0, height]])).area
    if whole == 0 or shown < 0.1 * whole or abs(signed_area(clipped)) < 4:
        return None
    return Region(clipped, region.text, region.ignore or shown < 0.9 * whole)


def _side(region: Region) -> float:
    return float(np.linalg.norm(region.points[3] - region.points[0])) * 0.6


def _lost(clean: Image, damaged: Image, region: Region) -> bool:
    """Whether the text was hardly to be seen from the start, or little of it is left in the damaged picture."""
    x0, y0 = np.maximum(region.points.min(axis=0), 0).astype(int)
    x1, y1 = np.ceil(region.points.max(axis=0)).astype(int)
    before, after = (picture[y0:y1, x0:x1, 1].astype(np.float32) for picture in (clean, damaged))
    if before.size < 4:
        return True
    before, after = before - before.mean(), after - after.mean()
    clean_power, power, common = (float((a * b).sum()) for a, b in ((before, before), (after, after), (before, after)))
    contrast = common / np.sqrt(clean_power * before.size + 1e-9)
    return contrast < _FAINT or common < _ALIKE * np.sqrt(clean_power * power)
