"""The first convolution of a graph in 8 bits, on the bytes of the picture."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper

from ocrbatch.bundles.onnx_nodes import attributes_of, constants_of, new_constant, of_type, producer_of

COLUMNS = 4
"""Columns of the picture that are read as one: widths must be multiples of it, and heights of 2."""

_LARGEST = 127  # of a weight, and of two that stand together: so their products with 255 fit into 16 bits
_LAYOUT = ("Transpose", "Reshape", "Unsqueeze")
_KIND = {"strides": [2, 2], "pads": [1, 1, 1, 1], "kernel_shape": [3, 3]}


def quantize_first(graph: onnx.GraphProto, typical: NDArray[Any]) -> None:
    """A 3x3 convolution of stride 2 on the normalised picture -> ReLU -> QuantizeLinear becomes a QLinearConv on bytes,
    in place; another one stays.

    Four columns are read as one with four times the channels, which costs nothing where channels come last, and two
    neighbouring results as channels of one. A convolution that gathers single bytes takes three times as long, one in
    float with what turns its results into bytes four times. Weights are rounded so that pairs of products with bright
    paper can be added in 16 bits, as processors without VNNI instructions do; what that takes off the result for a
    plain picture of the ``typical`` levels, one a channel, the bias gives back.
    """
    conv = next(iter(of_type(graph, "Conv")), None)
    after = conv and _quantizer(graph, conv.output[0])
    normalized = conv and _normalization(graph, conv.input[0])
    constants = constants_of(graph)
    if conv is None or after is None or normalized is None or any(name not in constants for name in conv.input[1:]):
        return
    attributes = {"dilations": [1, 1], "group": 1} | attributes_of(conv)
    usual = attributes["dilations"] == [1, 1] and attributes["group"] == 1
    if not usual or any(attributes.get(key) != value for key, value in _KIND.items()):
        return
    weights = constants[conv.input[1]]
    factors, offsets = (np.broadcast_to(values, weights.shape[1:2]) for values in normalized)
    middle = np.rint(-offsets / factors)  # the level that normalising turns into 0, with which the border is filled
    if np.ptp(middle) or not 0 <= middle[0] <= 255:
        return
    bias = constants[conv.input[2]] if len(conv.input) > 2 else np.zeros(len(weights), np.float32)
    bias = bias + np.einsum("ochw,c->o", weights, offsets + factors * middle)  # what rounding that level left over
    picture = [np.float32(factors[0]), np.uint8(middle[0])]
    weights = weights * (factors / factors[0])[:, None, None]
    nodes = list(_on_bytes(graph, weights, bias, picture, factors[0] * (typical - middle), after))
    place = list(graph.node).index(after)
    graph.node.remove(after)
    for offset, node in enumerate(nodes):
        graph.node.insert(place + offset, node)


def _quantizer(graph: onnx.GraphProto, name: str) -> onnx.NodeProto | None:
    """The node behind a ReLU of this value that turns it into bytes of which the smallest stands for 0."""
    relu = next((node for node in of_type(graph, "Relu") if node.input[0] == name), None)
    if relu is None:
        return None
    found = next((node for node in of_type(graph, "QuantizeLinear") if node.input[0] == relu.output[0]), None)
    zero = constants_of(graph).get(found.input[2]) if found is not None and len(found.input) == 3 else None
    return found if zero is not None and zero.dtype == np.uint8 and not zero.any() else None


def _normalization(graph: onnx.GraphProto, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Factors and offsets, by channel, that make this value of the picture's bytes; None when more happens to them."""
    factors, offsets = np.ones(1), np.zeros(1)
    constants = constants_of(graph)
    while (node := producer_of(graph, name)) is not None:
        values = constants.get(node.input[1]) if node.op_type in ("Mul", "Add") else None
        if node.op_type == "Cast" and node.input[0] == graph.input[0].name:
            return factors, offsets
        if values is not None and values.size == max(values.shape, default=1):  # one number, or one a channel
            values = values.ravel().astype(np.float64)
            if node.op_type == "Mul":
                factors = factors * values
            else:
                offsets = offsets + factors * values
        elif node.op_type not in _LAYOUT:
            return None
        name = node.input[0]
    return None


def _on_bytes(
    graph: onnx.GraphProto,
    weights: NDArray[Any],
    bias: NDArray[Any],
    picture: list[Any],
    typical: NDArray[Any],
    after: onnx.NodeProto,
) -> Iterator[onnx.NodeProto]:
    """The nodes from the picture, uint8 (N, H, W, C) of the scale and zero point ``picture``, to ``after``'s output."""
    packed = _packed(weights)
    pairs = np.abs(packed).reshape(len(packed), -1, 2, 3, 2).sum(axis=2)  # neighbours where channels come last
    scales = pairs.max(axis=(1, 2, 3)) / _LARGEST
    scales[scales == 0] = 1
    whole = np.rint(packed / scales[:, None, None, None]).astype(np.int8)
    lost = np.einsum("ochw,c->o", packed - whole * scales[:, None, None, None], np.tile(typical, COLUMNS))
    biases = np.rint((np.tile(bias, 2) + lost) / (scales * picture[0])).astype(np.int32)
    name = after.output[0]

    def constants(*arrays: Any) -> list[str]:
        return [new_constant(graph, np.asarray(array)) for array in arrays]

    wide, narrow = constants(*([0, 0, -1, size] for size in (COLUMNS * weights.shape[1], len(weights))))
    yield helper.make_node("Reshape", [graph.input[0].name, wide], [f"{name}_columns"])
    yield helper.make_node("Transpose", [f"{name}_columns"], [f"{name}_planes"], perm=[0, 3, 1, 2])
    inputs = [f"{name}_planes", *constants(*picture, whole, scales.astype(np.float32), np.zeros(len(whole), np.int8))]
    inputs += [*after.input[1:3], *constants(biases)]
    how: dict[str, Any] = {"kernel_shape": [3, 2], "strides": [2, 1], "pads": [1, 1, 0, 0]}
    yield helper.make_node("QLinearConv", inputs, [f"{name}_pairs"], **how)
    yield helper.make_node("Transpose", [f"{name}_pairs"], [f"{name}_last"], perm=[0, 2, 3, 1])
    yield helper.make_node("Reshape", [f"{name}_last", narrow], [f"{name}_apart"])
    yield helper.make_node("Transpose", [f"{name}_apart"], [name], perm=[0, 3, 1, 2])


def _packed(weights: NDArray[Any]) -> NDArray[Any]:
    """Weights (O, C, 3, 3) for groups of columns: (2 O, 4 C, 3, 2), the left result of each group first.

    Of the columns 4 g - 4 to 4 g + 3, which two groups hold, the left result of the second group takes those from
    4 g - 1 on and the right one those from 4 g + 1 on.
    """
    outputs, channels = weights.shape[:2]
    spread = np.zeros((2, outputs, 3, 2 * COLUMNS, channels))
    for result, start in enumerate((COLUMNS - 1, COLUMNS + 1)):
        spread[result, :, :, start : start + 3] = weights.transpose(0, 2, 3, 1)
    return spread.reshape(2 * outputs, 3, 2, COLUMNS * channels).transpose(0, 3, 1, 2)
