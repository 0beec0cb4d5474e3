"""Finding one's way in an ONNX graph."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import count
from typing import Any

import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper


def nodes_within(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """All nodes of a graph, those of loops and branches included."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                yield from nodes_within(inner)


def of_type(graph: onnx.GraphProto, operator: str) -> list[onnx.NodeProto]:
    """Nodes of one operator, in their order."""
    return [node for node in graph.node if node.op_type == operator]


def attributes_of(node: onnx.NodeProto) -> dict[str, Any]:
    """Attributes of a node by name."""
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


def constants_of(graph: onnx.GraphProto) -> dict[str, NDArray[Any]]:
    """Constants of a graph by name."""
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}


def reads_of(graph: onnx.GraphProto) -> Counter[str]:
    """How often each value is read, in loops and branches too."""
    return Counter(name for node in nodes_within(graph) for name in node.input)


def is_read_once(graph: onnx.GraphProto, name: str) -> bool:
    """Whether a value has one reader and is no output."""
    return reads_of(graph)[name] == 1 and all(output.name != name for output in graph.output)


def producer_of(graph: onnx.GraphProto, name: str) -> onnx.NodeProto | None:
    """The node that makes a value; None for inputs and constants."""
    return next((node for node in graph.node if name in node.output), None)


def new_constant(graph: onnx.GraphProto, values: NDArray[Any]) -> str:
    """Name of a new constant, which nothing else in the graph has."""
    used = {name for node in nodes_within(graph) for name in (*node.input, *node.output)}
    used |= {tensor.name for tensor in graph.initializer}
    name = next(name for name in map("constant_{}".format, count()) if name not in used)
    graph.initializer.append(numpy_helper.from_array(values, name))
    return name
