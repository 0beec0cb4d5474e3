"""Distributions written into a folder, as pip would leave them, to try the host on."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

GOOD = """
from ocrbatch.api import PostprocessorPlugin, hookimpl

@hookimpl
def ocrbatch_postprocessors():
    return [
        PostprocessorPlugin(
            name="{name}", summary="Does nothing.", config="{module}:Config", factory="{module}:build", api={api}
        )
    ]

def __getattr__(name):
    from ocrbatch.config.schema import PluginConfig
    from pydantic import Field

    class Config(PluginConfig):
        speed: int = Field(3, ge=1, le=9, description="How fast.")

    if name == "Config":
        return Config
    raise AttributeError(name)

def build(config):
    return lambda regions, width, height: regions
"""

AddPlugin = Callable[..., None]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on sys.path, as site-packages is."""
    folder = tmp_path / "site"
    folder.mkdir()
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(folder))
    yield folder
    for name in set(sys.modules) - before:
        if str(folder) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.fixture
def add_plugin(site: Path) -> AddPlugin:
    """Function that adds a distribution with one plugin module to ``site``."""

    def add(
        distribution: str,
        source: str = GOOD,
        *,
        entry_point: str = "",
        name: str = "",
        api: int = 1,
        version: str = "1.0",
    ) -> None:
        module = distribution.replace("-", "_")
        text = source.replace("{name}", name or distribution).replace("{module}", module).replace("{api}", str(api))
        (site / f"{module}.py").write_text(text, encoding="utf-8")
        info = site / f"{module}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[ocrbatch.plugins]\n{entry_point or module} = {module}\n")

    return add
