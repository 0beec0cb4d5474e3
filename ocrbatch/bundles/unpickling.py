"""Pickles of arrays and plain containers, read by a machine that can make nothing else.

A pickle is a program that may call anything. This reader runs the opcodes that such files need, on a stack and a memo
of its own; the five callables that they name are words to it, not functions, so there is nothing that could be reached
through them. It makes no more than a file of that size can hold.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_VALUES = (
    *("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
)
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_TUPLES = {"EMPTY_TUPLE": 0, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


class ForbiddenError(Exception):
    """The pickle asks for something that is not on the list."""


@dataclass
class PickledType:
    """A ``numpy.dtype``: its name and the order of its bytes."""

    name: str
    order: str = "<"


@dataclass
class PickledArray:
    """A ``numpy.ndarray``: version, shape, type, order and bytes as the pickle gives them."""

    state: tuple[Any, ...] = ()


@dataclass(frozen=True)
class _Name:
    """A global that the pickle names."""

    path: str


def unpickle(content: bytes) -> Any:
    """What a pickle of protocol 2 to 4 holds; arrays and their types as the stand-ins above.

    Raises ForbiddenError for whatever is no array or plain container, and any other exception for a damaged pickle.
    """
    machine = _Machine(len(content))
    for opcode, argument, _ in pickletools.genops(content):
        if opcode.name == "STOP":
            break
        machine.do(opcode.name, argument)
    (result,) = machine.stack
    return result


class _Machine:
    """Runs opcodes. ``room`` is how many bytes texts may still be encoded to: one text may be encoded many times."""

    def __init__(self, room: int) -> None:
        self.stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}
        self._room = room
        self._table: dict[str, Callable[[Any], None]] = {
            "PROTO": self._nothing,
            "FRAME": self._nothing,
            "MARK": lambda _: self._marks.append(len(self.stack)),
            "POP": lambda _: self.stack.pop(),
            "EMPTY_LIST": lambda _: self.stack.append([]),
            "EMPTY_DICT": lambda _: self.stack.append({}),
            "TUPLE": lambda _: self.stack.append(tuple(self._since_mark())),
            "APPEND": lambda _: self._extend([self.stack.pop()]),
            "APPENDS": lambda _: self._extend(self._since_mark()),
            "SETITEM": lambda _: self._set_items(self._popped(2)),
            "SETITEMS": lambda _: self._set_items(self._since_mark()),
            "MEMOIZE": lambda _: self._put(len(self._memo)),
            "GLOBAL": lambda path: self.stack.append(_Name(path.replace(" ", "."))),
            "STACK_GLOBAL": lambda _: self.stack.append(_Name("{}.{}".format(*self._popped(2)))),
            "REDUCE": lambda _: self.stack.append(self._call(*self._popped(2))),
            "BUILD": lambda _: self._build(self.stack.pop()),
            **dict.fromkeys(("BINPUT", "LONG_BINPUT"), self._put),
            **dict.fromkeys(("BINGET", "LONG_BINGET"), lambda place: self.stack.append(self._memo[place])),
            **dict.fromkeys(_VALUES, self.stack.append),
        }

    def do(self, opcode: str, argument: Any) -> None:
        """Runs one opcode."""
        if opcode in _CONSTANTS:
            self.stack.append(_CONSTANTS[opcode])
        elif opcode in _TUPLES:
            self.stack.append(tuple(self._popped(_TUPLES[opcode])))
        elif opcode in self._table:
            self._table[opcode](argument)
        else:
            raise ForbiddenError(f"it uses the opcode {opcode}")

    def _nothing(self, _: Any) -> None:
        pass

    def _put(self, place: int) -> None:
        self._memo[place] = self.stack[-1]

    def _popped(self, count: int) -> list[Any]:
        if count > len(self.stack):
            raise ValueError("its stack is too short")
        items = self.stack[len(self.stack) - count :]
        del self.stack[len(self.stack) - count :]
        return items

    def _since_mark(self) -> list[Any]:
        return self._popped(len(self.stack) - self._marks.pop())

    def _extend(self, items: list[Any]) -> None:
        if not isinstance(self.stack[-1], list):
            raise ForbiddenError(f"it appends to a {type(self.stack[-1]).__name__}")
        self.stack[-1].extend(items)

    def _set_items(self, items: list[Any]) -> None:
        if not isinstance(self.stack[-1], dict):
            raise ForbiddenError(f"it sets items of a {type(self.stack[-1]).__name__}")
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not isinstance(key, str):
                raise ForbiddenError(f"it has a key that is a {type(key).__name__}")
            self.stack[-1][key] = value

    def _call(self, name: Any, arguments: Any) -> Any:
        match name, arguments:
            case _Name("numpy.core.multiarray._reconstruct" | "numpy._core.multiarray._reconstruct"), tuple():
                return PickledArray()
            case _Name("numpy.dtype"), (str(kind), *_):
                return PickledType(kind)
            case _Name("collections.OrderedDict"), ():
                return {}
            case _Name("_codecs.encode"), (str(text), "latin1"):
                return self._encoded(text)
        raise ForbiddenError(f"it wants to call {name.path if isinstance(name, _Name) else type(name).__name__}")

    def _encoded(self, text: str) -> bytes:
        self._room -= len(text)
        if self._room < 0:
            raise ForbiddenError("it holds more than its size")
        return text.encode("latin1")

    def _build(self, state: Any) -> None:
        target = self.stack[-1]
        if isinstance(target, PickledArray) and isinstance(state, tuple):
            target.state = state
        elif isinstance(target, PickledType) and isinstance(state, tuple):
            target.order = state[1]
        else:
            raise ForbiddenError(f"it sets the state of a {type(target).__name__}")
