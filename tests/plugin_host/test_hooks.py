"""The hooks are a promise: a change of their names or arguments must be a visible one, and each is documented."""

from __future__ import annotations

import inspect
from dataclasses import fields
from pathlib import Path

import pytest

from ocrbatch.api import PLUGIN_API
from ocrbatch.plugin_system import hookspecs
from ocrbatch.plugin_system.catalogue import DESCRIPTORS, Kind
from ocrbatch.plugin_system.host import Host
from ocrbatch.plugin_system.loading import targets

DOCUMENT = Path(__file__).parents[2] / "docs" / "plugins.md"

HOOKS = {
    "ocrbatch_backbones": "() -> 'Iterable[BackbonePlugin]'",
    "ocrbatch_detectors": "() -> 'Iterable[DetectorPlugin]'",
    "ocrbatch_recognizers": "() -> 'Iterable[RecognizerPlugin]'",
    "ocrbatch_postprocessors": "() -> 'Iterable[PostprocessorPlugin]'",
    "ocrbatch_engines": "() -> 'Iterable[EnginePlugin]'",
}

FIELDS = {
    Kind.BACKBONE: ["name", "summary", "config", "api", "model", "tasks"],
    Kind.DETECTOR: ["name", "summary", "config", "api", "model", "training", "codec"],
    Kind.RECOGNIZER: ["name", "summary", "config", "api", "model", "training", "codec"],
    Kind.POSTPROCESSOR: ["name", "summary", "config", "api", "factory"],
    Kind.ENGINE: ["name", "summary", "config", "api", "factory"],
}


def _specs() -> dict[str, object]:
    return {name: value for name, value in vars(hookspecs).items() if name.startswith("ocrbatch_")}


def test_names_and_arguments_are_those_of_plugin_api_1() -> None:
    assert PLUGIN_API == 1
    assert {name: str(inspect.signature(spec)) for name, spec in _specs().items()} == HOOKS  # type: ignore[arg-type]
    assert {kind.hook for kind in Kind} == set(HOOKS)


@pytest.mark.parametrize("kind", list(Kind))
def test_descriptors_have_the_fields_of_plugin_api_1(kind: Kind) -> None:
    assert [field.name for field in fields(DESCRIPTORS[kind])] == FIELDS[kind]


@pytest.mark.parametrize("hook", HOOKS)
def test_each_hook_has_its_heading(hook: str) -> None:
    assert f"\n### `{hook}()`\n" in DOCUMENT.read_text(encoding="utf-8")
    assert inspect.getdoc(_specs()[hook]).count("versionadded") == 1


def test_documented_fields_are_the_real_ones() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    for kind, names in FIELDS.items():
        section = text.split(f"### `{kind.hook}()`")[1].split("\n### ")[0]
        for name in set(names) - {"name", "summary", "config", "api"}:
            assert f"`{name}`" in section


OWN = [row for row in Host.load(environ={}).rows if row.distribution == "ocrbatch"]


@pytest.mark.parametrize("row", OWN, ids=lambda row: f"{row.kind}-{row.name}")
def test_every_built_in_plugin_works_and_each_of_its_targets_exists(row) -> None:
    assert row.status == "ok", row.reason
    host = Host.load(environ={})
    assert row.descriptor.summary
    for target in targets(row.descriptor).values():
        assert callable(host.resolve(target))
    assert host.config(row.descriptor, {}) == host.schema(row.descriptor)()
