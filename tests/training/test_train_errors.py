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
    assert len(listed.read_text().splitlines()) == 4
    assert "Training samples: 5" in said
