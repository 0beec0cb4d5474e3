"""Checks of text detectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ocrbatch.contracts import Detection, DetectorCodec, DetectorTraining
from ocrbatch.plugin_system.host import Host
from ocrbatch.testing.expect import (
    expect,
    expect_finite,
    expect_light,
    expect_same_arrays,
    expect_score,
    expect_within,
)
from ocrbatch.testing.garbage import garbage_like

QUADS = (
    [[8, 8], [56, 8], [56, 24], [8, 24]],
    [[20, 30], [60, 38], [58, 50], [18, 42]],
    [[-10, 40], [12, 40], [12, 90], [-10, 90]],
    [[30, 30], [30, 30], [30, 30], [30, 30]],
    [[5, 55], [6, 55], [6, 56], [5, 56]],
)
"""Outlines as they come: upright, tilted, leaving the picture, without any area, as small as a pixel."""


def check_detector(host: Host, name: str, /, **options: Any) -> None:
    """A detector can be built, saved, trained for a step (on pictures without any text too) and read from, whatever its
    network answers. Raises AssertionError."""
    descriptor = host.detector(name)
    config = host.config(descriptor, options)
    what = f"the detector {name!r}"
    expect_light(descriptor.codec, "`ocrbatch run` must not load it")
    expect_light(descriptor.training, "data workers load this module, import keras inside loss()")
    codec = host.resolve(descriptor.codec)(config)
    training = host.resolve(descriptor.training)(config)
    _check_encoding(codec, config.input, what)
    _check_targets(training, what)
    networks = _check_networks(host.resolve(descriptor.model), config, training, what)
    _check_decoding(codec, networks, config.input, what)


def _check_encoding(codec: DetectorCodec, input: Any, what: str) -> None:
    generator = np.random.default_rng(0)
    for height, width in ((1, 1), (37, 53), (300, 40), (20, 700)):
        page = generator.integers(0, 256, (height, width, 3), np.uint8)
        page.flags.writeable = False
        array, fit = codec.encode(page)
        expect(array.dtype == np.uint8, f"{what}: encode() gives {array.dtype}, not uint8")
        divisible = array.ndim == 3 and not (array.shape[0] % input.divisor or array.shape[1] % input.divisor)
        fits = divisible and array.shape[2] == input.channels
        expect(fits, f"{what}: encode() gives the shape {array.shape} for divisor {input.divisor}")
        expect((fit.height, fit.width) == (height, width), f"{what}: encode() says the page is {fit.height, fit.width}")
        expect(fit.scale_x > 0 and fit.scale_y > 0, f"{what}: encode() says scales {fit.scale_x, fit.scale_y}")


def _check_targets(training: DetectorTraining, what: str) -> None:
    for size in ((64, 64), (64, 96)):
        empty = training.targets(size, [], [])
        full = training.targets(size, _polygons(), [False, False, False, True, False])
        expect(bool(empty), f"{what}: targets() gives no arrays")
        expect_same_arrays(empty, full, f"{what}: targets of {size} without and with text")
        for name, array in {**empty, **full}.items():
            expect_finite(array, f"{what}: the target {name!r}")


def _check_networks(build: Any, config: Any, training: DetectorTraining, what: str) -> Any:
    from ocrbatch.testing import networks as nets

    def fresh() -> Any:
        return build(config, nets.tiny_detection_backbone(config.input.channels))

    built = fresh()
    targets = [training.targets((64, 64), _polygons(), [False] * len(QUADS)), training.targets((64, 64), [], [])]
    nets.check_networks(built, set(targets[0]), what)
    picture = _picture(64, 64, config.input.channels)
    nets.check_serialisation(built.inference, lambda: fresh().inference, picture, what)
    for size in ((64, 96), (96, 64)):
        for output in nets.outputs_of(built.inference, _picture(size[0], size[1], config.input.channels)):
            expect_finite(output, f"{what}: its output for {size}")
    batches = {"text and none": targets, "no text at all": [targets[1], targets[1]]}
    nets.check_training(built.training, training, picture, batches, what)
    return built


def _check_decoding(codec: DetectorCodec, networks: Any, input: Any, what: str) -> None:
    from ocrbatch.testing.networks import outputs_of

    page = np.full((90, 120, 3), 200, np.uint8)
    array, fit = codec.encode(page)
    outputs = outputs_of(networks.inference, _picture(array.shape[0], array.shape[1], input.channels))
    for kind, garbage, possible in garbage_like([output[0] for output in outputs]):
        found = codec.decode(garbage, fit)
        _check_outlines(found, fit.width, fit.height, f"{what}, decoding {kind}")
        for detection in found if possible else ():
            expect_score(detection.score, f"{what}, decoding {kind}: a score")


def _check_outlines(found: Sequence[Detection], width: int, height: int, what: str) -> None:
    for detection in found:
        shape = detection.points.shape
        expect(shape == (4, 2), f"{what}: points have the shape {shape}, not (4, 2)")
        expect_within(detection.points, width, height, f"{what}: a box")
        if detection.polygon is not None:
            expect_within(detection.polygon, width, height, f"{what}: a polygon")


def _polygons() -> list[NDArray[np.float32]]:
    return [np.array(quad, np.float32) for quad in QUADS]


def _picture(height: int, width: int, channels: int) -> NDArray[np.float32]:
    return np.random.default_rng(1).standard_normal((2, height, width, channels), np.float32)
