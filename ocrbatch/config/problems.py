"""Validation errors as sentences for people: key path, value, what is allowed, and the closest known key."""

from __future__ import annotations

import typing
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from ocrbatch.config.suggest import did_you_mean
from ocrbatch.errors import ConfigError

_SHOWN = 60


def config_error(error: ValidationError, schema: type[BaseModel], where: str = "") -> ConfigError:
    """All problems of a failed validation, one sentence a line; ``where`` goes before each key path."""
    problems: list[dict[str, Any]] = [dict(problem) for problem in error.errors()]
    places = [problem["loc"] for problem in problems]
    told = [problem for problem in problems if not any(_is_within(place, problem["loc"]) for place in places)]
    return ConfigError("\n".join(_sentence(problem, schema, where) for problem in told))


def _is_within(place: Sequence[int | str], outer: Sequence[int | str]) -> bool:
    """Whether ``place`` lies below ``outer``, whose problem then follows from its own."""
    return len(place) > len(outer) and tuple(place[: len(outer)]) == tuple(outer)


def _sentence(problem: dict[str, Any], schema: type[BaseModel], where: str) -> str:
    location = [part for part in problem["loc"] if not str(part).startswith("function-")]
    path = ".".join(str(part) for part in ([where] if where else []) + location) or "configuration"
    if problem["type"] == "extra_forbidden":
        known = _keys_beside(schema, location)
        hint = did_you_mean(str(location[-1]), known)
        return f"{path}: unknown key{hint}" if hint != "." else f"{path}: unknown key; known: {', '.join(known)}."
    if problem["type"] == "missing":
        return f"{path}: a value is needed."
    message = problem["msg"].removeprefix("Value error, ").removeprefix("Input ").rstrip(".")
    got = "" if isinstance(problem["input"], dict | BaseModel) else f", not {shown(problem['input'])}"
    return f"{path}: {message[:1].lower()}{message[1:]}{got}."


def shown(value: Any) -> str:
    """A value as a message shows it: not more than so much of it."""
    text = repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def _keys_beside(schema: type[BaseModel], location: Sequence[int | str]) -> list[str]:
    """Keys that were possible where an unknown one stood."""
    model: type[BaseModel] | None = schema
    for part in location[:-1]:
        field = model.model_fields.get(str(part)) if model else None
        model = _model_within(field.annotation) if field else None
    return list(model.model_fields) if model else []


def _model_within(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model_within(argument) for argument in typing.get_args(annotation))
    return next((model for model in found if model), None)
