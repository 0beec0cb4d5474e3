"""Whether a row has what rows of results have: files that people and other programs made are read, too."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import pyarrow as pa

from ocrbatch.outputs.rows import SCHEMA

Check = Callable[[Any], str | None]
"""Says what is wrong with a value: where in it, and what is wanted there; None when it fits."""

_NEEDED = ("points", "text", "kept")
"""What no region is without, nor a word, as far as it has that."""

_MOST = 2**31 - 1


def problem_of(row: Mapping[str, Any]) -> str | None:
    """What is wrong with ``row``, such as ``page is no whole number``; None if nothing is. Its regions are not looked
    at, nor are columns that :data:`~ocrbatch.outputs.rows.SCHEMA` does not have."""
    return _told(_PAGE(row))


def problem_of_regions(row: Mapping[str, Any]) -> str | None:
    """The same for the regions, such as ``regions[2].points is no list of 8 numbers``."""
    return _told(_REGIONS(row))


def _told(problem: str | None) -> str | None:
    return problem.removeprefix(".") if problem else None


def _check_of(type: pa.DataType) -> Check:
    if pa.types.is_struct(type):
        return _mapping({field.name: _check_of(field.type) for field in type}, _NEEDED)
    if pa.types.is_fixed_size_list(type):
        return _numbers(type.list_size)
    if pa.types.is_list(type):
        return _sequence(_check_of(type.value_type))
    if pa.types.is_string(type):
        return lambda value: None if _is_text(value) else " is no text in Unicode"
    if pa.types.is_boolean(type):
        return lambda value: None if isinstance(value, bool) else " is neither true nor false"
    if pa.types.is_integer(type):
        return lambda value: None if _is_whole(value) else " is no whole number"
    return lambda value: None if _is_number(value) else " is no number"


def _mapping(checks: Mapping[str, Check], needed: Collection[str] = ()) -> Check:
    def check(value: Any) -> str | None:
        if not isinstance(value, dict):
            return " is no object"
        for name, check in checks.items():
            found = value.get(name)
            if found is None:
                if name in needed:
                    return f".{name} is missing"
            elif problem := check(found):
                return f".{name}{problem}"
        return None

    return check


def _sequence(check: Check) -> Check:
    def check_each(value: Any) -> str | None:
        if not isinstance(value, list):
            return " is no list"
        for number, item in enumerate(value):
            if problem := check(item):
                return f"[{number}]{problem}"
        return None

    return check_each


def _numbers(count: int) -> Check:
    def check(value: Any) -> str | None:
        fits = isinstance(value, list) and len(value) == count and all(map(_is_number, value))
        return None if fits else f" is no list of {count} numbers"

    return check


def _is_text(value: Any) -> bool:
    """Halves of surrogate pairs, which JSON can hold, are none."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_number(value: Any) -> bool:
    return isinstance(value, float) or _is_whole(value)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _MOST


_COLUMNS = {field.name: _check_of(field.type) for field in SCHEMA}
_REGIONS = _mapping({"regions": _COLUMNS.pop("regions")})
_PAGE = _mapping(_COLUMNS)
