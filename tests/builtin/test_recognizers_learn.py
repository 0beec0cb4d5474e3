"""Each recognizer learns a handful of drawn lines by heart and reads them back through its codec."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from ocrbatch.bundles.network import algorithm_config, build_networks, codec_for, training_for
from ocrbatch.config.schema import ModelSpec
from ocrbatch.data.fit import normalize
from ocrbatch.plugin_system.host import Host
from ocrbatch.training.learner import Learner

HOST = Host.load(environ={})
TEXTS = ("abc", "a b", "cc", "b", "ba c", "aab")
SHADES = {"a": 0, "b": 90, "c": 170, " ": 255}
ALGORITHMS = ("crnn", "rosetta", "starnet", "rare")
CLASSIC = (
    {"name": "mobilenet_v3"},
    {"name": "mobilenet_v3", "size": "small"},
    {"name": "resnet_vd", "layers": 34},
)
GREY = {"color": "gray", "mean": (0.5,), "std": (0.5,), "widths": (64,)}


def drawn(text: str) -> np.ndarray:
    """A line picture in which each character is a bar of its own brightness."""
    line = np.full((32, 64, 3), 255, np.uint8)
    for place, character in enumerate(text):
        line[4:28, 4 + 14 * place : 14 + 14 * place] = SHADES[character]
    return line


def spec(algorithm: str, backbone: dict) -> ModelSpec:
    options = {"name": algorithm, "input": GREY, "max_length": 5}
    if algorithm != "rosetta":
        options |= {"hidden": 24, "layers": 1}
    return ModelSpec(task="rec", algorithm=options, backbone=backbone, charset="abc ")


def learn(model: ModelSpec, rounds: int, steps: int = 30) -> list[str]:
    """What is read after up to ``rounds`` times ``steps`` steps on all the texts at once."""
    keras.utils.set_random_seed(1)
    networks, codec, training = build_networks(model, HOST), codec_for(model, HOST), training_for(model, HOST)
    pixels = algorithm_config(model, HOST).input
    arrays, used = zip(*(codec.encode(drawn(text)) for text in TEXTS), strict=True)
    targets = [training.targets(text) for text in TEXTS]
    batch = {name: np.stack([target[name] for target in targets]) for name in targets[0]}
    inputs = {"image": np.stack(arrays)} | {tensor.name: batch[tensor.name] for tensor in networks.training.inputs[1:]}
    learner = Learner(networks.training, training.loss, pixels)
    learner.compile(keras.optimizers.Adam(0.01), jit_compile=False)
    texts: list[str] = []
    for _ in range(rounds):
        for _ in range(steps):
            learner.train_on_batch(inputs, batch)
        outputs = networks.inference.predict_on_batch(normalize(np.stack(arrays), pixels))
        outputs = outputs if isinstance(outputs, list) else [outputs]
        texts = [reading.text for reading in codec.decode(outputs, used)]
        if texts == list(TEXTS):
            break
    return texts


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_recognizer_learns_to_read(algorithm):
    stages = {"widths": (8, 8, 16, 16, 16), "depths": (1, 1, 1, 1, 1)}
    assert learn(spec(algorithm, {"name": "plain", "rec": stages}), rounds=6) == list(TEXTS)


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("backbone", CLASSIC, ids=["mobilenet_v3-large", "mobilenet_v3-small", "resnet_vd"])
def test_recognizer_on_a_classic_backbone_learns_to_read(algorithm, backbone):
    assert learn(spec(algorithm, backbone), rounds=12) == list(TEXTS)
