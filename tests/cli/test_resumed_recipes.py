"""What may stand beside --resume: what the run's recipe says too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from ocrbatch.bundles.store import default_bundle, read_info
from ocrbatch.cli.recipes import refuse_other_recipe, resume_recipe, trace_recipe
from ocrbatch.config.load import dump_yaml
from ocrbatch.errors import ConfigError, TrainingError
from ocrbatch.plugin_system.host import Host

NOTHING: dict[str, Any] = dict.fromkeys(("recipe", "algo", "backbone", "charset", "start_from")) | dict.fromkeys(
    ("train_data", "val_data", "assignments"), ()
)
RECIPE = {
    "charset": "en",
    "model": {"algorithm": {"name": "crnn", "label_smoothing": "1e-1"}, "backbone": "plain"},
    "data": {"val": ["held/out"]},
    "train": {"steps": 300},
}


@pytest.fixture(scope="module")
def host() -> Host:
    return Host.load()


@pytest.fixture
def begun(host: Host, tmp_path: Path) -> dict[str, Any]:
    """Options that a run in the folder ``run`` was begun with."""
    recipe = tmp_path / "my.yml"
    recipe.write_text(yaml.safe_dump(RECIPE))
    return begin(host, tmp_path / "run", recipe=recipe, train_data=("lines", "more"), assignments=("train.seed=3",))


def begin(host: Host, run: Path, **options: Any) -> dict[str, Any]:
    given = {**NOTHING, **options}
    run.mkdir()
    config = trace_recipe(host, "rec", given).config
    (run / "config.yml").write_text(dump_yaml(config.model_dump(mode="json")), encoding="utf-8")
    return given


def go_on(host: Host, run: Path, options: dict[str, Any]) -> None:
    refuse_other_recipe(host, resume_recipe(run, options["assignments"]).config, run, options)


def test_the_command_that_began_it_goes_on(host: Host, begun: dict[str, Any], tmp_path: Path) -> None:
    go_on(host, tmp_path / "run", begun)
    go_on(host, tmp_path / "run", {**begun, "assignments": ("train.steps=500", "model.algorithm.label_smoothing=0")})


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"train_data": ("lines", "more")},
        {"val_data": ("held/out",)},
        {"algo": "crnn", "backbone": "plain"},
        {"charset": "en"},
        {"assignments": ("train.steps=9",)},
    ],
)
def test_a_part_of_what_it_says_may_be_said_again(
    host: Host, begun: dict[str, Any], tmp_path: Path, options: dict[str, Any]
) -> None:
    assert begun
    go_on(host, tmp_path / "run", NOTHING | options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"train_data": ("lines",)}, r"--data says .*data\.train\.1\.path was more"),
        ({"val_data": ("other",)}, r"--val says .*data\.val\.0\.path was held/out, now other"),
        ({"algo": "rosetta", "backbone": "plain"}, r"--algo, --backbone say .*was crnn, now rosetta"),
        ({"backbone": "no_such"}, r"--backbone says .*was plain, now no_such"),
        ({"charset": "ascii"}, r"--charset says .*model\.charset"),
        ({"recipe": Path("rec_plain_bilstm_ctc")}, r"-c says .*leave out .*--resume"),
        ({"start_from": Path("rec")}, r"--from says"),
    ],
)
def test_anything_else_is_refused_by_name(
    host: Host, begun: dict[str, Any], tmp_path: Path, options: dict[str, Any], words: str
) -> None:
    assert begun
    with pytest.raises(ConfigError, match=words):
        go_on(host, tmp_path / "run", NOTHING | options)


def test_a_recipe_that_is_none_is_refused_as_such(host: Host, begun: dict[str, Any], tmp_path: Path) -> None:
    begun["recipe"].write_text("model: crnn")
    with pytest.raises(ConfigError, match=r"my\.yml.*model.*keys and values"):
        go_on(host, tmp_path / "run", begun)


def test_the_bundle_that_it_started_from(host: Host, tmp_path: Path) -> None:
    run = tmp_path / "run"
    given = begin(host, run, start_from=Path("rec"), train_data=("lines",))
    with pytest.raises(ConfigError, match="its weights are not from rec"):
        go_on(host, run, given)
    info = read_info(default_bundle("rec"))
    origin = {"name": info.name, "created": info.created.isoformat()}
    (run / "provenance.json").write_text(json.dumps({"started_from": origin}))
    go_on(host, run, given)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "model: a value is needed"),
        (b"model: [", "is not valid YAML"),
        (b"\xff\xfe", "it is not text in UTF-8"),
        (b"\0" * 100, "is not valid YAML"),
    ],
)
def test_a_damaged_recipe_is_named_with_what_to_do(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "config.yml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=rf"The recipe .*config\.yml cannot be used \({words}.*put back a copy"):
        resume_recipe(tmp_path, [])


def test_a_folder_without_a_recipe_holds_no_training(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="holds no training to go on with"):
        resume_recipe(tmp_path, [])
