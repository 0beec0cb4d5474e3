"""What users do wrong gets one sentence and an exit code."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from ocrbatch.cli.main import cli
from ocrbatch.errors import ExitCode

MakeFolder = Callable[[int, int], Path]
SMALL = ["--backbone", "plain", "--dry-run", "--charset", "en", "--set", "model.algorithm.max_length=8"]


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(cli, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return result.exit_code, result.output


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--set", "train.stesp=5"], ExitCode.CONFIG, ["train.stesp", "did you mean 'steps'"]),
        (["--set", "train.steps=-5"], ExitCode.CONFIG, ["train.steps", "greater than or equal to 1"]),
        (["--set", "data.val=null"], ExitCode.CONFIG, ["data.val: ", "not None"]),
        (["--set", "data.keep=3"], ExitCode.CONFIG, ["data.keep: ", "not 3"]),
        (["--set", "model=5"], ExitCode.CONFIG, ["model: should be keys and values, not 5."]),
        (["--set", "model.task=[1]"], ExitCode.CONFIG, ["model.task: should be det or rec, not [1]."]),
        (["--set", "model.algorithm=5"], ExitCode.CONFIG, ["model.algorithm: should be a name, or keys and values"]),
        (["--set", "data=5"], ExitCode.CONFIG, ["data: should be keys and values, not 5."]),
        (["--set", "charset=5"], ExitCode.CONFIG, ["charset: should be the name of a charset or of its file, not 5."]),
        (["--set", "augment=7"], ExitCode.CONFIG, ["augment: should be a list, not 7."]),
        (["--set", "train=x"], ExitCode.CONFIG, ["train: should be keys and values, not 'x'."]),
        (["--set", f"train.steps={'1' * 5000}"], ExitCode.CONFIG, ["train.steps: "]),
        (["--set", "augment=[blur]", "--set", "augment.²=5"], ExitCode.CONFIG, ["'²' is not a position in a list"]),
        (["--set", "novalue"], ExitCode.CONFIG, ["key.subkey=value"]),
        (["--set", "model.algorithm.hiden=8"], ExitCode.CONFIG, ["hiden", "did you mean 'hidden'"]),
        (["--algo", "crn"], ExitCode.PLUGIN, ["crn", "did you mean 'crnn'"]),
        (["--algo", "db"], ExitCode.PLUGIN, ["recognizer 'db'"]),
        (["--charset", "nowhere.txt"], ExitCode.CONFIG, ["nowhere.txt", "latin"]),
        (["--data", "nowhere"], ExitCode.INPUT, ["nowhere"]),
        (["--from", "nowhere.ocrb"], ExitCode.BUNDLE, ["nowhere.ocrb"]),
        (["-c", "nowhere.yml"], ExitCode.CONFIG, ["nowhere.yml"]),
        (["--resume", "--out", "nowhere"], ExitCode.TRAINING, ["nowhere"]),
    ],
)
def test_mistakes(
    digit_lines: MakeFolder,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    arguments: list[str],
    code: ExitCode,
    words: list[str],
) -> None:
    data = digit_lines(4, 9)
    monkeypatch.chdir(tmp_path)
    base = [a for a in SMALL if not (a in ("--charset", "en") and ("--charset" in arguments or "--from" in arguments))]
    given = [*base, *arguments] if "--data" in arguments else [*base, "--data", data, *arguments]
    got, said = run("train", "rec", *given)
    assert got == code, said
    assert all(word in said for word in words), said
    assert "Traceback" not in said


def test_without_data_there_is_nothing_to_train_on() -> None:
    code, said = run("train", "rec", *SMALL)
    assert code == ExitCode.CONFIG
    assert "--data" in said


def test_labels_that_cannot_be_learnt_are_reported_and_skipped_only_on_request(
    digit_lines: MakeFolder, tmp_path: Path
) -> None:
    data = digit_lines(6, 10)
    with (data / "labels.jsonl").open("a") as labels:
        for text in ("x€", "", "123456789", "1" * 8):
            labels.write(json.dumps({"image": "0.png", "text": text}) + "\n")
    listed = tmp_path / "bad.txt"
    options = [*SMALL, "--data", data, "--out", tmp_path, "--set", "model.algorithm.input.widths=[40]"]
    code, said = run("train", "rec", *options)
    assert code == ExitCode.INPUT
    for problem in ("4 samples", "'€'", "empty", "more than max_length = 8", "needs 15 output steps"):
        assert problem in said, said
    code, said = run("train", "rec", *options, "--skip-bad", listed)
    assert code == ExitCode.OK, said
    assert len(listed.read_text().splitlines()[1:]) == 4
    assert "Training samples: 5" in said


def test_labels_are_not_replaced_by_the_list_of_the_bad_ones(digit_lines: MakeFolder) -> None:
    labels = digit_lines(4, 11) / "labels.jsonl"
    before = labels.read_bytes()
    code, said = run("train", "rec", *SMALL, "--data", labels.parent, "--skip-bad", labels)
    assert code == ExitCode.OUTPUT, said
    assert f"{labels} is there already and is no list of bad samples" in said
    assert labels.read_bytes() == before
