"""Random square crops of pages with their outlines, at a size near the one that running uses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import shapely

from ocrbatch.config.schema import DetectorInput
from ocrbatch.data.fit import mean_color, page_scale
from ocrbatch.data.labels import RegionLabel
from ocrbatch.geometry import min_area_quad, to_shape
from ocrbatch.types import Image, Polygon

_TEXT_CHANCE = 0.9
_VISIBLE = 0.15  # of a region's area: with less of it inside the crop it does not count


@dataclass(frozen=True, slots=True)
class Cropper:
    """Crops of ``size`` x ``size`` pixels; pages are scaled as for running, times a factor from ``scale``."""

    size: int
    scale: tuple[float, float]

    def __call__(
        self, page: Image, regions: Sequence[RegionLabel], input: DetectorInput, rng: np.random.Generator
    ) -> tuple[Image, list[Polygon], list[bool]]:
        """The crop, RGB uint8 (size, size, 3), and the outlines that it shows in its own pixels, with ignore flags."""
        low, high = np.log(self.scale)
        factor = page_scale(page.shape[0], page.shape[1], input) * float(np.exp(rng.uniform(low, high)))
        left, top = self._corner(page, regions, factor, rng)
        crop = _cut(page, left, top, self.size, factor, mean_color(input))
        offset = np.array([left, top], np.float32)
        polygons, ignore = [], []
        for region in regions:
            shown = _visible((region.points - offset) * np.float32(factor), self.size)
            if shown is not None:
                polygons.append(shown[0])
                ignore.append(region.ignore or not shown[1])
        return crop, polygons, ignore

    def _corner(
        self, page: Image, regions: Sequence[RegionLabel], factor: float, rng: np.random.Generator
    ) -> tuple[int, int]:
        """Top left of the window in page pixels: mostly such that it holds the middle of some region."""
        height, width = page.shape[:2]
        side = self.size / factor
        if regions and rng.random() < _TEXT_CHANCE:
            x, y = regions[int(rng.integers(len(regions)))].points.mean(axis=0) - rng.uniform(0.1, 0.9, 2) * side
        else:
            x, y = rng.uniform(0, 1, 2) * (width - side, height - side)
        return round(_inside(x, width - side)), round(_inside(y, height - side))


def _inside(start: float, room: float) -> float:
    """``start`` moved into the page; a page smaller than the window starts anywhere in it that shows all of it."""
    return float(np.clip(start, min(0.0, room), max(0.0, room)))


def _cut(page: Image, left: int, top: int, size: int, factor: float, padding: np.ndarray) -> Image:
    """The window from (left, top), scaled by ``factor`` to ``size`` squared, filled with ``padding`` off the page."""
    side = round(size / factor)
    height, width = page.shape[:2]
    x0, y0, x1, y1 = max(0, left), max(0, top), min(width, left + side), min(height, top + side)
    part = page[y0:y1, x0:x1]
    shape = (max(1, round((x1 - x0) * factor)), max(1, round((y1 - y0) * factor)))
    part = cv2.resize(part, shape, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)
    crop = np.empty((size, size, 3), np.uint8)
    crop[:] = padding
    column, row = round((x0 - left) * factor), round((y0 - top) * factor)
    part = part[: size - row, : size - column]
    crop[row : row + part.shape[0], column : column + part.shape[1]] = part
    return crop


def _visible(points: Polygon, size: int) -> tuple[Polygon, bool] | None:
    """What a crop shows of an outline and whether it is enough to count; None when it shows nothing."""
    low, high = points.min(axis=0), points.max(axis=0)
    if (low >= 0).all() and (high <= size).all():
        return points, True
    if (high <= 0).any() or (low >= size).any():
        return None
    shape = to_shape(points)
    part = shapely.intersection(shape, shapely.box(0, 0, size, size))
    if part.area < 1:
        return None
    corners = np.concatenate([shapely.get_coordinates(piece) for piece in shapely.get_parts(part)])
    enough = part.area >= _VISIBLE * shape.area or part.area >= 32 * 32
    return min_area_quad(corners)[0], bool(enough)
