"""Graphs that compute with 8-bit integers from the picture to the last LSTM."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from ocrbatch.bundles.onnx_int8_first import quantize_first
from ocrbatch.bundles.onnx_int8_lstm import quantize_lstms
from ocrbatch.bundles.onnx_passes import remove_unused, repeat_bytes

_BETWEEN = ("Relu", "Add", "Resize", "Concat")


def quantized(content: bytes, batches: Sequence[NDArray[np.uint8]], *, aligned: bool = False) -> bytes:
    """A graph with its convolutions, what stands between them, and its LSTMs in 8 bits: weights by channel, values by
    the ranges that they have over ``batches``, uint8 (N, H, W, C) each.

    The first convolution only where pictures are ``aligned`` (see :func:`quantize_first`), and with smaller weights.
    Processors without VNNI instructions add pairs of products in 16 bits, which overflow where many values are near the
    top of their range: bright paper is, what later layers see hardly ever.
    """
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Reader(CalibrationDataReader):
        def __init__(self) -> None:
            self._left: Iterator[NDArray[np.uint8]] = iter(batches)

        def get_next(self) -> dict[str, Any] | None:
            batch = next(self._left, None)
            return None if batch is None else {"image": batch}

    level = logging.getLogger().level
    with tempfile.TemporaryDirectory(prefix="ocrbatch-") as folder:
        source, target = Path(folder) / "float.onnx", Path(folder) / "int8.onnx"
        model = _named(onnx.load_from_string(content))
        onnx.save(model, source)
        logging.getLogger().setLevel(logging.ERROR)  # it advises to prepare the graph, which export has done
        try:
            quantize_static(
                source,
                target,
                Reader(),
                quant_format=QuantFormat.QDQ,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                per_channel=True,
                op_types_to_quantize=["Conv", *_BETWEEN],
                nodes_to_quantize=_chosen(model.graph),
            )
        finally:
            logging.getLogger().setLevel(level)
        model = onnx.load(target)
    repeat_bytes(model.graph)
    if aligned:
        quantize_first(model.graph, np.mean([batch.mean(axis=(0, 1, 2)) for batch in batches], axis=0))
    quantize_lstms(model, batches)
    remove_unused(model.graph)
    faster: bytes = model.SerializeToString()
    return faster


def _named(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with a name for each node, by which they are chosen."""
    for number, node in enumerate(model.graph.node):
        node.name = f"{node.op_type}-{number}"
    return model


def _chosen(graph: onnx.GraphProto) -> list[str]:
    """Names of all convolutions but the first, and of the nodes behind them that only join or repeat their values, for
    each of which these would otherwise go to float and back."""
    first = next((node.name for node in graph.node if node.op_type == "Conv"), None)
    names: list[str] = []
    in_8_bits: set[str] = set()
    for node in graph.node:
        values = [node.input[0]] if node.op_type == "Resize" else node.input
        joins = node.op_type in _BETWEEN and in_8_bits.issuperset(values)
        if joins or (node.op_type == "Conv" and node.name != first):
            names.append(node.name)
            in_8_bits.update(node.output)
    return names
