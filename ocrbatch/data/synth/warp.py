"""How a sheet lies in the picture: turned, seen at an angle, curled; pixels and points move alike."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from ocrbatch.geometry import min_area_quad, transform_points
from ocrbatch.types import Image, Polygon

_EDGE_POINTS = 9


@dataclass(frozen=True)
class Warp:
    """Sheet pixels to picture pixels: first a wave along y, then the projective ``matrix`` (3, 3).

    The wave, ``y + height * sin(2 pi x / length + phase)``, leaves x alone and so has an exact inverse. ``size`` is the
    picture's width and height.
    """

    matrix: NDArray[np.float64]
    size: tuple[int, int]
    wave: tuple[float, float, float] = (0.0, 1.0, 0.0)

    def points(self, points: ArrayLike) -> Polygon:
        """Where points (n, 2) of the sheet come to lie."""
        bent = np.array(points, np.float64)
        bent[:, 1] += self._lift(bent[:, 0])
        return transform_points(bent, self.matrix)

    def quad(self, quad: Polygon) -> Polygon:
        """Where a quadrilateral of the sheet comes to lie; on a curled sheet, the smallest rectangle around it."""
        if self.wave[0] == 0:
            return self.points(quad)
        share = np.linspace(0, 1, _EDGE_POINTS)[:, None]
        top = quad[0] + share * (quad[1] - quad[0])
        bottom = quad[2] + share * (quad[3] - quad[2])
        return min_area_quad(self.points(np.vstack([top, bottom])))[0]

    def picture(self, sheet: Image, ground: Image) -> Image:
        """The sheet laid on ``ground``, which has the picture's size."""
        if self.wave[0] == 0:
            return np.asarray(
                cv2.warpPerspective(
                    sheet,
                    self.matrix,
                    self.size,
                    dst=ground.copy(),
                    flags=cv2.INTER_LINEAR,
                    borderMode=cv2.BORDER_TRANSPARENT,
                ),
                np.uint8,
            )
        x, y = self._sources()
        laid = cv2.remap(sheet, x, y, cv2.INTER_LINEAR, dst=ground.copy(), borderMode=cv2.BORDER_TRANSPARENT)
        return np.asarray(laid, np.uint8)

    def _lift(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        height, length, phase = self.wave
        return height * np.sin(2 * np.pi * x / length + phase)

    def _sources(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """For each pixel of the picture, the sheet's x and y."""
        inverse = np.linalg.inv(self.matrix)
        columns, rows = np.arange(self.size[0]), np.arange(self.size[1])[:, None]
        depth = inverse[2, 0] * columns + inverse[2, 1] * rows + inverse[2, 2]
        x = (inverse[0, 0] * columns + inverse[0, 1] * rows + inverse[0, 2]) / depth
        y = (inverse[1, 0] * columns + inverse[1, 1] * rows + inverse[1, 2]) / depth
        return x.astype(np.float32), (y - self._lift(x)).astype(np.float32)


def lay(
    size: tuple[int, int],
    rng: np.random.Generator,
    *,
    turn: float = 0.0,
    tilt: float = 0.0,
    curl: float = 0.0,
    margin: tuple[float, float] = (0.0, 0.0),
) -> Warp:
    """A warp for a sheet of ``size`` (width, height).

    It is turned by ``turn`` degrees, each corner moved by up to ``tilt`` of the size, bent by up to ``curl`` pixels.
    The margins around it are drawn from ``margin``, shares of the width; negative ones cut.
    """
    width, height = size
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
    angle = np.deg2rad(turn)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = (corners - corners.mean(axis=0)) @ rotation.T
    moved += rng.uniform(-tilt, tilt, (4, 2)) * min(width, height)
    before, after = rng.uniform(*margin, (2, 2)) * width
    moved += before - moved.min(axis=0)
    span = moved.max(axis=0) + after
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), moved.astype(np.float32))
    wave = (float(rng.uniform(0.2, 1) * curl), float(rng.uniform(0.9, 3) * width), float(rng.uniform(0, 2 * np.pi)))
    return Warp(np.asarray(matrix, np.float64), (max(32, round(span[0])), max(32, round(span[1]))), wave)
