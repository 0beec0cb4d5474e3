"""Checks of text recognizers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ocrbatch.charset import Charset, load_charset
from ocrbatch.contracts import Reading, RecognizerCodec, RecognizerTraining
from ocrbatch.plugin_system.host import Host
from ocrbatch.testing.expect import expect, expect_finite, expect_light, expect_same_arrays, expect_score
from ocrbatch.testing.garbage import garbage_like

UNKNOWN = "\u0434"


def check_recognizer(host: Host, name: str, /, **options: Any) -> None:
    """A recognizer can be built, saved, trained for a step (on an empty label too) and read from, whatever its network
    answers. Raises AssertionError."""
    descriptor = host.recognizer(name)
    config = host.config(descriptor, options)
    what = f"the recognizer {name!r}"
    charset = load_charset("ascii")
    expect_light(descriptor.codec, "`ocrbatch run` must not load it")
    expect_light(descriptor.training, "data workers load this module, import keras inside loss()")
    codec = host.resolve(descriptor.codec)(config, charset)
    training = host.resolve(descriptor.training)(config, charset)
    _check_encoding(codec, config.input, what)
    _check_targets(training, config.max_length, what)
    networks = _check_networks(host.resolve(descriptor.model), config, training, len(charset), what)
    _check_decoding(codec, networks, charset, config.input, what)


def _check_encoding(codec: RecognizerCodec, input: Any, what: str) -> None:
    generator = np.random.default_rng(0)
    for height, width in ((1, 1), (10, 300), (32, 100), (90, 20), (5, 4000)):
        line = generator.integers(0, 256, (height, width, 3), np.uint8)
        line.flags.writeable = False
        array, used = codec.encode(line)
        expect(array.dtype == np.uint8, f"{what}: encode() gives {array.dtype}, not uint8")
        fits = array.ndim == 3 and (array.shape[0], array.shape[2]) == (input.height, input.channels)
        expect(fits, f"{what}: encode() gives the shape {array.shape}, not ({input.height}, W, {input.channels})")
        expect(array.shape[1] in input.widths, f"{what}: encode() gives the width {array.shape[1]}, not on the ladder")
        expect(0 < used <= 1, f"{what}: encode() says that {used} of the width is used")


def _check_targets(training: RecognizerTraining, max_length: int, what: str) -> None:
    reference = training.targets("a")
    for text in ("", "aa", "Hello, you", "x y", "ab" * (max_length // 2)):
        if len(text) > max_length:
            continue
        arrays = training.targets(text)
        expect_same_arrays(reference, arrays, f"{what}: targets of 'a' and {text!r}")
        for name, array in arrays.items():
            expect_finite(array, f"{what}: the target {name!r}")
        needed = training.steps_needed(text)
        expect(needed >= len(text), f"{what}: steps_needed({text!r}) is {needed}")
    try:
        training.targets(UNKNOWN)
    except KeyError:
        return
    raise AssertionError(f"{what}: targets() takes a character that the charset lacks instead of raising KeyError")


def _check_networks(build: Any, config: Any, training: RecognizerTraining, n_characters: int, what: str) -> Any:
    from ocrbatch.testing import networks as nets

    def fresh() -> Any:
        backbone = nets.tiny_recognition_backbone(config.input.height, config.input.channels)
        return build(config, backbone, n_characters)

    built = fresh()
    targets = [training.targets("Hello"[: config.max_length]), training.targets("")]
    nets.check_networks(built, set(targets[0]), what)
    width = config.input.widths[0]
    picture = _picture(config.input, width)
    nets.check_serialisation(built.inference, lambda: fresh().inference, picture, what)
    wider = config.input.widths[:2][-1]
    for output in nets.outputs_of(built.inference, _picture(config.input, wider)):
        expect(output.shape[0] == 2, f"{what}: an output of the shape {output.shape} has lost the batch axis")
        expect_finite(output, f"{what}: its output for lines {wider} wide")
    batches = {"a label and an empty one": targets, "empty labels": [targets[1], targets[1]]}
    nets.check_training(built.training, training, picture, batches, what)
    return built


def _check_decoding(codec: RecognizerCodec, networks: Any, charset: Charset, input: Any, what: str) -> None:
    from ocrbatch.testing.networks import outputs_of

    outputs = outputs_of(networks.inference, _picture(input, input.widths[0]))
    for kind, garbage, possible in garbage_like(outputs):
        readings = codec.decode(garbage, [1.0, 0.3])
        expect(len(readings) == 2, f"{what}: decode() gives {len(readings)} readings for two lines")
        _check_readings(readings, charset, f"{what}, decoding {kind}")
        for reading in readings if possible else ():
            for score in (reading.score, *(() if reading.scores is None else reading.scores.tolist())):
                expect_score(score, f"{what}, decoding {kind}: a score")


def _check_readings(readings: Sequence[Reading], charset: Charset, what: str) -> None:
    for reading in readings:
        strange = charset.unknown(reading.text)
        expect(not strange, f"{what}: the text {reading.text!r} holds {strange}, which the charset lacks")
        spans = reading.spans
        expect(spans.shape == (len(reading.text), 2), f"{what}: spans {spans.shape} for {len(reading.text)} characters")
        expect(spans.dtype == np.float32, f"{what}: spans are {spans.dtype}, not float32")
        expect_finite(spans, f"{what}: spans")
        if reading.scores is not None:
            shape = reading.scores.shape
            expect(shape == (len(reading.text),), f"{what}: scores {shape} for {len(reading.text)} characters")
        inside = bool((spans >= 0).all() and (spans <= 1).all() and (spans[:, 0] <= spans[:, 1]).all())
        expect(inside, f"{what}: spans are not ascending fractions of the line's width")


def _picture(input: Any, width: int) -> NDArray[np.float32]:
    return np.random.default_rng(1).standard_normal((2, input.height, width, input.channels), np.float32)
