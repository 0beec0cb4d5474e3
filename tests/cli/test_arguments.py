"""Values that no option takes: empty ones, and numbers that are none."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ocrbatch.cli.main import cli
from ocrbatch.errors import ExitCode


def ocrbatch(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


@pytest.mark.parametrize(
    "arguments",
    [
        *(("train", "rec", option) for option in ("--out", "--from", "--charset", "--data", "-c", "--algo", "--set")),
        *(("eval", "rec", "--data", "lines", option) for option in ("--bundle", "--json", "--worst", "--data")),
        *(("export", "runs/a", option) for option in ("--out", "--samples", "--licence")),
        *(("models", "import-paddle", "x", option) for option in ("--recipe", "--charset", "--out")),
        ("run", "scans", "--out"),
    ],
)
@pytest.mark.parametrize("value", ["", " "])
def test_an_empty_value_is_no_default(arguments: tuple[str, ...], value: str) -> None:
    result = ocrbatch(*arguments, value)
    assert result.exit_code == ExitCode.USAGE
    assert f"{arguments[-1]} is empty" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("train", "rec", "--out="), "--out is empty"),
        (("models", "show", ""), "An argument is empty"),
        (("models", "verify", "det", ""), "An argument is empty"),
        (("--disable-plugin", "", "models", "list"), "--disable-plugin is empty"),
    ],
)
def test_other_ways_to_give_nothing(arguments: tuple[str, ...], words: str) -> None:
    result = ocrbatch(*arguments)
    assert result.exit_code == ExitCode.USAGE
    assert words in result.stderr


def test_a_setting_may_be_empty(tmp_path: Path) -> None:
    result = ocrbatch("train", "rec", "--data", str(tmp_path), "--set=train.steps=")
    assert result.exit_code == ExitCode.CONFIG, "it is the recipe that says what may be empty"
    assert "train.steps" in result.stderr


@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "1e400"])
@pytest.mark.parametrize(
    "arguments",
    [
        ("train", "rec", "--max-minutes"),
        ("export", ".", "--out", "x.ocrb", "--tolerance"),
        ("models", "import-paddle", __file__, "--recipe", "det_mv3_db", "--out", "x.ocrb", "--tolerance"),
    ],
)
def test_a_number_that_is_none_is_refused(arguments: tuple[str, ...], number: str) -> None:
    result = ocrbatch(*arguments, number)
    assert result.exit_code == ExitCode.USAGE
    assert f"Invalid value for '{arguments[-1]}'" in result.stderr
