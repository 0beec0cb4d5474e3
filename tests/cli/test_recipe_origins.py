"""Where the values of a training's recipe come from: file, options, --set, the bundle to start from, or defaults."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ocrbatch.cli.recipes import resume_recipe, trace_recipe
from ocrbatch.config.load import dump_yaml
from ocrbatch.config.origins import origin_of
from ocrbatch.plugin_system.host import Host

Ask = Callable[[str], str]
GIVEN: dict[str, Any] = dict.fromkeys(("recipe", "algo", "backbone", "charset", "start_from")) | dict.fromkeys(
    ("train_data", "val_data", "assignments"), ()
)


@pytest.fixture(scope="module")
def host() -> Host:
    return Host.load()


def origins(host: Host, **options: Any) -> Ask:
    traced = trace_recipe(host, "rec", GIVEN | {"train_data": ("lines",)} | options)
    return lambda path: origin_of(path, traced.origins)


def test_a_recipe_options_and_assignments(host: Host) -> None:
    assignments = ("train.optimizer={learning_rate: 0.5}", "model.algorithm.max_length=7")
    ask = origins(host, recipe=Path("rec_plain_bilstm_ctc"), assignments=assignments, val_data=("v",))
    recipe, line = "rec_plain_bilstm_ctc", "--set"
    assert [ask(f"data.{key}") for key in ("train", "val", "keep")] == ["--data", "--val", "default"]
    assert [ask(f"train.{key}") for key in ("steps", "tensorboard", "optimizer.learning_rate")] == [
        recipe,
        "default",
        line,
    ]
    assert ask("train.optimizer.ema") == "default", "the assignment replaced all that the recipe says of the optimizer"
    assert ask("model.charset") == recipe
    assert ask("model.algorithm.name") == recipe
    assert ask("model.algorithm.max_length") == line


def test_the_charset_of_the_command_line(host: Host) -> None:
    assert origins(host, recipe=Path("rec_plain_bilstm_ctc"), charset="en")("model.charset") == "--charset"
    assert origins(host)("model.charset") == "default"


def test_characters_spelt_out_win_over_a_charset(host: Host, tmp_path: Path) -> None:
    recipe = tmp_path / "my.yml"
    recipe.write_text("model: {algorithm: rosetta, charset: abc}")
    traced = trace_recipe(host, "rec", GIVEN | {"recipe": recipe, "charset": "en", "train_data": ("lines",)})
    assert traced.config.model.charset == "abc"
    assert origin_of("model.charset", traced.origins) == str(recipe)
    assert origin_of("model.algorithm.name", traced.origins) == str(recipe)
    assert origin_of("model.backbone.name", traced.origins) == "default"


def test_a_bundle_to_start_from(host: Host, tmp_path: Path) -> None:
    recipe = tmp_path / "my.yml"
    recipe.write_text("model: {algorithm: {label_smoothing: 0.1}}")
    bundle = "--from rec"
    ask = origins(host, start_from=Path("rec"), recipe=recipe, backbone="plain")
    assert [ask(f"model.{key}") for key in ("algorithm.name", "algorithm.label_smoothing", "charset")] == [
        bundle,
        str(recipe),
        bundle,
    ]
    assert ask("model.backbone.name") == "--backbone"
    assert ask("model.backbone.norm_momentum") == "default", "a backbone that is named is not the bundle's"
    assert origins(host, start_from=Path("rec"))("model.backbone.norm_momentum") == bundle


def test_going_on(host: Host, tmp_path: Path) -> None:
    written = trace_recipe(host, "rec", GIVEN | {"train_data": ("lines",)}).config
    (tmp_path / "config.yml").write_text(dump_yaml(written.model_dump(mode="json")), encoding="utf-8")
    traced = resume_recipe(tmp_path, ["train.steps=9"])
    assert traced.config.train.steps == 9
    assert origin_of("train.steps", traced.origins) == "--set"
    assert origin_of("train.seed", traced.origins) == str(tmp_path / "config.yml")
