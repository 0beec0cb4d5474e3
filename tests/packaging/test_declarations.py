"""What pyproject.toml declares, what lies in the tree and what is installed must be the same."""

from __future__ import annotations

import tomllib
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest

import ocrbatch

ROOT = Path(__file__).parents[2]
BUILT_IN = sorted(path.parent.name for path in (ROOT / "plugins").glob("*/__init__.py"))


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


GROUPS = ("ocrbatch.plugins", "ocrmypdf")
"""Whose plugins lie in plugins/: our own, and those that make ocrbatch a plugin of another program."""


@pytest.fixture(scope="module")
def entry_points(project: dict[str, Any]) -> dict[str, str]:
    declared = project["project"]["entry-points"]
    assert set(declared) == set(GROUPS)
    return {name: target for group in GROUPS for name, target in declared[group].items()}


def test_every_built_in_folder_has_an_entry_point(entry_points: dict[str, str]) -> None:
    declared = {target.partition(".")[0] for target in entry_points.values()} - {"ocrbatch"}
    assert sorted(declared) == BUILT_IN


def test_every_entry_point_names_a_module(entry_points: dict[str, str]) -> None:
    for name, target in entry_points.items():
        path = Path(*target.split(".")).with_suffix(".py")
        assert (ROOT / path).is_file() or (ROOT / "plugins" / path).is_file(), f"{name} = {target}: no such module"


def test_the_installed_metadata_is_that_of_the_tree(entry_points: dict[str, str]) -> None:
    installed = {point.name: point.value for point in distribution("ocrbatch").entry_points if point.group in GROUPS}
    assert installed == entry_points, "The entry points changed since the installation: run pip install -e ."


def test_plugins_folder_is_no_package() -> None:
    loose = [path.name for path in (ROOT / "plugins").iterdir() if path.is_file()]
    assert loose == [], "Whatever lies loose in plugins/ would be installed into site-packages"


def test_import_contracts_cover_every_built_in(project: dict[str, Any]) -> None:
    linter = project["tool"]["importlinter"]
    assert sorted(linter["root_packages"]) == sorted(["ocrbatch", *BUILT_IN])
    contracts = {contract["name"]: contract for contract in linter["contracts"]}
    assert sorted(contracts["The core knows no built-in plugin"]["forbidden_modules"]) == BUILT_IN
    assert sorted(contracts["Built-in plugins know nothing of each other"]["modules"]) == BUILT_IN
    assert sorted(contracts["Built-in plugins use what any plugin may use"]["source_modules"]) == BUILT_IN


def test_modules_stay_readable() -> None:
    long = {
        str(path.relative_to(ROOT)): count
        for folder in ("ocrbatch", "plugins")
        for path in (ROOT / folder).rglob("*.py")
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert long == {}, "Split modules of more than 400 lines by meaning"


def test_version_is_that_of_the_metadata() -> None:
    assert distribution("ocrbatch").version == ocrbatch.__version__
