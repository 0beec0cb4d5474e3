"""Values of a configuration, wherever they come from: one laid over another, and what a schema says of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from ocrbatch.config.problems import config_error

Schema = TypeVar("Schema", bound=BaseModel)


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """``base`` with ``over`` laid on top: mappings are merged key by key, all else is replaced."""
    result = dict(base)
    for key, value in over.items():
        below = result.get(key)
        both = isinstance(value, Mapping) and isinstance(below, Mapping)
        result[key] = merge(below, value) if both else value  # type: ignore[arg-type]
    return result


def validate(schema: type[Schema], values: Mapping[str, Any], where: str = "") -> Schema:
    """``values`` as an instance of ``schema``. Raises ConfigError with a sentence per problem; ``where`` goes before
    each key path."""
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        raise config_error(error, schema, where) from error
