"""Rectification by a thin-plate spline (Shi et al., CVPR 2016; Bookstein, PAMI 1989).

A small network predicts where points of the upper and the lower edge of the text lie in the picture; the spline that
moves the edges of a rectangle there says for each pixel of the rectified picture where to sample the original.
Coordinates are x, y in -1..1.
"""

from __future__ import annotations

from typing import Any, Literal

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from ocrbatch.nn.blocks import conv_norm

WIDTHS = {"small": (16, 32, 64, 128), "large": (64, 128, 256, 512)}
HIDDEN = {"small": 64, "large": 256}


def rectify(image: Any, *, points: int, size: Literal["small", "large"]) -> Any:
    """The picture (N, H, W, C), H and W fixed, sampled along its text line; same shape."""
    height, width = image.shape[1:3]
    predicted = layers.Reshape((points, 2), name="transform-points")(_localize(image, points, size))
    flat = layers.Reshape((2 * points,), name="transform-flat")(predicted)
    tail = layers.Dense(6, kernel_initializer="zeros", trainable=False, name="transform-grid_generator-fc")(flat)
    tail = layers.Reshape((3, 2), name="transform-tail")(tail)
    grid = SplineGrid(height, width, name="transform-grid")(predicted, tail)
    return GridSample(name="transform-rectified")(image, grid)


def _localize(image: Any, points: int, size: Literal["small", "large"]) -> Any:
    """Coordinates (N, 2 points), those of :func:`resting_points` before any training."""
    x = image
    for number, width in enumerate(WIDTHS[size]):
        x = conv_norm(x, width, 3, activation="relu", name=f"transform-loc_net-loc_conv{number}")
        if number < len(WIDTHS[size]) - 1:
            x = layers.MaxPooling2D(2, name=f"transform-loc_net-pool{number}")(x)
    x = layers.GlobalAveragePooling2D(name="transform-loc_net-mean")(x)
    x = layers.Dense(HIDDEN[size], activation="relu", name="transform-loc_net-fc1")(x)
    last = layers.Dense(
        2 * points, kernel_initializer="zeros", bias_initializer=RestingPoints(), name="transform-loc_net-fc2"
    )
    return last(x)


@keras.saving.register_keras_serializable(package="ocrbatch")
class RestingPoints(keras.initializers.Initializer):
    """The points before training, as a flat vector."""

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return ops.convert_to_tensor(resting_points(shape[0] // 2).reshape(-1), dtype)

    def get_config(self) -> dict[str, Any]:
        return {}


def resting_points(count: int) -> NDArray[np.float64]:
    """(count, 2): y from 0 to -1 along the first half, from 1 to 0 along the second, x from -1 to 1 along both."""
    x = np.linspace(-1, 1, count // 2)
    above, below = np.stack([x, -(x + 1) / 2], axis=1), np.stack([x, (1 - x) / 2], axis=1)
    return np.concatenate([above, below])


def base_points(count: int) -> NDArray[np.float64]:
    """(count, 2): where the points lie in the rectified picture, half of them along each edge."""
    x = np.linspace(-1, 1, count // 2)
    return np.concatenate([np.stack([x, np.full_like(x, y)], axis=1) for y in (-1, 1)])


def spline_matrix(height: int, width: int, count: int) -> NDArray[np.float64]:
    """(height * width, count + 3): times the points and three rows for the affine part, it gives the sampling grid.

    Worked out in float64: the inverse amplifies rounding.
    """
    base = base_points(count)
    distance = np.linalg.norm(base[:, None] - base[None], axis=2) + np.eye(count)
    one, zero = np.ones((count, 1)), np.zeros((3, 3))
    upper = np.hstack([one, base, distance**2 * np.log(distance)])
    lower = np.hstack([zero, np.hstack([base, one]).T])
    x, y = ((2 * np.arange(side) + 1 - side) / side for side in (width, height))
    pixels = np.stack(np.meshgrid(x, y), axis=2).reshape(-1, 2)
    far = np.linalg.norm(pixels[:, None] - base[None], axis=2)
    radial = np.hstack([np.ones((len(pixels), 1)), pixels, far**2 * np.log(far + 1e-6)])
    return radial @ np.linalg.inv(np.vstack([upper, lower]))


@keras.saving.register_keras_serializable(package="ocrbatch")
class SplineGrid(layers.Layer):
    """Points (N, n, 2) and the affine tail (N, 3, 2) to a grid (N, height, width, 2) of x, y in -1..1."""

    def __init__(self, height: int, width: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.height, self.width = height, width

    def call(self, points: Any, tail: Any) -> Any:
        matrix = spline_matrix(self.height, self.width, points.shape[1]).astype(np.float32)
        grid = ops.matmul(ops.convert_to_tensor(matrix), ops.concatenate([points, tail], axis=1))
        return ops.reshape(grid, (-1, self.height, self.width, 2))

    def compute_output_shape(self, points_shape: Any, tail_shape: Any) -> Any:  # noqa: ARG002
        return (points_shape[0], self.height, self.width, 2)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "height": self.height, "width": self.width}


@keras.saving.register_keras_serializable(package="ocrbatch")
class GridSample(layers.Layer):
    """Bilinear samples of a picture (N, H, W, C) at a grid (N, h, w, 2) whose -1 and 1 are the centres of the outermost
    pixels; 0 outside.

    One pixel of zeros around the picture makes the outside an ordinary sample. Gathering rows of one flat table is what
    the exported graph runs fastest.
    """

    def call(self, image: Any, grid: Any) -> Any:
        height, width, channels = image.shape[1:]
        x = ops.clip((grid[..., 0] + 1) * ((width - 1) / 2) + 1, 0.0, width + 1.0)
        y = ops.clip((grid[..., 1] + 1) * ((height - 1) / 2) + 1, 0.0, height + 1.0)
        left, top = ops.clip(ops.floor(x), 0.0, float(width)), ops.clip(ops.floor(y), 0.0, float(height))
        rows, columns = height + 2, width + 2
        table = ops.reshape(ops.pad(image, ((0, 0), (1, 1), (1, 1), (0, 0))), (-1, channels))
        first = ops.arange(ops.shape(image)[0]) * (rows * columns)
        corner = first[:, None, None] + ops.cast(top, "int32") * columns + ops.cast(left, "int32")
        right, low = (x - left)[..., None], (y - top)[..., None]
        upper = ops.take(table, corner, axis=0) * (1 - right) + ops.take(table, corner + 1, axis=0) * right
        corner = corner + columns
        lower = ops.take(table, corner, axis=0) * (1 - right) + ops.take(table, corner + 1, axis=0) * right
        return upper * (1 - low) + lower * low

    def compute_output_shape(self, image_shape: Any, grid_shape: Any) -> Any:
        return (image_shape[0], *grid_shape[1:3], image_shape[3])
