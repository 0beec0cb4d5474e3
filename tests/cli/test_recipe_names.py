"""Recipes by name: what is listed, what is printed, and which commands take a name where a file is wanted."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ocrbatch.cli.main import cli
from ocrbatch.config.load import load_yaml
from ocrbatch.config.recipes import KINDS, load_recipe, recipes
from ocrbatch.errors import ConfigError, ExitCode

CONFIGS = Path(__file__).parents[2] / "configs"
FILES = {path.stem: path for path in CONFIGS.glob("*/*.yml")}


@pytest.fixture(autouse=True)
def somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to be in: no name means a file by chance."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(cli, list(arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return result


def test_all_recipes_are_listed_on_one_line_each() -> None:
    lines = run("config", "list").output.splitlines()
    rows = [line.split(maxsplit=2) for line in lines]
    assert {name: kind for name, kind, _ in rows} == {name: path.parent.name for name, path in FILES.items()}
    assert len(rows) == len(list(CONFIGS.glob("*/*")))
    for name, _, summary in rows:
        assert len(summary) > 10
        assert FILES[name].read_text(encoding="utf-8").splitlines()[0].lstrip("# ").startswith(summary[:40])
        assert not summary.endswith(".")


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_recipe_is_printed_as_it_is(name: str) -> None:
    assert run("config", "show", name).output == FILES[name].read_text(encoding="utf-8")


def test_a_name_stands_for_its_file_unless_there_is_such_a_file(somewhere: Path) -> None:
    plain = Path("det_plain_db")
    assert load_recipe(plain) == load_yaml(FILES["det_plain_db"])
    (somewhere / plain).mkdir()
    assert load_recipe(plain) == load_yaml(FILES["det_plain_db"]), "a run's folder hides no recipe"
    (somewhere / plain).rmdir()
    (somewhere / plain).write_text("train: {steps: 7}")
    assert load_recipe(plain) == {"train": {"steps": 7}}


def test_a_pipe_is_read() -> None:
    reader, writer = os.pipe()
    os.write(writer, b"train: {steps: 8}")
    os.close(writer)
    try:
        assert load_recipe(Path(f"/dev/fd/{reader}")) == {"train": {"steps": 8}}
    finally:
        os.close(reader)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("det_plain_bd", "did you mean 'det_plain_db'?"),
        ("configs/det/det_plain_db.yml", "did you mean 'det_plain_db'?"),
        ("nothing-like-it", "neither a file nor the name of a recipe for `train det` or `train rec`"),
        ("default", "neither a file nor the name of a recipe for `train det` or `train rec`"),
        (".", "neither a file nor the name of a recipe"),
    ],
)
@pytest.mark.parametrize("command", [("train", "det", "--data", "pages"), ("data", "check", ".", "--format", "labels")])
def test_what_is_neither_file_nor_name_gets_one_sentence(command: tuple[str, ...], given: str, words: str) -> None:
    Path("labels.jsonl").write_text('{"image": "a.png", "text": "a"}\n')
    result = run(*command, "-c", given)
    assert result.exit_code == ExitCode.CONFIG
    assert words in result.output
    assert "`ocrbatch config list`" in result.output
    assert len(result.output.splitlines()) == 1


def test_a_training_recipe_tells_a_run_nothing() -> None:
    Path("page.png").touch()
    result = run("run", "page.png", "--out", "results.jsonl", "-c", "det_plain_db")
    assert result.exit_code == ExitCode.CONFIG
    assert "neither a file nor the name of a recipe for `run`" in result.output


def test_a_recipe_to_show_that_is_not_there() -> None:
    result = run("config", "show", "det_r50_db")
    assert result.exit_code == ExitCode.CONFIG
    assert "did you mean 'det_r50_vd_db'?" in result.output


def test_a_recipe_for_another_task_is_refused_by_its_name() -> None:
    result = run("train", "det", "-c", "rec_plain_bilstm_ctc", "--data", "pages")
    assert result.exit_code == ExitCode.CONFIG
    assert result.output == "Error: The recipe is for 'rec', the command says 'det'.\n"


def test_data_view_takes_a_name() -> None:
    Path("labels.jsonl").write_text('{"image": "a.png", "text": "a"}\n')
    assert run("data", "view", ".", "--out", "a.html", "--augment", "rec_plain_bilstm_ctc").exit_code == ExitCode.OK
    refused = run("data", "view", ".", "--out", "b.html", "--augment", "det_plain_db")
    assert refused.exit_code == ExitCode.INPUT
    assert "det_plain_db is a recipe for 'det'" in refused.output


def test_a_run_takes_a_name() -> None:
    from ocrbatch.cli.run import _config

    nothing = dict.fromkeys(("det", "rec", "engine", "stages", "post", "dpi", "timeout")) | {"assignments": ()}
    assert _config(nothing | {"config": Path("default")}).tiles == _config(nothing | {"config": None}).tiles


def test_no_name_is_used_twice_and_none_looks_like_a_path() -> None:
    names = [recipe.name for recipe in recipes()]
    assert len(set(names)) == len(names) == len(FILES)
    assert all(name.isidentifier() for name in names)
    assert {recipe.kind for recipe in recipes()} == set(KINDS)


def test_without_recipes_every_name_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ocrbatch.config.recipes._folder", lambda: Path("nowhere"))
    assert recipes() == []
    with pytest.raises(ConfigError, match="neither a file nor the name"):
        load_recipe(Path("det_plain_db"))
