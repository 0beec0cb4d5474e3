"""Training on several devices of one machine at once, each with an equal part of every batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ocrbatch.errors import TrainingError


@dataclass(frozen=True, eq=False)
class Devices:
    """The devices of a training; ``strategy`` is TensorFlow's MirroredStrategy when there are several."""

    strategy: Any = None

    @property
    def count(self) -> int:
        """How many there are."""
        return 1 if self.strategy is None else int(self.strategy.num_replicas_in_sync)

    def scope(self) -> AbstractContextManager[Any]:
        """Inside, variables are made on every device."""
        scope: AbstractContextManager[Any] = nullcontext() if self.strategy is None else self.strategy.scope()
        return scope

    def shares(self, arrays: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
        """Arrays (N, ...), each cut into equal parts along its first axis, one for each device."""
        return {name: self._shared(np.split(array, self.count)) for name, array in arrays.items()}

    def _shared(self, parts: Sequence[NDArray[Any]]) -> Any:
        import tensorflow as tf

        return self.strategy.experimental_distribute_values_from_function(
            lambda context: tf.constant(parts[context.replica_id_in_sync_group])
        )

    def sum(self, values: Sequence[Any]) -> list[Any]:
        """Tensors of one device, summed over all of them; called inside a step."""
        import tensorflow as tf

        context = tf.distribute.get_replica_context()
        return list(context.all_reduce(tf.distribute.ReduceOp.SUM, list(values)))

    def synchronize(self, network: Any) -> None:
        """From now on batch normalisation takes its statistics over the whole batch, as on one device."""
        if self.count == 1:
            return
        from keras.layers import BatchNormalization

        for layer in network._flatten_layers():
            if isinstance(layer, BatchNormalization):
                layer.synchronized = True


def find_devices(wanted: int | Literal["all"]) -> Devices:
    """So many devices, GPUs where there are any. Raises TrainingError if there are fewer, or Keras cannot use them."""
    if wanted == 1:
        return Devices()
    import keras

    if keras.backend.backend() != "tensorflow":
        raise TrainingError(
            f"train.devices is {wanted}, but only the TensorFlow backend of Keras trains on several devices, not "
            f"{keras.backend.backend()}: set KERAS_BACKEND=tensorflow, or train.devices to 1."
        )
    import tensorflow as tf

    kind = "GPU" if tf.config.list_logical_devices("GPU") else "CPU"
    there = [device.name for device in tf.config.list_logical_devices(kind)]
    if wanted == "all":
        wanted = len(there)
    if wanted > len(there):
        raise TrainingError(
            f"train.devices is {wanted}, but TensorFlow sees only {len(there)} {kind}{'' if len(there) == 1 else 's'}: "
            "lower it, or make more devices visible."
        )
    return Devices(tf.distribute.MirroredStrategy(there[:wanted]) if wanted > 1 else None)
