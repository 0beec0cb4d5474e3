"""Where two sets of settings differ, in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_HASH_LENGTH = 64
_HASH_SHOWN = 12


def differences(one: Mapping[str, Any], other: Mapping[str, Any], words: str = "{name} was {one}, now {other}") -> str:
    """``dpi was 200, now 300; post.0.name was ...`` for all values that differ, nested ones too; empty when none does.
    ``words`` is the pattern for each."""
    first, second = _flat(one), _flat(other)
    differing = [name for name in sorted({*first, *second}) if first.get(name) != second.get(name)]
    return "; ".join(words.format(name=name, one=_shown(first, name), other=_shown(second, name)) for name in differing)


def _flat(values: Any, name: str = "") -> dict[str, Any]:
    if isinstance(values, Mapping):
        pairs = [(str(key), value) for key, value in values.items()]
    elif isinstance(values, list | tuple) and any(isinstance(value, Mapping) for value in values):
        pairs = [(str(number), value) for number, value in enumerate(values)]
    else:
        return {name: list(values) if isinstance(values, tuple) else values}
    flat: dict[str, Any] = {}
    for key, value in pairs:
        flat |= _flat(value, f"{name}.{key}" if name else key)
    return flat


def _shown(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name, "not set")
    text = value if isinstance(value, str) else json.dumps(value)
    return f"{text[:_HASH_SHOWN]}..." if len(text) == _HASH_LENGTH else text
