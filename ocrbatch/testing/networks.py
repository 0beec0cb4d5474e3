"""Checks of Keras networks, and small backbones to build them on. Imports keras."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from ocrbatch.contracts import Networks
from ocrbatch.testing.expect import TOLERANCE, expect, expect_finite


def tiny_detection_backbone(channels: int) -> Any:
    """Four maps at strides 4, 8, 16 and 32 of pictures (H, W, ``channels``)."""
    image = keras.Input((None, None, channels), name="image")
    x = _down(image, 4, 2)
    maps = []
    for width in (8, 8, 12, 12):
        x = _down(x, width, 2)
        maps.append(x)
    return keras.Model(image, maps, name="tiny_detection_backbone")


def tiny_recognition_backbone(height: int, channels: int) -> Any:
    """One map (N, 1, W / 4, 16) of lines (``height``, W, ``channels``)."""
    image = keras.Input((height, None, channels), name="image")
    x = _down(_down(image, 8, 2), 12, 2)
    x = layers.AveragePooling2D((height // 4, 1))(x)
    return keras.Model(image, layers.Conv2D(16, 1, activation="relu")(x), name="tiny_recognition_backbone")


def outputs_of(model: Any, inputs: Any) -> list[NDArray[Any]]:
    """All outputs of a model as arrays, inference mode."""
    found = model(inputs, training=False)
    outputs = found if isinstance(found, list | tuple) else [found]
    return [keras.ops.convert_to_numpy(output) for output in outputs]


def check_serialisation(model: Any, rebuild: Callable[[], Any], inputs: Any, what: str) -> None:
    """``get_config`` and saved weights bring back a network that gives the same outputs."""
    expected = outputs_of(model, inputs)
    clone = _clone(model, what)
    _expect_equal(outputs_of(clone, inputs), expected, f"{what}: the network rebuilt from get_config()")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.weights.h5"
        model.save_weights(path)
        again = rebuild()
        again.load_weights(path)
    _expect_equal(outputs_of(again, inputs), expected, f"{what}: the network with loaded weights")


def check_networks(networks: Networks, target_names: set[str], what: str) -> None:
    """The inputs of both networks are as their contract says, and they share their weights."""
    training, inference = _input_names(networks.training), _input_names(networks.inference)
    expect(inference == ["image"], f"{what}: the inference network has the inputs {inference}, not just 'image'")
    expect("image" in training, f"{what}: the training network has the inputs {training}, without 'image'")
    unknown = set(training) - {"image"} - target_names
    expect(not unknown, f"{what}: the training network wants {sorted(unknown)}, which the targets lack")
    shared = {id(weight) for weight in networks.training.trainable_weights}
    own = [weight.path for weight in networks.inference.trainable_weights if id(weight) not in shared]
    expect(not own, f"{what}: the inference network has weights that training never sees: {own[:3]}")


def training_inputs(network: Any, image: NDArray[np.float32], targets: Mapping[str, Any]) -> Any:
    """What a training network is called with: the picture, and by name the targets that it wants beside it."""
    arrays = {"image": image, **targets}
    named = {name: arrays[name] for name in _input_names(network)}
    return named if len(named) > 1 else image


def check_loss(network: Any, training: Any, inputs: Any, targets: Any, what: str) -> None:
    """All losses are finite scalars, and one of them is named ``loss``."""
    losses = training.loss(targets, network(inputs, training=True))
    expect("loss" in losses, f"{what}: loss() returned {sorted(losses)}, without 'loss'")
    for name, value in losses.items():
        array = keras.ops.convert_to_numpy(value)
        expect(array.shape == (), f"{what}: the loss {name!r} has the shape {array.shape}, it must be a scalar")
        expect_finite(array, f"{what}: the loss {name!r}")


def check_training(
    network: Any,
    training: Any,
    image: NDArray[np.float32],
    batches: Mapping[str, Sequence[Mapping[str, NDArray[Any]]]],
    what: str,
) -> None:
    """The loss of each batch (targets of its pictures, under a name for messages) is right; weights stay finite after a
    step on the last one."""
    for name, chosen in batches.items():
        targets = {key: np.stack([target[key] for target in chosen]) for key in chosen[0]}
        inputs = training_inputs(network, image, targets)
        check_loss(network, training, inputs, targets, f"{what}, {name}")
    check_training_step(network, training, inputs, targets, f"{what}, {name}")


def check_training_step(network: Any, training: Any, inputs: Any, targets: Any, what: str) -> None:
    """One step of gradient descent keeps all weights finite."""
    learner = _Learner(network, training)
    learner.compile(optimizer=keras.optimizers.SGD(1e-3), run_eagerly=keras.backend.backend() != "jax")
    learner.train_on_batch(inputs, dict(targets))
    for weight in network.get_weights():
        expect_finite(weight, f"{what}: a weight after one training step")


class _Learner(keras.Model):
    """A network with the plugin's loss, for one step."""

    def __init__(self, network: Any, training: Any) -> None:
        super().__init__()
        self.network = network
        self._training = training

    def call(self, inputs: Any, training: bool = False) -> Any:
        return self.network(inputs, training=training)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        del x, sample_weight, training
        return self._training.loss(y, y_pred)["loss"]


def _clone(model: Any, what: str) -> Any:
    try:
        clone = type(model).from_config(model.get_config())
    except Exception as error:
        raise AssertionError(f"{what}: the network cannot be rebuilt from get_config(): {error}") from error
    clone.set_weights(model.get_weights())
    return clone


def _down(x: Any, width: int, stride: int) -> Any:
    x = layers.ZeroPadding2D(1)(x)
    return layers.Conv2D(width, 3, strides=stride, activation="relu")(x)


def _input_names(model: Any) -> list[str]:
    return [tensor.name for tensor in model.inputs]


def _expect_equal(found: list[NDArray[Any]], expected: list[NDArray[Any]], what: str) -> None:
    expect(len(found) == len(expected), f"{what} has {len(found)} outputs, not {len(expected)}")
    for one, other in zip(found, expected, strict=True):
        same = one.shape == other.shape and np.allclose(one, other, atol=TOLERANCE, rtol=TOLERANCE)
        expect(bool(same), f"{what} gives other outputs")
