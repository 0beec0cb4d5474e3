"""Graphs whose convolutions compute with 8-bit integers."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def quantized(content: bytes, batches: Sequence[NDArray[np.uint8]]) -> bytes:
    """A graph with its convolutions in 8 bits: weights by channel, values by the ranges that they have over
    ``batches``, uint8 (N, H, W, C) each.

    The first convolution stays as it is. Processors without VNNI instructions add pairs of products in 16 bits, which
    overflow where many values are near the top of their range: bright paper is, what later layers see hardly ever.
    """
    import onnx
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
        graph = onnx.load_from_string(content)
        onnx.save(_named(graph), source)
        convolutions = [node.name for node in graph.graph.node if node.op_type == "Conv"]
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
                op_types_to_quantize=["Conv"],
                nodes_to_exclude=convolutions[:1],
            )
        finally:
            logging.getLogger().setLevel(level)
        return target.read_bytes()


def _named(graph: Any) -> Any:
    """The graph with a name for each node, by which one can be left out."""
    for number, node in enumerate(graph.graph.node):
        node.name = f"{node.op_type}-{number}"
    return graph
