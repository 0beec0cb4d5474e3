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
    """One Keras variable, the reference tensors it is made of, and how."""

    variable: Any
    tensors: tuple[str, ...]
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
    values = [slot.convert(*(np.asarray(state[name]) for name in slot.tensors)) for slot in slots]
    wrong = [
        f"{slot.tensors[0]} gives {value.shape}, the model needs {tuple(slot.variable.shape)}"
        for slot, value in zip(slots, values, strict=True)
        if value.shape != tuple(slot.variable.shape)
    ]
    if wrong:
        raise BundleError(f"The checkpoint does not fit this model: {_some(wrong)}.")
    for slot, value in zip(slots, values, strict=True):
        slot.variable.assign(value)


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
            yield Slot(layer.gamma, (f"{prefix}.weight",), _same)
            yield Slot(layer.beta, (f"{prefix}.bias",), _same)
            yield Slot(layer.moving_mean, (f"{prefix}._mean",), _same)
            yield Slot(layer.moving_variance, (f"{prefix}._variance",), _same)
        else:
            yield Slot(layer.kernel, (f"{prefix}.weight",), _kernel_rule(layer))
            if layer.use_bias:
                yield Slot(layer.bias, (f"{prefix}.bias",), _same)


def _leaves(model: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _leaves(layer, f"{prefix}{layer.name}.")
        elif isinstance(layer, AttentionDecoder):
            yield from ((f"{prefix}{layer.name}.{part.name}", part) for part in layer.parts)
        elif layer.weights:
            yield f"{prefix}{layer.name}", layer


def _lstm_slots(layer: Any, prefix: str) -> Iterator[Slot]:
    yield Slot(layer.cell.kernel, (f"{prefix}.weight_ih",), np.transpose)
    yield Slot(layer.cell.recurrent_kernel, (f"{prefix}.weight_hh",), np.transpose)
    yield Slot(layer.cell.bias, (f"{prefix}.bias_ih", f"{prefix}.bias_hh"), np.add)


def _gru_slots(cell: Any, prefix: str) -> Iterator[Slot]:
    """The reference stacks reset, update, candidate; Keras update, reset, candidate."""

    def turned(rows: NDArray[Any]) -> NDArray[Any]:
        reset, update, candidate = np.split(rows, 3)
        return np.concatenate([update, reset, candidate]).T

    yield Slot(cell.kernel, (f"{prefix}.weight_ih",), turned)
    yield Slot(cell.recurrent_kernel, (f"{prefix}.weight_hh",), turned)
    biases = (f"{prefix}.bias_ih", f"{prefix}.bias_hh")
    yield Slot(cell.bias, biases, lambda one, other: np.stack([turned(one), turned(other)]))


def _kernel_rule(layer: Any) -> Callable[[NDArray[Any]], NDArray[Any]]:
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        return lambda kernel: kernel.transpose(2, 3, 0, 1)
    if isinstance(layer, keras.layers.Conv2D | keras.layers.Conv2DTranspose):
        return lambda kernel: kernel.transpose(2, 3, 1, 0)
    if isinstance(layer, keras.layers.Dense):
        return _same
    raise TypeError(f"no rule for the weights of {layer.name}, a {type(layer).__name__}")


def _same(tensor: NDArray[Any]) -> NDArray[Any]:
    return tensor


def _some(names: Any) -> str:
    listed = sorted(names)
    return ", ".join(listed[:4]) + (f" and {len(listed) - 4} more" if len(listed) > 4 else "") if listed else "nothing"
