"""Writes a small, complete plugin package to start from, out of the templates beside this module."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Literal

from ocrbatch import __version__
from ocrbatch.api import PLUGIN_API
from ocrbatch.errors import OutputError, PluginError
from ocrbatch.plugin_system.catalogue import Kind

Short = Literal["det", "rec", "post"]

KINDS = {"det": Kind.DETECTOR, "rec": Kind.RECOGNIZER, "post": Kind.POSTPROCESSOR}
_MODULES = {
    "det": ("plugin", "config", "model", "training", "codec"),
    "rec": ("plugin", "config", "model", "training", "codec"),
    "post": ("plugin", "config", "step"),
}
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST = 40


def write_package(kind: Short, name: str, out: Path) -> Path:
    """Write the package of a new plugin into a folder of its own below ``out`` and return that folder.

    Raises PluginError for a name that no package can have, OutputError when the folder exists or cannot be written.
    """
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        raise PluginError(
            f"{name!r} cannot be the name of a plugin: use at most {_LONGEST} small letters, digits and single "
            "hyphens, a letter first, like 'my-algo'."
        )
    values = _values(kind, name)
    folder = out / values["distribution"]
    if folder.exists():
        raise OutputError(f"{folder} exists already: choose another name or another --out folder.")
    try:
        for path, text in _files(kind, values).items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"Cannot write the package into {folder}: {error}.") from error
    return folder


def _values(kind: Short, name: str) -> dict[str, str]:
    plain = name.replace("-", "_")
    major, minor = __version__.split(".")[:2]
    return {
        "name": name,
        "kind": KINDS[kind],
        "title": "".join(part.capitalize() for part in name.split("-")),
        "package": f"ocrbatch_{kind}_{plain}",
        "entry_point": f"{kind}_{plain}",
        "distribution": f"ocrbatch-{kind}-{name}",
        "versions": f">={major}.{minor},<{int(major) + 1}",
        "api": str(PLUGIN_API),
    }


def _files(kind: Short, values: dict[str, str]) -> dict[str, str]:
    """Texts of all files by their path in the package's folder."""
    package = values["package"]
    sources = {
        "pyproject.toml": "common/pyproject.toml",
        ".gitignore": "common/gitignore",
        "README.md": f"{kind}/README.md",
        f"{package}/__init__.py": "common/init.py",
        "tests/test_plugin.py": f"{kind}/test_plugin.py",
        **{f"{package}/{module}.py": f"{kind}/{module}.py" for module in _MODULES[kind]},
    }
    templates = files("ocrbatch.plugin_system") / "templates"
    return {
        path: Template((templates / f"{source}.txt").read_text(encoding="utf-8")).substitute(values)
        for path, source in sources.items()
    }
