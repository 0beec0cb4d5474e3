"""Where each value of a configuration comes from: noted layer by layer, shown as a comment behind the value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ocrbatch.config.load import inline_yaml, parse_value

Origins = Mapping[str, str]
"""Origin by dotted key, such as ``train.steps``. What is not in it has its default."""


def overlaid(origins: Origins, values: Mapping[str, Any], origin: str) -> dict[str, str]:
    """``origins`` after ``values`` were merged over what was there."""
    result = dict(origins)
    for path in _leaves(values, ""):
        result = _without(result, path) | {path: origin}
    return result


def assigned(origins: Origins, assignments: Sequence[str]) -> dict[str, str]:
    """``origins`` after ``--set KEY=VALUE`` of each assignment, which replaces all that was at the key."""
    result = dict(origins)
    for assignment in assignments:
        path, _, text = assignment.partition("=")
        result = _without(result, path.strip()) | dict.fromkeys(_leaves(parse_value(text), path.strip()), "--set")
    return result


def origin_of(path: str, origins: Origins) -> str:
    """Where the value at ``path`` comes from; all of them, in order, when its parts come from different layers."""
    found = [origin for key, origin in origins.items() if _is_within(key, path)]
    parent, _, last = path.rpartition(".")
    if not found and last == "name" and parent in origins:  # `algorithm: db` is short for `algorithm: {name: db}`
        found = [origins[parent]]
    return ", ".join(dict.fromkeys(found)) or "default"


def annotated(values: Mapping[str, Any], origins: Origins, at: str = "") -> Iterator[str]:
    """Lines of YAML, behind each value its origin as a comment. Lists stand on one line."""
    indent = "  " * len(at.split(".")) if at else ""
    for key, value in values.items():
        path = _below(at, key)
        if isinstance(value, Mapping) and value:
            yield f"{indent}{key}:"
            yield from annotated(value, origins, path)
        else:
            yield f"{indent}{key}: {inline_yaml(value)}  # {origin_of(path, origins)}"


def _leaves(value: Any, at: str) -> Iterator[str]:
    """Dotted keys of all that is no mapping in ``value``, which stands at the key ``at``."""
    if not isinstance(value, Mapping):
        yield at
        return
    for key, item in value.items():
        yield from _leaves(item, _below(at, key))


def _without(origins: Origins, path: str) -> dict[str, str]:
    return {key: origin for key, origin in origins.items() if not _is_within(key, path)}


def _is_within(key: str, path: str) -> bool:
    return key == path or key.startswith(f"{path}.")


def _below(at: str, key: Any) -> str:
    return f"{at}.{key}" if at else str(key)
