"""Checks of backbones."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ocrbatch.api import Task
from ocrbatch.plugin_system.host import Host
from ocrbatch.testing.expect import expect, expect_finite

LINE_HEIGHT = 32
STRIDES = (4, 8, 16, 32)


def check_backbone(host: Host, name: str, task: Task, /, **options: Any) -> None:
    """A backbone gives maps of the shapes that its contract says, for any size and for colour and gray pictures, and
    can be saved and built again. Raises AssertionError."""
    from ocrbatch.testing.networks import check_serialisation

    descriptor = host.backbone(name)
    expect(task in descriptor.tasks, f"the backbone {name!r} is not for {task!r}, but for {descriptor.tasks}")
    config = host.config(descriptor, options)
    build = host.resolve(descriptor.model)
    what = f"the backbone {name!r} for {task}"
    check = _check_maps if task == "det" else _check_lines
    check(build(config, task=task, channels=1), 1, what)
    model = build(config, task=task, channels=3)
    check(model, 3, what)
    picture = _picture(LINE_HEIGHT, 64, 3)
    check_serialisation(model, lambda: build(config, task=task, channels=3), picture, what)


def _check_maps(model: Any, channels: int, what: str) -> None:
    from ocrbatch.testing.networks import outputs_of

    for height, width in ((64, 96), (96, 32)):
        maps = outputs_of(model, _picture(height, width, channels))
        sizes = [array.shape[1:3] for array in maps]
        expected = [(height // stride, width // stride) for stride in STRIDES]
        expect(sizes == expected, f"{what} gives maps of {sizes} for a picture of {height} x {width}, not {expected}")
        for array in maps:
            expect(array.ndim == 4 and array.shape[0] == 2, f"{what} gives a map of the shape {array.shape}")
            expect_finite(array, f"{what}: a map")


def _check_lines(model: Any, channels: int, what: str) -> None:
    from ocrbatch.testing.networks import outputs_of

    strides = []
    for width in (64, 160):
        maps = outputs_of(model, _picture(LINE_HEIGHT, width, channels))
        shape = maps[0].shape
        fits = len(maps) == 1 and len(shape) == 4 and shape[:2] == (2, 1)
        expect(fits, f"{what} gives {[m.shape for m in maps]}, not one map (N, 1, W / stride, C)")
        expect_finite(maps[0], f"{what}: its map")
        strides.append(width / shape[2])
    expect(max(strides) / min(strides) < 1.25, f"{what} has the strides {strides} for the widths 64 and 160")


def _picture(height: int, width: int, channels: int) -> NDArray[np.float32]:
    generator = np.random.default_rng(height * width)
    return generator.standard_normal((2, height, width, channels), np.float32)
