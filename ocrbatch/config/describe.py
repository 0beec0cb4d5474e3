"""A schema as a flat list of fields: what ``plugins show`` and generated configuration files are made from."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

_BOUNDS = {
    "ge": ">=",
    "gt": ">",
    "le": "<=",
    "lt": "<",
    "multiple_of": "multiple of",
    "min_length": "length >=",
    "max_length": "length <=",
}


@dataclass(frozen=True, slots=True)
class FieldLine:
    """One leaf of a schema.

    ``key`` is dotted (``input.limit_side``), ``type`` readable, ``bounds`` like ``>= 0, <= 1`` or empty. ``default`` is
    a plain value; a field with ``required`` has none.
    """

    key: str
    type: str
    bounds: str
    required: bool
    default: Any
    description: str


def describe(schema: type[BaseModel]) -> list[FieldLine]:
    """All leaves of ``schema`` in order; nested schemas are flattened, with the defaults of the outer default."""
    return list(_lines(schema, None, ""))


def _lines(schema: type[BaseModel], instance: BaseModel | None, prefix: str) -> Iterator[FieldLine]:
    for name, field in schema.model_fields.items():
        default = getattr(instance, name) if instance is not None else _default(field)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            nested = default if isinstance(default, BaseModel) else None
            yield from _lines(type(nested) if nested else field.annotation, nested, f"{prefix}{name}.")
        else:
            required = instance is None and field.is_required()
            kind = type_name(field.annotation)
            yield FieldLine(prefix + name, kind, _bounds(field), required, _plain(default), _description(schema, name))


def _default(field: FieldInfo) -> Any:
    return None if field.is_required() else field.get_default(call_default_factory=True, validated_data={})


def type_name(annotation: Any) -> str:
    """A type as a person would write it: ``int``, ``'max' | 'min'``, ``list of float``."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return type_name(arguments[0])
    if origin is typing.Literal:
        return " | ".join(repr(value) for value in arguments)
    if origin in (typing.Union, types.UnionType):
        return " | ".join(type_name(argument) for argument in arguments)
    if origin in (list, tuple, set, frozenset):
        inner = dict.fromkeys(type_name(argument) for argument in arguments if argument is not Ellipsis)
        return f"list of {' | '.join(inner)}"
    if annotation is type(None):
        return "null"
    return getattr(annotation, "__name__", str(annotation))


def _description(schema: type[BaseModel], name: str) -> str:
    """The field's own description, or the one of the schema that it was inherited from."""
    fields = (base.model_fields.get(name) for base in schema.__mro__ if issubclass(base, BaseModel))
    return next((field.description for field in fields if field and field.description), "")


def _bounds(field: FieldInfo) -> str:
    found = [
        f"{sign} {getattr(limit, name)}"
        for limit in field.metadata
        for name, sign in _BOUNDS.items()
        if getattr(limit, name, None) is not None
    ]
    return ", ".join(found)


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, tuple | list | set | frozenset):
        return [_plain(item) for item in value]
    return value
