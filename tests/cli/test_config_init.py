from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from ocrbatch.cli.main import cli
from ocrbatch.cli.recipes import resolve_recipe
from ocrbatch.plugin_system.host import Host

NOTHING_GIVEN = dict.fromkeys(["algo", "backbone", "charset", "start_from"]) | {
    "train_data": [],
    "val_data": [],
    "assignments": [],
}


@pytest.mark.parametrize("backbone", ["mobilenet_v3", "plain"])
@pytest.mark.parametrize("task", ["det", "rec"])
def test_the_printed_recipe_is_the_default_one(task: str, backbone: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["config", "init", task, "--backbone", backbone])
    assert result.exit_code == 0, result.output
    path = tmp_path / "recipe.yml"
    path.write_text(result.output)
    host = Host.load()
    printed = resolve_recipe(host, task, {**NOTHING_GIVEN, "recipe": path})
    default = resolve_recipe(host, task, {**NOTHING_GIVEN, "recipe": None, "backbone": backbone, "train_data": ["DIR"]})
    assert printed == default


def test_options_are_explained() -> None:
    result = CliRunner().invoke(cli, ["config", "init", "det"])
    explained = [line for line in result.output.splitlines() if ":" in line and "  # " in line]
    assert len(explained) > 30
    assert yaml.safe_load(result.output)["train"]["optimizer"]["schedule"]["kind"] == "cosine"
