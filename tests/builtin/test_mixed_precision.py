"""Every algorithm computes its loss and its readings in mixed precision."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import pytest

from ocrbatch.bundles.network import algorithm_config, build_networks, training_for
from ocrbatch.config.schema import ModelSpec
from ocrbatch.plugin_system.host import Host

GRAY = {"color": "gray", "mean": [0.5], "std": [0.5]}
TINY = {"widths": [4, 4, 4, 4, 4], "depths": [1, 1, 1, 1, 1]}
OPTIONS: dict[str, dict[str, Any]] = {
    "db": {"fpn_channels": 8, "input": GRAY},
    "east": {"input": GRAY},
    "crnn": {"hidden": 4, "layers": 1, "max_length": 4, "input": {**GRAY, "widths": [64]}},
    "rosetta": {"max_length": 4, "input": {**GRAY, "widths": [64]}},
    "starnet": {"hidden": 4, "layers": 1, "max_length": 4, "input": {**GRAY, "widths": [64]}},
    "rare": {"hidden": 4, "layers": 1, "max_length": 4, "input": {**GRAY, "widths": [64]}},
}


@pytest.fixture(params=["mixed_bfloat16", "mixed_float16"])
def policy(request: pytest.FixtureRequest) -> Iterator[str]:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(request.param)
    yield request.param
    keras.config.set_dtype_policy(before)


@pytest.mark.parametrize("name", list(OPTIONS))
def test_loss_and_outputs_are_finite(name: str, policy: str) -> None:
    assert keras.config.dtype_policy().name == policy
    task = "det" if name in ("db", "east") else "rec"
    host = Host.load()
    values = {"task": task, "algorithm": {"name": name, **OPTIONS[name]}, "backbone": {"name": "plain", task: TINY}}
    spec = ModelSpec.model_validate(values if task == "det" else {**values, "charset": "abc"})
    networks, training = build_networks(spec, host), training_for(spec, host)
    size = (64, 64) if task == "det" else (algorithm_config(spec, host).input.height, 64)
    square = np.array([[8, 8], [40, 8], [40, 40], [8, 40]], np.float32)
    targets = training.targets(size, [square], [False]) if task == "det" else training.targets("abc")
    batch = {key: np.asarray(value)[None] for key, value in targets.items()}
    image = np.random.default_rng(0).normal(size=(1, *size, 1)).astype(np.float32)
    inputs = [image if tensor.name == "image" else batch[tensor.name] for tensor in networks.training.inputs]
    loss = training.loss(batch, networks.training(inputs if len(inputs) > 1 else image))["loss"]
    assert np.isfinite(float(loss))
    for output in keras.tree.flatten(networks.inference(image)):
        assert np.isfinite(keras.ops.convert_to_numpy(keras.ops.cast(output, "float32"))).all()
