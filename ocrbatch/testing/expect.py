"""Small assertions that the checks share."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

TOLERANCE = 1e-5


def expect(condition: bool, message: str) -> None:
    """Raise AssertionError with ``message`` unless ``condition`` holds (also under ``python -O``)."""
    if not condition:
        raise AssertionError(message)


def expect_finite(array: ArrayLike, what: str) -> None:
    """Every number of ``array`` is finite."""
    expect(bool(np.isfinite(np.asarray(array, np.float64)).all()), f"{what} holds NaN or infinity")


def expect_within(points: NDArray[Any], width: float, height: float, what: str) -> None:
    """``points`` (n, 2) are float32, finite and inside of the page."""
    expect(points.ndim == 2 and points.shape[1] == 2, f"{what} has the shape {points.shape}, not (n, 2)")
    expect(points.dtype == np.float32, f"{what} is {points.dtype}, not float32")
    expect_finite(points, what)
    inside = bool((points >= 0).all() and (points <= (width, height)).all())
    expect(inside, f"{what} leaves the page of {width} x {height}")


def expect_score(score: float, what: str) -> None:
    """``score`` is a number in 0..1."""
    expect(0.0 <= float(score) <= 1.0, f"{what} is {score}, not within 0..1")


def expect_same_arrays(one: Mapping[str, Any], other: Mapping[str, Any], what: str) -> None:
    """Two sets of targets have the same names, shapes and dtypes."""
    layouts = [{k: (np.shape(v), np.asarray(v).dtype) for k, v in arrays.items()} for arrays in (one, other)]
    expect(layouts[0] == layouts[1], f"{what} differ in names, shapes or dtypes: {layouts[0]} and {layouts[1]}")


def expect_light(target: str, why: str) -> None:
    """Importing what ``"package.module:attribute"`` names does not import keras (a fresh interpreter looks);
    ``why`` says why it must not."""
    module, _, attribute = target.partition(":")
    code = f"import sys, {module} as m; m.{attribute}; sys.stdout.write(str('keras' in sys.modules))"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    expect(done.returncode == 0, f"importing {module} fails: {done.stderr.strip()[-300:]}")
    expect(done.stdout != "True", f"{module} imports keras: {why}")
