"""Each classic model learns a handful of rendered samples by heart and gives them back through its codec."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from ocrbatch import geometry
from ocrbatch.bundles.network import algorithm_config, build_networks, codec_for, training_for
from ocrbatch.config.schema import ModelSpec
from ocrbatch.config.train import TrainSettings
from ocrbatch.contracts import Arrays
from ocrbatch.data.fit import normalize
from ocrbatch.metrics.detection import DetectionMetric
from ocrbatch.plugin_system.host import Host
from ocrbatch.training.learner import build_learner
from ocrbatch.training.samples import Batch
from ocrbatch.types import Image, Polygon

HOST = Host.load(environ={})
MOBILE = {"name": "mobilenet_v3", "size": "large", "scale": 0.5}
RESNET_34, RESNET_50 = {"name": "resnet_vd", "layers": 34}, {"name": "resnet_vd", "layers": 50}
TEXTS = ("cab", "a c", "bb", "acab")
WORDS = (("total", "12.50"), ("sum", "cash"))
SIDE = 128
Outputs = list[NDArray[Any]]
Page = tuple[Image, list[Polygon]]


def on_both(*backbones: dict[str, Any]) -> list[Any]:
    """The quick backbone for every run of the tests, the large one for the slow ones."""
    quick, large = backbones
    return [pytest.param(quick, id="mobilenet_v3"), pytest.param(large, id="resnet_vd", marks=pytest.mark.slow)]


@pytest.mark.parametrize("algorithm", ["crnn", "rosetta", "starnet", "rare"])
@pytest.mark.parametrize("backbone", on_both(MOBILE, RESNET_34))
def test_recognizer_reads_the_lines_that_it_learnt(algorithm: str, backbone: dict[str, Any]) -> None:
    options = {"name": algorithm, "input": {"widths": (64,)}, "max_length": 5}
    options |= {} if algorithm == "rosetta" else {"hidden": 32}
    spec = ModelSpec(task="rec", algorithm=options, backbone=backbone, charset="abc ")
    codec, training = codec_for(spec, HOST), training_for(spec, HOST)
    arrays, used = zip(*(codec.encode(line(text)) for text in TEXTS), strict=True)

    def accuracy(outputs: Outputs) -> float:
        readings = codec.decode(outputs, used)
        return float(np.mean([reading.text == text for reading, text in zip(readings, TEXTS, strict=True)]))

    targets = [training.targets(text) for text in TEXTS]
    rate = 2e-3 if algorithm == "rare" else 5e-3  # attention gets stuck at steeper ones, by the order of its sums
    assert learnt(spec, arrays, targets, accuracy, enough=1.0, rate=rate) == 1.0


@pytest.mark.parametrize("options", [{"name": "db", "fpn_channels": 32}, {"name": "east"}], ids=["db", "east"])
@pytest.mark.parametrize("backbone", on_both(MOBILE, RESNET_50))
def test_detector_finds_the_words_that_it_learnt(options: dict[str, Any], backbone: dict[str, Any]) -> None:
    spec = ModelSpec(task="det", algorithm=options, backbone=backbone)
    codec, training = codec_for(spec, HOST), training_for(spec, HOST)
    pages = [page(words) for words in WORDS]
    arrays, fits = zip(*(codec.encode(picture) for picture, _ in pages), strict=True)

    def hmean(outputs: Outputs) -> float:
        metric = DetectionMetric()
        for number, (_, quads) in enumerate(pages):
            found = codec.decode([output[number] for output in outputs], fits[number])
            metric.update(quads, [False] * len(quads), [one.points for one in found])
        return metric.result()["hmean"]

    targets = [training.targets((SIDE, SIDE), quads, [False] * len(quads)) for _, quads in pages]
    assert learnt(spec, arrays, targets, hmean, enough=0.95) >= 0.95


def learnt(
    spec: ModelSpec,
    arrays: Sequence[Image],
    targets: Sequence[Arrays],
    score: Callable[[Outputs], float],
    *,
    enough: float,
    rounds: int = 25,
    rate: float = 5e-3,
) -> float:
    """The score after up to ``rounds`` times ten steps on all the samples at once."""
    keras.utils.set_random_seed(1)
    networks, pixels = build_networks(spec, HOST), algorithm_config(spec, HOST).input
    optimizer = {"learning_rate": rate, "schedule": {"kind": "constant", "warmup_steps": 10}}
    settings = TrainSettings.model_validate({"steps": 10 * rounds, "optimizer": optimizer})
    learner = build_learner(networks.training, training_for(spec, HOST).loss, pixels, settings)
    stacked = {name: np.stack([target[name] for target in targets]) for name in targets[0]}
    batch = Batch({"image": np.stack(arrays), **stacked}, tuple(map(str, range(len(arrays)))))
    reached = 0.0
    for _ in range(rounds):
        for _ in range(10):
            learner.step(batch)
        outputs = networks.inference.predict_on_batch(normalize(batch.arrays["image"], pixels))
        reached = score(outputs if isinstance(outputs, list) else [outputs])
        if reached >= enough:
            break
    return reached


def line(text: str) -> Image:
    picture = np.full((32, 64, 3), 240, np.uint8)
    cv2.putText(picture, text, (4, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (20, 20, 20), 2)
    return picture


def page(words: Sequence[str]) -> Page:
    """A page with the words below each other, and their boxes."""
    picture, quads = np.full((SIDE, SIDE, 3), 240, np.uint8), []
    for number, word in enumerate(words):
        (width, height), base = cv2.getTextSize(word, cv2.FONT_HERSHEY_SIMPLEX, 0.9, 2)
        left, top = 10 + 12 * number, 16 + 56 * number
        cv2.putText(picture, word, (left, top + height), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (20, 20, 20), 2)
        quads.append(geometry.rect_corners([[left + width / 2, top + (height + base) / 2, width, height + base, 0]])[0])
    return picture, quads
