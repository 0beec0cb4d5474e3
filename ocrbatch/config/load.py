"""Reading configuration: YAML files and ``--set a.b=c``, with messages that a person can act on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from ocrbatch.errors import ConfigError

_ENDLESS = 10_000_000


def load_yaml(path: Path) -> dict[str, Any]:
    """The mapping that a YAML file holds (an empty file is an empty mapping). Raises ConfigError."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError(f"Cannot read the configuration {path}: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"Cannot read the configuration {path}: it is not text in UTF-8.") from error
    try:
        values = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:  # dates that no calendar has, numbers of thousands of digits
        raise ConfigError(f"{path} is not valid YAML: {error}") from error
    except RecursionError as error:
        raise ConfigError(f"{path} is not valid YAML: it is nested too deeply.") from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ConfigError(f"{path} must hold keys and values, not a {type(values).__name__}.")
    return values


def dump_yaml(values: Mapping[str, Any]) -> str:
    """YAML text of plain values, keys in their order."""
    return yaml.safe_dump(dict(values), sort_keys=False, allow_unicode=True, width=120)


def inline_yaml(value: Any) -> str:
    """A value as YAML on one line, however long."""
    plain = list(value) if isinstance(value, tuple) else value
    text = _on_a_line(plain)
    return text if len(text.splitlines()) == 1 else _on_a_line(plain, '"')  # quoted, line breaks are escaped


def _on_a_line(value: Any, quotes: str | None = None) -> str:
    text = yaml.safe_dump(
        value,
        default_flow_style=True,
        default_style=quotes,
        sort_keys=False,
        allow_unicode=quotes is None,
        width=_ENDLESS,
    )
    return text.removesuffix("...\n").strip()


def apply_set(values: Mapping[str, Any], assignments: Sequence[str]) -> dict[str, Any]:
    """``values`` with each ``a.b.c=value`` put in place. The value is read as YAML: ``1e-3``, ``true``, ``[1, 2]``.

    Numbers index lists. Raises ConfigError for an assignment without "=" or through something that is no mapping.
    """
    result = _copy(dict(values))
    for assignment in assignments:
        path, equals, text = assignment.partition("=")
        if not equals or not path.strip(". "):
            raise ConfigError(f"--set {assignment!r} is not of the form key.subkey=value.")
        _assign(result, path.strip().split("."), parse_value(text), assignment)
    return result


def parse_value(text: str) -> Any:
    """``text`` as YAML reads it; ``1e-3`` is a number here, as people expect."""
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):  # dates that no calendar has are texts too
        return text
    if isinstance(value, str):
        try:
            return float(value) if value[:1] in "+-.0123456789" else value
        except ValueError:
            return value
    return value


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


def _assign(target: Any, path: Sequence[str], value: Any, assignment: str) -> None:
    *parents, last = path
    for name in parents:
        target = target[_index(target, name, assignment)] if isinstance(target, list) else target.setdefault(name, {})
        if not isinstance(target, dict | list):
            raise ConfigError(f"--set {assignment!r}: {name!r} holds a plain value, it has no keys below it.")
    if isinstance(target, list):
        target[_index(target, last, assignment)] = value
    else:
        target[last] = value


def _index(items: list[Any], name: str, assignment: str) -> int:
    if not (name.isdecimal() and len(name) < 10) or int(name) >= len(items):
        raise ConfigError(f"--set {assignment!r}: {name!r} is not a position in a list of {len(items)}.")
    return int(name)
