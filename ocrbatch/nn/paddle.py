"""Weights of PaddleOCR's classic models into Keras models of the same architecture.

A rule per kind of layer says which tensors of the reference's state make up which variable, and how they are turned.
Where a layer stands in the reference follows from its name: layers bear the reference's structured names, with hyphens
for the dots that PyTorch takes in no name, or a ``rename`` rule beside the model translates them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from ocrbatch.errors import BundleError
from ocrbatch.nn.attention import AttentionDecoder

Rename = Callable[[str], str]

_LSTM_ALIAS = re.compile(r"\.(weight|bias)_(ih|hh)_l\d+(_reverse)?$")


@dataclass(frozen=True)
class Slot:
    """One Keras variable, the reference tensors it is made of, each of the shape ``shape``, and how."""

    variable: Any
    tensors: tuple[str, ...]
    shape: tuple[int, ...]
    convert: Callable[..., NDArray[Any]]


def load_reference_state(model: Any, state: Mapping[str, NDArray[Any]], rename: Rename = str) -> None:
    """Sets every variable of ``model`` from ``state`` (structured name to array as PaddleOCR saves it).

    ``rename`` maps a layer's path, names of nested models joined with dots, to the structured prefix of its tensors.
    The second names under which recurrent tensors are listed are ignored. Raises BundleError, naming tensors and
    shapes, where a tensor is missing, does not fit, or is left over.
    """
    slots = list(reference_slots(model, rename))
    wanted = {name for slot in slots for name in slot.tensors}
    present = {name for name in state if not _LSTM_ALIAS.search(name)}
    if wanted != present:
        raise BundleError(
            "The checkpoint is of another architecture: "
            f"it lacks {_some(wanted - present)} and has {_some(present - wanted)}, which the model does not know."
        )
    shapes = {name: (np.shape(state[name]), slot.shape) for slot in slots for name in slot.tensors}
    wrong = [f"{name} is {here}, the model needs {needed}" for name, (here, needed) in shapes.items() if here != needed]
    if wrong:
        raise BundleError(f"The checkpoint does not fit this model: {_some(wrong)}.")
    for slot in slots:
        slot.variable.assign(slot.convert(*(np.asarray(state[name]) for name in slot.tensors)))


def reference_slots(model: Any, rename: Rename = str) -> Iterator[Slot]:
    """A slot for every variable of ``model``. Raises TypeError for a layer with variables that no rule covers."""
    for path, layer in _leaves(model, ""):
        prefix = rename(path.replace("-", "."))
        if isinstance(layer, keras.layers.Bidirectional):
            yield from _lstm_slots(layer.forward_layer, f"{prefix}.cell_fw")
            yield from _lstm_slots(layer.backward_layer, f"{prefix}.cell_bw")
        elif isinstance(layer, keras.layers.GRUCell):
            yield from _gru_slots(layer, prefix)
        elif isinstance(layer, keras.layers.BatchNormalization):
            yield _as_it_is(layer.gamma, f"{prefix}.weight")
            yield _as_it_is(layer.beta, f"{prefix}.bias")
            yield _as_it_is(layer.moving_mean, f"{prefix}._mean")
            yield _as_it_is(layer.moving_variance, f"{prefix}._variance")
        else:
            yield _kernel_slot(layer, f"{prefix}.weight")
            if layer.use_bias:
                yield _as_it_is(layer.bias, f"{prefix}.bias")


def _leaves(model: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _leaves(layer, f"{prefix}{layer.name}.")
        elif isinstance(layer, AttentionDecoder):
            yield from ((f"{prefix}{layer.name}.{part.name}", part) for part in layer.parts)
        elif layer.weights:
            yield f"{prefix}{layer.name}", layer


def _lstm_slots(layer: Any, prefix: str) -> Iterator[Slot]:
    for variable, name in ((layer.cell.kernel, "weight_ih"), (layer.cell.recurrent_kernel, "weight_hh")):
        yield Slot(variable, (f"{prefix}.{name}",), variable.shape[::-1], np.transpose)
    yield Slot(layer.cell.bias, (f"{prefix}.bias_ih", f"{prefix}.bias_hh"), layer.cell.bias.shape, np.add)


def _gru_slots(cell: Any, prefix: str) -> Iterator[Slot]:
    """The reference stacks reset, update, candidate; Keras update, reset, candidate."""

    def turned(rows: NDArray[Any]) -> NDArray[Any]:
        reset, update, candidate = np.split(rows, 3)
        return np.concatenate([update, reset, candidate]).T

    for variable, name in ((cell.kernel, "weight_ih"), (cell.recurrent_kernel, "weight_hh")):
        yield Slot(variable, (f"{prefix}.{name}",), variable.shape[::-1], turned)
    biases = (f"{prefix}.bias_ih", f"{prefix}.bias_hh")
    yield Slot(cell.bias, biases, cell.bias.shape[1:], lambda *both: np.stack([turned(one) for one in both]))


def _kernel_slot(layer: Any, name: str) -> Slot:
    kernel = layer.kernel
    if isinstance(layer, keras.layers.Dense):
        return _as_it_is(kernel, name)
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        axes = (2, 3, 0, 1)
    elif isinstance(layer, keras.layers.Conv2D | keras.layers.Conv2DTranspose):
        axes = (2, 3, 1, 0)
    else:
        raise TypeError(f"no rule for the weights of {layer.name}, a {type(layer).__name__}")
    shape = tuple(kernel.shape[axes.index(axis)] for axis in range(4))
    return Slot(kernel, (name,), shape, lambda tensor: tensor.transpose(axes))


def _as_it_is(variable: Any, name: str) -> Slot:
    return Slot(variable, (name,), tuple(variable.shape), np.asarray)


def _some(names: Any) -> str:
    listed = sorted(names)
    return ", ".join(listed[:4]) + (f" and {len(listed) - 4} more" if len(listed) > 4 else "") if listed else "nothing"
