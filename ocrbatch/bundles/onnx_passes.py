"""Rewrites of an ONNX graph that keep its results and save ONNX Runtime work. Each names the pattern it replaces."""

from __future__ import annotations

from collections import Counter

import numpy as np
import onnx
from onnx import helper, numpy_helper

from ocrbatch.bundles.onnx_nodes import (
    attributes_of,
    constants_of,
    is_read_once,
    new_constant,
    of_type,
    producer_of,
    reads_of,
)

_LARGE = 256  # numbers: below that, a Cast costs more than it saves


def simplify(graph: onnx.GraphProto) -> None:
    """All rewrites, in place, and then the removal of what is left unused."""
    repeat_pixels_in_one_node(graph)
    normalize_planes(graph)
    remove_unused(graph)


def repeat_pixels_in_one_node(graph: onnx.GraphProto) -> None:
    """Tile of channels -> DepthToSpace becomes Resize, which ONNX Runtime does in its blocked layout."""
    for node in of_type(graph, "DepthToSpace"):
        tile = next((n for n in of_type(graph, "Tile") if n.output[0] == node.input[0]), None)
        factor, mode = attributes_of(node)["blocksize"], attributes_of(node).get("mode", b"DCR")
        if tile is None or mode != b"DCR" or not is_read_once(graph, tile.output[0]):
            continue
        repeats = constants_of(graph).get(tile.input[1])
        if repeats is None or repeats.tolist() != [1, factor**2, 1, 1]:
            continue
        scales = new_constant(graph, np.array([1, 1, factor, factor], np.float32))
        resize = helper.make_node(
            "Resize",
            [tile.input[0], "", scales],
            list(node.output),
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )
        node.CopyFrom(resize)


def normalize_planes(graph: onnx.GraphProto) -> None:
    """Mul or Add by a value per channel -> Transpose to channels first becomes the transpose, then the arithmetic.

    A constant for a whole plane is several times faster than one that changes with every number.
    """
    for transpose in of_type(graph, "Transpose"):
        if attributes_of(transpose).get("perm") != [0, 3, 1, 2]:
            continue
        while (before := producer_of(graph, transpose.input[0])) is not None and before.op_type in ("Mul", "Add"):
            values = constants_of(graph).get(before.input[1])
            if values is None or values.shape[-1:] != (values.size,) or not is_read_once(graph, before.output[0]):
                break
            planes = new_constant(graph, values.reshape(1, -1, 1, 1).astype(np.float32))
            first = helper.make_node("Transpose", [before.input[0]], [before.output[0]], perm=[0, 3, 1, 2])
            second = helper.make_node(before.op_type, [before.output[0], planes], [transpose.output[0]])
            before.CopyFrom(first)
            transpose.CopyFrom(second)
            transpose = before


def repeat_bytes(graph: onnx.GraphProto) -> None:
    """DequantizeLinear -> Resize that repeats pixels -> QuantizeLinear, of one scale, becomes an Expand of the bytes
    with channels last, the layout in which ONNX Runtime has the convolutions around it: three times as fast."""
    for resize in of_type(graph, "Resize"):
        before = producer_of(graph, resize.input[0])
        after = next((node for node in of_type(graph, "QuantizeLinear") if node.input[0] == resize.output[0]), None)
        factor = _repeats(graph, resize)
        if before is None or before.op_type != "DequantizeLinear" or after is None or factor is None:
            continue
        if not is_read_once(graph, resize.output[0]) or not _same_scale(graph, before, after):
            continue
        name = after.output[0]
        axes, copies, growth = (
            new_constant(graph, np.array(values, np.int64))
            for values in ([2, 4], [1, 1, factor, 1, factor, 1], [1, factor, factor, 1])
        )
        nodes = [
            helper.make_node("Transpose", [before.input[0]], [f"{name}_last"], perm=[0, 2, 3, 1]),
            helper.make_node("Unsqueeze", [f"{name}_last", axes], [f"{name}_apart"]),
            helper.make_node("Expand", [f"{name}_apart", copies], [f"{name}_repeated"]),
            helper.make_node("Shape", [f"{name}_last"], [f"{name}_size"]),
            helper.make_node("Mul", [f"{name}_size", growth], [f"{name}_larger"]),
            helper.make_node("Reshape", [f"{name}_repeated", f"{name}_larger"], [f"{name}_joined"]),
            helper.make_node("Transpose", [f"{name}_joined"], [name], perm=[0, 3, 1, 2]),
        ]
        place = list(graph.node).index(resize)
        graph.node.remove(resize)
        graph.node.remove(after)
        for offset, node in enumerate(nodes):
            graph.node.insert(place + offset, node)


def store_half(graph: onnx.GraphProto) -> None:
    """Large float32 constants become float16 ones behind a Cast, which engines fold when they load the graph.

    One that float16 cannot hold, because a value would overflow, stays as it is.
    """
    casts = []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < _LARGE or np.abs(values).max() > np.finfo(np.float16).max:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
        casts.append(helper.make_node("Cast", [tensor.name], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def remove_unused(graph: onnx.GraphProto) -> None:
    """Drops nodes and constants that no output depends on."""
    while True:
        read = reads_of(graph) | Counter(output.name for output in graph.output)
        unused = [node for node in graph.node if not any(read[name] for name in node.output)]
        if not unused:
            break
        for node in unused:
            graph.node.remove(node)
    kept = [tensor for tensor in graph.initializer if read[tensor.name]]
    del graph.initializer[:]
    graph.initializer.extend(kept)


def _repeats(graph: onnx.GraphProto, resize: onnx.NodeProto) -> int | None:
    """How often a Resize repeats each row and column, where that is all it does."""
    attributes = attributes_of(resize)
    scales = constants_of(graph).get(resize.input[2]) if len(resize.input) == 3 else None
    kind = [attributes.get(key) for key in ("mode", "coordinate_transformation_mode", "nearest_mode")]
    if scales is None or kind != [b"nearest", b"asymmetric", b"floor"]:
        return None
    factor = int(scales[-1])
    return factor if scales.tolist() == [1, 1, factor, factor] else None


def _same_scale(graph: onnx.GraphProto, one: onnx.NodeProto, other: onnx.NodeProto) -> bool:
    """Whether two nodes quantize by equal constants."""
    constants = constants_of(graph)
    return all(
        a in constants and b in constants and np.array_equal(constants[a], constants[b])
        for a, b in zip(one.input[1:], other.input[1:], strict=True)
    )
