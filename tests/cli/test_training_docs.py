"""docs/training.md: its commands have the options that they show, and its recipe is one."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
import yaml

from ocrbatch.cli.main import cli
from ocrbatch.cli.recipes import resolve_recipe
from ocrbatch.plugin_system.host import Host

DOCUMENT = (Path(__file__).parents[2] / "docs" / "training.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(bash|yaml)\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
COMMANDS = [line for kind, block in BLOCKS if kind == "bash" for line in block.splitlines() if line.strip()]


@pytest.mark.parametrize("line", COMMANDS)
def test_every_option_exists(line: str) -> None:
    program, name, *arguments = shlex.split(line)
    assert program == "ocrbatch"
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    with command.make_context(name, arguments):
        pass


def test_the_recipe_for_fine_tuning_goes_with_the_default_recognizer(tmp_path: Path) -> None:
    (text,) = (block for kind, block in BLOCKS if kind == "yaml")
    recipe = tmp_path / "finetune.yml"
    recipe.write_text(text)
    options = dict.fromkeys(("algo", "backbone", "charset")) | dict.fromkeys(
        ("train_data", "val_data", "assignments"), ()
    )
    config = resolve_recipe(Host.load(), "rec", {**options, "recipe": recipe, "start_from": Path("rec")})
    assert config.model.algorithm.name == "crnn"
    assert config.train.steps == yaml.safe_load(text)["train"]["steps"]
    assert [dataset.weight for dataset in config.data.train] == [1.0, 0.05]
