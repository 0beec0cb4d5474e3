"""Network outputs that no network should give, to see what decoders make of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Outputs = list[NDArray[Any]]


def garbage_like(outputs: Sequence[NDArray[Any]]) -> Iterator[tuple[str, Outputs, bool]]:
    """Outputs of the same shapes and dtypes as ``outputs``, each with its name and whether its values are possible ones
    (decoders owe possible scores only to those). Outputs of integers stay as they are but for zeros."""
    generator = np.random.default_rng(0)
    yield "the network's own output", list(outputs), True
    yield "zeros", [np.zeros_like(output) for output in outputs], True
    yield "ones", _floats(outputs, np.ones), True
    yield "noise in 0..1", _floats(outputs, generator.random), True
    yield "large noise", _floats(outputs, lambda shape: generator.standard_normal(shape) * 100), False
    yield "NaN", _floats(outputs, lambda shape: np.full(shape, np.nan)), False


def _floats(outputs: Sequence[NDArray[Any]], fill: Callable[[tuple[int, ...]], NDArray[Any]]) -> Outputs:
    is_float = [np.issubdtype(output.dtype, np.floating) for output in outputs]
    return [
        fill(output.shape).astype(output.dtype) if floats else output
        for output, floats in zip(outputs, is_float, strict=True)
    ]
