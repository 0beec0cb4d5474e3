"""Schedules and optimizers, with a rate of their own for chosen variables and an average of the weights that forgets
its beginnings. Works on every backend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from ocrbatch.config.train import OptimizerConfig, Schedule
from ocrbatch.training.devices import Devices


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


class _Refined(keras.optimizers.Optimizer):
    """What our optimizers add to those of Keras."""

    _rate_factors: tuple[float, ...] = ()
    _devices: Devices = Devices()

    def scale_rates(self, factors: Sequence[float]) -> None:
        """From now on the trainable variables, in their order, learn at the schedule's rate times these factors."""
        self._rate_factors = tuple(factors)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """One variable's update. The rate is scaled, not the gradient: Adam would undo the latter."""
        if self._rate_factors:
            learning_rate = learning_rate * self._rate_factors[self._get_variable_index(variable)]
        super().update_step(gradient, variable, learning_rate)

    def train_on(self, devices: Devices) -> None:
        """From now on gradients are clipped by the norm of their sum over these devices, as on one device. Keras clips
        on each, then sums."""
        self._devices = devices

    def _clip_gradients(self, gradients: Sequence[Any]) -> list[Any]:
        if self._devices.count == 1:
            return list(super()._clip_gradients(gradients))
        clipped = super()._clip_gradients(self._devices.sum(gradients))
        return [gradient / self._devices.count for gradient in clipped]  # Keras sums them again

    @property
    def ema_momentum(self) -> Any:
        """Momentum of the averaged weights at the present step t: at most (1 + t) / (10 + t), so that a young average
        does not hold on to the first weights (as in TensorFlow's ExponentialMovingAverage with num_updates)."""
        if not self.use_ema:
            return self._full_momentum
        step = ops.cast(self.iterations, "float32")
        return ops.minimum(self._full_momentum, (1 + step) / (10 + step))

    @ema_momentum.setter
    def ema_momentum(self, momentum: float) -> None:
        self._full_momentum = momentum


class Adam(_Refined, keras.optimizers.Adam):
    """Adam, refined."""


class AdamW(_Refined, keras.optimizers.AdamW):
    """AdamW, refined."""


class SGD(_Refined, keras.optimizers.SGD):
    """Gradient descent, refined."""


def build_optimizer(config: OptimizerConfig, steps: int) -> _Refined:
    """The optimizer with its schedule, clipping and weight averaging."""
    common: dict[str, Any] = {
        "learning_rate": build_schedule(config.schedule, config.learning_rate, steps),
        "global_clipnorm": config.clip_norm,
        "weight_decay": config.weight_decay if config.weight_decay or config.name == "adamw" else None,
        "use_ema": config.ema is not None,
        "ema_momentum": config.ema or 0.99,
    }
    if config.name == "sgd":
        return SGD(momentum=0.9, nesterov=True, **common)
    return (AdamW if config.name == "adamw" else Adam)(**common)
