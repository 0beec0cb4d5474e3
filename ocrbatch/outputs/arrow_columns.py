"""Arrays of Arrow by their buffers.

What pyarrow itself makes of lists imports pandas wherever that is installed: a third of a second in each process before
its first page is done.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

_NUMBERS = {pa.int32(): np.int32, pa.int64(): np.int64, pa.float32(): np.float32}


def strings(values: Sequence[str | None]) -> pa.Array:
    """Of strings, or null for None. Raises ArrowInvalid for what is no string."""
    try:
        encoded = [(value or "").encode() for value in values]
    except AttributeError as error:
        raise pa.ArrowInvalid(f"Not all are strings: {error}.") from error
    return pa.Array.from_buffers(
        pa.string(), len(values), [_valid(values), _offsets(encoded), pa.py_buffer(b"".join(encoded))]
    )


def numbers(values: Sequence[float | None], kind: pa.DataType) -> pa.Array:
    """Of int32, int64 or float32, or null for None. Raises ArrowInvalid for what is no number."""
    valid = _valid(values)
    known = values if valid is None else [0 if value is None else value for value in values]
    try:
        data = np.array(known, _NUMBERS[kind])
    except (TypeError, ValueError, OverflowError) as error:
        raise pa.ArrowInvalid(f"Not all are {kind}: {error}.") from error
    return pa.Array.from_buffers(kind, len(values), [valid, pa.py_buffer(data)])


def booleans(values: Sequence[bool]) -> pa.Array:
    """Of bool, none null."""
    return pa.Array.from_buffers(pa.bool_(), len(values), [None, _bits(values)])


def lists(values: Sequence[Sequence[Any] | None], items: pa.Array) -> pa.Array:
    """Of lists, or null for None; ``items`` holds those of all lists."""
    buffers = [_valid(values), _offsets([value or () for value in values])]
    return pa.Array.from_buffers(pa.list_(items.type), len(values), buffers, children=[items])


def quads(values: Sequence[NDArray[Any]]) -> pa.Array:
    """Of fixed lists of eight float32: quadrilaterals (4, 2). Raises ArrowInvalid for other shapes."""
    for value in values:
        if value.shape != (4, 2):  # Arrow would read what lies behind a buffer that is too short
            raise pa.ArrowInvalid(f"A quadrilateral is an array (4, 2), not {value.shape}.")
    flat = pa.py_buffer(np.array(values, np.float32))
    items = pa.Array.from_buffers(pa.float32(), 8 * len(values), [None, flat])
    return pa.Array.from_buffers(pa.list_(pa.float32(), 8), len(values), [None], children=[items])


def structs(kind: pa.StructType, length: int, fields: dict[str, pa.Array]) -> pa.Array:
    """Of structs, none null, from the arrays of their fields."""
    return pa.Array.from_buffers(kind, length, [None], children=[fields[field.name] for field in kind])


def _valid(values: Sequence[Any]) -> pa.Buffer | None:
    known = [value is not None for value in values]
    return None if all(known) else _bits(known)


def _bits(flags: Sequence[bool]) -> pa.Buffer:
    return pa.py_buffer(np.packbits(np.array(flags, bool), bitorder="little"))


def _offsets(parts: Sequence[Any]) -> pa.Buffer:
    return pa.py_buffer(np.array([0, *accumulate(map(len, parts))], np.int32))
