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

    Weights use 7 of the 8 bits: processors without VNNI instructions add pairs of products in 16 bits, which full range
    would overflow.
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
        source.write_bytes(content)
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
                reduce_range=True,
                op_types_to_quantize=["Conv"],
            )
        finally:
            logging.getLogger().setLevel(level)
        return target.read_bytes()
