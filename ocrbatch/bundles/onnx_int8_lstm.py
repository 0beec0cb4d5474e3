"""LSTMs in 8 bits with fixed ranges."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import helper, numpy_helper

_DOMAIN = "com.microsoft"
_EXTRA = 2  # inputs, and units, that hold the ends of a range
_LARGEST = 63  # of a weight: two products with 255 still fit into the 16 bits that processors without VNNI have
_STATE = 30.0  # a cell state whose tanh is 1
_FUNCTIONS = [b"Sigmoid", b"Tanh", b"Tanh"]
_GATE = 20.0  # a bias that opens a gate; its negative shuts it


def quantize_lstms(model: onnx.ModelProto, batches: Sequence[NDArray[np.uint8]]) -> None:
    """Each LSTM becomes ONNX Runtime's DynamicQuantizeLSTM, in place; one that is not as Keras exports them stays.

    That operator rounds its input and its state by the smallest and largest number that they hold at the moment, among
    all lines of a batch, so that a line would be read differently beside others. Two further inputs that always hold
    the ends of the range seen over ``batches``, and two further units whose state is always 1 and -1, fix both ranges.
    """
    graph = model.graph
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    read = {name for node in graph.node for name in node.input} | {output.name for output in graph.output}
    chosen = [node for node in graph.node if node.op_type == "LSTM" and _is_plain(node, constants.keys(), read)]
    if not chosen:
        return
    ranges = _ranges(model, [node.input[0] for node in chosen], batches)
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        if node in chosen:
            weights = [constants[name] for name in node.input[1:4]]
            nodes += _in_8_bits(graph, node, weights, ranges[node.input[0]])
        else:
            nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)
    model.opset_import.append(helper.make_opsetid(_DOMAIN, 1))


def _is_plain(node: onnx.NodeProto, constants: Container[str], read: Container[str]) -> bool:
    """Constant weights and a bias, states to begin with, no lengths or peepholes, and only all states are read."""
    inputs = [*node.input, *[""] * (8 - len(node.input))]
    given = [bool(name) for name in inputs] == [True] * 4 + [False] + [True] * 2 + [False]
    attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    functions = attributes.pop("activations", _FUNCTIONS)
    usual = attributes.keys() <= {"direction", "hidden_size"} and functions in (_FUNCTIONS, _FUNCTIONS * 2)
    return given and usual and all(name in constants for name in inputs[1:4]) and node.output[1] not in read


def _ranges(
    model: onnx.ModelProto, names: Sequence[str], batches: Sequence[NDArray[np.uint8]]
) -> dict[str, tuple[float, float]]:
    """The smallest and the largest of some values over ``batches``, with 0 among them."""
    shown = onnx.ModelProto()
    shown.CopyFrom(model)
    shown.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in names)
    session = ort.InferenceSession(shown.SerializeToString(), providers=["CPUExecutionProvider"])
    low, high = np.zeros(len(names)), np.zeros(len(names))
    for batch in batches:
        values = session.run(list(names), {"image": batch})
        low = np.minimum(low, [value.min() for value in values])
        high = np.maximum(high, [value.max() for value in values])
    return {name: (float(a), float(b)) for name, a, b in zip(names, low, high, strict=True)}


def _in_8_bits(
    graph: onnx.GraphProto, node: onnx.NodeProto, weights: Sequence[NDArray[np.float32]], ends: tuple[float, float]
) -> list[onnx.NodeProto]:
    """The nodes that stand for an LSTM: its input (T, N, I) clipped and two channels wider, its states (D, N, H) two
    units wider, and its output (T, D, N, H) without these."""
    values, output = node.input[0], node.output[0]
    directions, units = weights[1].shape[0], weights[1].shape[2]
    widened = _widened(*weights)
    (kernel, kernel_scales), (recurrent, recurrent_scales) = _rounded(widened[0]), _rounded(widened[1])

    def constant(name: str, array: Any, dtype: type = np.float32) -> str:
        graph.initializer.append(numpy_helper.from_array(np.array(array, dtype), f"{output}_{name}"))
        return f"{output}_{name}"

    def made(operator: str, inputs: Sequence[str], name: str, **attributes: Any) -> str:
        nodes.append(helper.make_node(operator, inputs, [f"{output}_{name}"], **attributes))
        return f"{output}_{name}"

    nodes: list[onnx.NodeProto] = []
    one, zeros = constant("one", [1], np.int64), constant("zeros", np.zeros_like(kernel_scales), np.int8)
    size = made("Shape", [values], "size", start=0, end=2)
    lines = made("Shape", [values], "lines", start=1, end=2)
    clipped = made("Clip", [values, constant("low", ends[0]), constant("high", ends[1])], "clipped")
    beside = made("Concat", [size, one], "beside", axis=0)
    channels = made("Expand", [constant("ends", [[ends]]), beside], "channels")
    wider = made("Concat", [clipped, channels], "wider", axis=2)
    per_line = made("Concat", [one, lines, one], "per_line", axis=0)
    states = []
    for name, start, largest in (("hidden", node.input[5], 1.0), ("cell", node.input[6], _STATE)):
        kept = made(
            "Expand", [constant(f"{name}_ends", [[[-largest, largest]]] * directions), per_line], f"{name}_kept"
        )
        states.append(made("Concat", [start, kept], name, axis=2))
    inputs = [wider, constant("kernel", kernel, np.int8), constant("recurrent", recurrent, np.int8)]
    inputs += [constant("bias", widened[2]), "", *states, ""]
    inputs += [constant("kernel_scales", kernel_scales), zeros, constant("recurrent_scales", recurrent_scales), zeros]
    direction = next((one.s.decode() for one in node.attribute if one.name == "direction"), "forward")
    all_units = made(
        "DynamicQuantizeLSTM", inputs, "all", domain=_DOMAIN, direction=direction, hidden_size=units + _EXTRA
    )
    cut = [constant(name, [number], np.int64) for name, number in (("from", 0), ("to", units), ("axis", 3))]
    return [*nodes, helper.make_node("Slice", [all_units, *cut], [output])]


def _widened(
    kernel: NDArray[np.float32], recurrent: NDArray[np.float32], bias: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Weights as DynamicQuantizeLSTM has them, (D, I + 2, 4 (H + 2)) and (D, H + 2, 4 (H + 2)), and the bias, with two
    units that read nothing, are read by none and keep their state for ever. Gates: input, output, forget, cell."""
    directions, units = recurrent.shape[0], recurrent.shape[2]

    def split(array: NDArray[np.float32], gates: int) -> NDArray[np.float32]:
        return array.reshape(directions, gates, units, -1)

    def joined(array: NDArray[np.float32], more: int) -> NDArray[np.float32]:
        wider = np.pad(split(array, 4), ((0, 0), (0, 0), (0, _EXTRA), (0, more)))
        return wider.reshape(directions, 4 * (units + _EXTRA), -1).transpose(0, 2, 1)

    biases = np.pad(split(bias, 8), ((0, 0), (0, 0), (0, _EXTRA), (0, 0)))
    for gate, value in enumerate((-_GATE, _GATE, _GATE)):
        biases[:, gate, units:] = value
    return joined(kernel, _EXTRA), joined(recurrent, _EXTRA), biases.reshape(directions, -1)


def _rounded(weights: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Weights (D, K, M) as whole numbers up to 63, and the scale of each column (D, M)."""
    scales = np.abs(weights).max(axis=1) / _LARGEST
    scales[scales == 0] = 1
    return np.rint(weights / scales[:, None]).astype(np.int8), scales.astype(np.float32)
