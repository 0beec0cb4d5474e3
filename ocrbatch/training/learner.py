"""The Keras side of training: model with its loss, optimizer, schedule and averaged weights. Works on every backend."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
from keras import ops

from ocrbatch.config.schema import ImageInput
from ocrbatch.config.train import OptimizerConfig, Schedule
from ocrbatch.training.samples import Batch

Loss = Callable[[Mapping[str, Any], Any], Mapping[str, Any]]


class Learner(keras.Model):
    """A training network with the loss of its algorithm, which reads targets by name. Pictures come in as uint8."""

    def __init__(self, network: keras.Model, loss: Loss, pixels: ImageInput) -> None:
        super().__init__(name="learner")
        self.network = network
        self._algorithm_loss = loss
        mean, std = np.asarray(pixels.mean, np.float32), np.asarray(pixels.std, np.float32)
        self._scale, self._shift = 1 / (255 * std), -mean / std

    def call(self, inputs: Mapping[str, Any], training: bool | None = None) -> Any:
        """Outputs of the network for inputs by name."""
        image = ops.cast(inputs["image"], "float32") * self._scale + self._shift
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
        """The algorithm's loss, a scalar."""
        del x, sample_weight, training
        return self._algorithm_loss(y, y_pred)["loss"]

    def step(self, batch: Batch) -> float:
        """One optimizer step; returns the mean loss since the last ``reset_metrics``."""
        inputs, targets = split(batch, self.network)
        return float(self.train_on_batch(inputs, targets, return_dict=True)["loss"])


def split(batch: Batch, network: keras.Model) -> tuple[dict[str, Any], dict[str, Any]]:
    """A batch's arrays as the network's inputs and the targets for the loss."""
    names = [tensor.name.split(":")[0] for tensor in network.inputs]
    return {name: batch.arrays[name] for name in names}, {k: v for k, v in batch.arrays.items() if k != "image"}


class WarmUp(keras.optimizers.schedules.LearningRateSchedule):
    """Another schedule, its rate scaled linearly from 0 to 1 over the first ``steps`` steps."""

    def __init__(self, inner: keras.optimizers.schedules.LearningRateSchedule, steps: int) -> None:
        super().__init__()
        self.inner = inner
        self.steps = steps

    def __call__(self, step: Any) -> Any:
        """Learning rate at a step."""
        progress = (ops.cast(step, "float32") + 1) / max(1, self.steps)
        return ops.cast(self.inner(step), "float32") * ops.minimum(1.0, progress)

    def get_config(self) -> dict[str, Any]:
        """What the constructor takes."""
        return {"inner": self.inner, "steps": self.steps}


def build_schedule(config: Schedule, rate: float, steps: int) -> keras.optimizers.schedules.LearningRateSchedule:
    """Learning rate over ``steps`` steps."""
    schedules = keras.optimizers.schedules
    if config.kind == "cosine":
        inner = schedules.CosineDecay(rate, steps, alpha=config.final_ratio)
    elif config.kind == "piecewise":
        bounds = [max(1, round(share * steps)) for share in config.milestones]
        inner = schedules.PiecewiseConstantDecay(bounds, [rate * 0.1**n for n in range(len(bounds) + 1)])
    else:
        inner = schedules.PiecewiseConstantDecay([steps], [rate, rate])
    return WarmUp(inner, config.warmup_steps)


def build_optimizer(config: OptimizerConfig, steps: int) -> keras.optimizers.Optimizer:
    """The optimizer with its schedule, clipping and weight averaging."""
    common: dict[str, Any] = {
        "learning_rate": build_schedule(config.schedule, config.learning_rate, steps),
        "global_clipnorm": config.clip_norm,
        "weight_decay": config.weight_decay or None,
        "use_ema": config.ema is not None,
        "ema_momentum": config.ema or 0.99,
    }
    if config.name == "sgd":
        return keras.optimizers.SGD(momentum=0.9, nesterov=True, **common)
    return (keras.optimizers.AdamW if config.name == "adamw" else keras.optimizers.Adam)(**common)


def build_learner(network: keras.Model, loss: Loss, pixels: ImageInput, config: OptimizerConfig, steps: int) -> Learner:
    """A compiled learner whose optimizer has all its variables."""
    learner = Learner(network, loss, pixels)
    optimizer = build_optimizer(config, steps)
    if config.weight_decay:
        spared = [v for v in network.trainable_variables if len(v.shape) < 2]
        optimizer.exclude_from_weight_decay(var_list=spared)
    learner.compile(optimizer=optimizer, jit_compile=keras.backend.backend() == "jax")
    learner.built = True
    optimizer.build(network.trainable_variables)
    return learner


@contextmanager
def averaged_weights(learner: Learner) -> Iterator[None]:
    """Inside, the network has the averaged weights when there are any; outside, those of the last step."""
    optimizer = learner.optimizer
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
