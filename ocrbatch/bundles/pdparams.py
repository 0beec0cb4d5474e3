"""Reading PaddleOCR's training checkpoints (``.pdparams``) without Paddle and without trusting them.

Such a file is one pickle of a dict from structured names to float32 arrays.
"""

from __future__ import annotations

import hashlib
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ocrbatch.bundles.unpickling import ForbiddenError, PickledArray, PickledType, unpickle
from ocrbatch.errors import InputError

NAME_TABLE = "StructuredToParameterName@@"
_TYPES = ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "b1")
_GROWTH = 8
"""Times a file's size that its arrays may take: bytes become float32, and two names may share an array."""


def read_checkpoint(path: Path) -> tuple[dict[str, NDArray[np.float32]], str]:
    """The arrays of a checkpoint by structured name, in order, and the file's sha256.

    Raises InputError for a file that is none, is damaged, or asks for anything but arrays and plain containers.
    """
    try:
        content = path.read_bytes()
        values = unpickle(content)
    except OSError as error:
        raise InputError(f"Cannot read {path} ({error.strerror}).") from error
    except ForbiddenError as error:
        raise _refused(path, error) from error
    except Exception as error:  # a broken pickle raises anything
        raise InputError(f"{path} is no checkpoint of PaddleOCR (.pdparams), or is damaged: {error}.") from error
    if not isinstance(values, dict) or not values:
        raise InputError(f"{path} holds no dictionary of parameters: give the .pdparams file of a training.")
    values.pop(NAME_TABLE, None)
    try:
        arrays = _arrays(values, path, _GROWTH * len(content))
    except ForbiddenError as error:
        raise _refused(path, error) from error
    return arrays, hashlib.sha256(content).hexdigest()


def _arrays(values: dict[str, Any], path: Path, room: int) -> dict[str, NDArray[np.float32]]:
    found = {}
    for name, value in values.items():
        found[name] = _array(value, name, path)
        room -= found[name].nbytes
        if room < 0:
            raise ForbiddenError(f"its arrays take more than {_GROWTH} times its size")
    return found


def _array(value: Any, name: str, path: Path) -> NDArray[np.float32]:
    if not isinstance(value, PickledArray):
        raise InputError(f"{path} is no checkpoint of PaddleOCR: {name!r} is no array, but a {type(value).__name__}.")
    try:
        _, shape, kind, fortran, content = value.state
        numbers = np.frombuffer(content, _resolved(kind, name))
        if not all(isinstance(side, int) and 0 <= side < 2**31 for side in shape):
            raise ValueError("its shape is none")
        if numbers.size != prod(shape):
            raise ValueError(f"{numbers.size} numbers for the shape {shape}")
        return numbers.reshape(shape, order="F" if fortran else "C").astype(np.float32)
    except (TypeError, ValueError) as error:
        raise InputError(f"{path} is no checkpoint of PaddleOCR: {name!r} is no array ({error}).") from error


def _resolved(kind: Any, name: str) -> np.dtype[Any]:
    if not isinstance(kind, PickledType) or kind.name not in _TYPES or kind.order not in ("<", ">", "|", "="):
        raise ForbiddenError(f"{name} is an array of another type than numbers")
    return np.dtype(f"{kind.order}{kind.name}")


def _refused(path: Path, error: ForbiddenError) -> InputError:
    return InputError(f"{path} is refused: {error}, which no checkpoint needs. Nothing of it was executed.")
