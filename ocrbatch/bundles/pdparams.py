"""Reading PaddleOCR's training checkpoints (``.pdparams``) without Paddle and without trusting them.

Such a file is one pickle of a dict from structured names to float32 arrays. Pickles can call anything; this reader
knows six names, all of them replaced by harmless stand-ins, so that a file can hold arrays and plain containers only.
"""

from __future__ import annotations

import hashlib
import pickle
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ocrbatch.errors import InputError

NAME_TABLE = "StructuredToParameterName@@"
_TYPES = ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "b1")
_ARRAY = "numpy.ndarray"


def read_checkpoint(path: Path) -> tuple[dict[str, NDArray[np.float32]], str]:
    """The arrays of a checkpoint by structured name, in order, and the file's sha256.

    Raises InputError for a file that is none, is damaged, or asks for anything but arrays and plain containers.
    """
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            values = _Reader(file, encoding="latin1").load()
    except OSError as error:
        raise InputError(f"Cannot read {path} ({error.strerror}).") from error
    except ForbiddenError as error:
        raise InputError(
            f"{path} is refused: {error}, which no checkpoint needs. Nothing of it was executed."
        ) from error
    except Exception as error:  # a broken pickle raises anything
        raise InputError(f"{path} is no checkpoint of PaddleOCR (.pdparams), or is damaged: {error}.") from error
    if not isinstance(values, dict) or not values:
        raise InputError(f"{path} holds no dictionary of parameters: give the .pdparams file of a training.")
    return {str(name): _array(value, str(name), path) for name, value in values.items() if name != NAME_TABLE}, digest


class ForbiddenError(pickle.UnpicklingError):
    """The pickle names something that is not on the list."""


class _Type:
    """Stands in for ``numpy.dtype``."""

    def __init__(self, name: str, *_: Any) -> None:
        self.name, self.order = name, "<"

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.order = state[1]

    def resolve(self) -> np.dtype[Any]:
        if self.name not in _TYPES or self.order not in ("<", ">", "|", "="):
            raise ForbiddenError(f"it holds an array of type {self.name!r}")
        return np.dtype(f"{self.order}{self.name}")


class _Array:
    """Stands in for ``numpy.ndarray``: shape, type, order and bytes as the pickle gives them."""

    state: tuple[Any, ...] = ()

    def __init__(self, *_: Any) -> None:
        pass

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.state = state


def _encode(text: str, encoding: str) -> bytes:
    """Stands in for ``_codecs.encode``, by which protocol 2 writes bytes."""
    if encoding != "latin1":
        raise ForbiddenError(f"it encodes text as {encoding!r}")
    return text.encode("latin1")


class _Reader(pickle.Unpickler):
    """Finds stand-ins only."""

    def find_class(self, module: str, name: str) -> Any:
        known = {
            "numpy.core.multiarray._reconstruct": _Array,
            "numpy._core.multiarray._reconstruct": _Array,
            _ARRAY: _ARRAY,
            "numpy.dtype": _Type,
            "_codecs.encode": _encode,
            "collections.OrderedDict": dict,
        }
        try:
            return known[f"{module}.{name}"]
        except KeyError:
            raise ForbiddenError(f"it wants to call {module}.{name}") from None

    def persistent_load(self, pid: Any) -> Any:  # noqa: ARG002
        raise ForbiddenError("it refers to something outside the file")


def _array(value: Any, name: str, path: Path) -> NDArray[np.float32]:
    try:
        _, shape, dtype, fortran, content = value.state
        numbers = np.frombuffer(content, dtype.resolve())
        if numbers.size != prod(shape):
            raise ValueError(f"{numbers.size} numbers for the shape {shape}")
        return numbers.reshape(shape, order="F" if fortran else "C").astype(np.float32)
    except ForbiddenError as error:
        raise InputError(f"{path} is refused: {name}: {error}.") from error
    except (AttributeError, TypeError, ValueError) as error:
        raise InputError(f"{path} is no checkpoint of PaddleOCR: {name!r} is no array ({error}).") from error
