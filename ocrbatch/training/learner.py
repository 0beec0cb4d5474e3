"""The Keras side of training: model with its loss and optimizer, and its averaged weights. Works on every backend."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
from keras import ops

from ocrbatch.config.schema import ImageInput
from ocrbatch.config.train import TrainSettings
from ocrbatch.training.devices import Devices
from ocrbatch.training.layers import freeze, variables_of
from ocrbatch.training.optimizer import build_optimizer
from ocrbatch.training.samples import Batch

Loss = Callable[[Mapping[str, Any], Any], Mapping[str, Any]]


class Learner(keras.Model):
    """A training network with the loss of its algorithm, which reads targets by name. Pictures come in as uint8."""

    def __init__(self, network: keras.Model, loss: Loss, pixels: ImageInput, devices: Devices | None = None) -> None:
        super().__init__(name="learner")
        self.network = network
        self._devices = devices or Devices()
        self._algorithm_loss = loss
        mean, std = np.asarray(pixels.mean, np.float32), np.asarray(pixels.std, np.float32)
        self._scale, self._shift = 1 / (255 * std), -mean / std

    def call(self, inputs: Mapping[str, Any], training: bool | None = None) -> Any:
        """Outputs of the network for inputs by name."""
        # functions, not operators: with an operator numpy would fetch the pictures from the device, and fail
        image = ops.add(ops.multiply(ops.cast(inputs["image"], "float32"), self._scale), self._shift)
        others = {name: value for name, value in inputs.items() if name != "image"}
        return self.network({"image": image, **others} if others else image, training=training)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """The algorithm's loss, a scalar; of several devices each adds its share, and the gradients are summed."""
        del x, sample_weight, training
        return self._algorithm_loss(y, y_pred)["loss"] / self._devices.count

    def step(self, batch: Batch) -> float:
        """One optimizer step; returns the loss of its batch."""
        inputs, targets = split(batch, self.network)
        if self._devices.count == 1:
            return float(self.train_on_batch(inputs, targets, return_dict=True)["loss"])
        self.make_train_function()
        self.reset_metrics()
        shared = self._devices.shares(inputs), self._devices.shares(targets), None
        return float(self.train_function(iter([shared]))["loss"])


def split(batch: Batch, network: keras.Model) -> tuple[dict[str, Any], dict[str, Any]]:
    """A batch's arrays as the network's inputs and the targets for the loss."""
    names = [tensor.name.split(":")[0] for tensor in network.inputs]
    return {name: batch.arrays[name] for name in names}, {k: v for k, v in batch.arrays.items() if k != "image"}


def build_learner(
    network: keras.Model,
    loss: Loss,
    pixels: ImageInput,
    settings: TrainSettings,
    devices: Devices | None = None,
) -> Learner:
    """A compiled learner whose optimizer has all its variables, for a network made in the scope of the same devices.
    Raises ConfigError for layers that do not exist."""
    devices = devices or Devices()
    with devices.scope():
        return _built(network, loss, pixels, settings, devices)


def _built(network: keras.Model, loss: Loss, pixels: ImageInput, settings: TrainSettings, devices: Devices) -> Learner:
    freeze(network, settings.freeze)
    devices.synchronize(network)
    learner = Learner(network, loss, pixels, devices)
    config = settings.optimizer
    optimizer = build_optimizer(config, settings.steps)
    optimizer.train_on(devices)
    if config.weight_decay:
        spared = [v for v in network.trainable_variables if len(v.shape) < 2]
        optimizer.exclude_from_weight_decay(var_list=spared)
    if config.backbone_rate != 1:
        slow = set(map(id, variables_of(network, ("backbone",))))
        factors = [config.backbone_rate if id(v) in slow else 1.0 for v in network.trainable_variables]
        optimizer.scale_rates(factors)
    learner.compile(optimizer=optimizer, jit_compile=keras.backend.backend() == "jax")
    learner.built = True
    learner.optimizer.build(network.trainable_variables)
    return learner


@contextmanager
def averaged_weights(learner: Learner) -> Iterator[None]:
    """Inside, the network has the averaged weights when there are any; outside, those of the last step."""
    optimizer: Any = getattr(learner.optimizer, "inner_optimizer", learner.optimizer)  # mixed_float16 wraps it
    if not optimizer.use_ema:
        yield
        return
    variables = learner.network.trainable_variables
    stepped = [np.array(ops.convert_to_numpy(variable)) for variable in variables]
    optimizer.finalize_variable_values(variables)
    for variable in variables:  # a buffer of its own: on JAX, predicting gives the variable's one away
        variable.assign(np.array(ops.convert_to_numpy(variable)))
    try:
        yield
    finally:
        for variable, value in zip(variables, stepped, strict=True):
            variable.assign(value)
