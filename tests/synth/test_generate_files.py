"""The data set on disk: order, determinism, going on, errors."""

from __future__ import annotations

import json
import multiprocessing
import operator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from ocrbatch.charset import Charset, load_charset
from ocrbatch.cli.main import cli
from ocrbatch.data.labels import read_lines, read_pages
from ocrbatch.data.synth.fonts import FontBook
from ocrbatch.data.synth.generate import generate
from ocrbatch.data.synth.makers import LineMaker
from ocrbatch.data.synth.text import TextSource
from ocrbatch.errors import ExitCode, InputError, OutputError


@dataclass(frozen=True)
class Grey:
    """Tiny pictures that tell their random numbers; fails at every picture that is darker than ``least``."""

    least: int = 0

    def __call__(self, rng: np.random.Generator) -> tuple[np.ndarray, dict[str, Any]]:
        value = int(rng.integers(10, 240))
        if value < self.least:
            raise InputError(f"{value} is too dark")
        return np.full((4, 6), value, np.uint8), {"text": str(value)}


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def _rows(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "labels.jsonl").read_text(encoding="utf-8").splitlines()]


def test_rows_are_in_order_and_match_their_pictures(tmp_path: Path) -> None:
    seen: list[int] = []
    generate(Grey(), tmp_path / "out", count=7, seed=3, on_item=seen.append)
    assert seen == [1, 2, 3, 4, 5, 6, 7]
    for number, row in enumerate(_rows(tmp_path / "out")):
        assert Path(row["image"]).stem == f"{number:06d}"
        picture = cv2.imread(str(tmp_path / "out" / row["image"]), cv2.IMREAD_GRAYSCALE)
        assert picture.shape == (row["height"], row["width"]) == (4, 6)
        assert picture.mean() == pytest.approx(int(row["text"]), abs=2)


@pytest.fixture
def maker(book: FontBook, source: TextSource) -> LineMaker:
    return LineMaker(source, book, load_charset("ascii"))


def test_workers_do_not_change_the_result(tmp_path: Path, maker: LineMaker) -> None:
    for name, workers in (("one", 1), ("three", 3)):
        generate(maker, tmp_path / name, count=8, seed=3, workers=workers)
    assert _files(tmp_path / "one") == _files(tmp_path / "three")


def test_another_seed_gives_other_pictures(tmp_path: Path) -> None:
    for seed in (1, 2):
        generate(Grey(), tmp_path / str(seed), count=8, seed=seed)
    assert [row["text"] for row in _rows(tmp_path / "1")] != [row["text"] for row in _rows(tmp_path / "2")]


@pytest.mark.parametrize("cut", [0, 1, 40, 75])
def test_an_interrupted_set_is_gone_on_with(tmp_path: Path, cut: int) -> None:
    generate(Grey(), tmp_path / "whole", count=6, seed=3)
    generate(Grey(), tmp_path / "part", count=6, seed=3)
    labels = tmp_path / "part" / "labels.jsonl"
    labels.write_bytes(labels.read_bytes()[: len(labels.read_bytes()) * cut // 100])
    generate(Grey(), tmp_path / "part", count=6, seed=3)
    assert _files(tmp_path / "part") == _files(tmp_path / "whole")


def test_a_set_grows_when_more_is_asked_for(tmp_path: Path) -> None:
    generate(Grey(), tmp_path / "whole", count=9, seed=3)
    for count in (4, 9):
        generate(Grey(), tmp_path / "part", count=count, seed=3)
    assert _files(tmp_path / "part") == _files(tmp_path / "whole")


def test_another_set_is_not_mixed_in(tmp_path: Path) -> None:
    generate(Grey(), tmp_path / "out", count=2, seed=3)
    before = _files(tmp_path / "out")
    with pytest.raises(OutputError, match="another seed"):
        generate(Grey(), tmp_path / "out", count=2, seed=4)
    with pytest.raises(OutputError, match="another charset"):
        generate(Grey(), tmp_path / "out", count=2, seed=3, about={"charset": "en"})
    assert _files(tmp_path / "out") == before


def test_a_folder_with_other_things_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(OutputError, match="not an empty folder"):
        generate(Grey(), tmp_path, count=2, seed=3)
    with pytest.raises(OutputError, match="not an empty folder"):
        generate(Grey(), tmp_path / "thesis.txt", count=2, seed=3)


def test_an_error_of_the_maker_reaches_the_caller(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="too dark"):
        generate(Grey(least=100), tmp_path / "out", count=60, seed=3)


def test_an_error_in_a_worker_reaches_the_caller(tmp_path: Path, source: TextSource, book: FontBook) -> None:
    with pytest.raises(InputError, match="No font covers"):
        generate(LineMaker(source, book, Charset("漢字")), tmp_path / "out", count=4, seed=3, workers=2)


def test_a_surprise_in_a_worker_is_told_too(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"Item 0 cannot be made: TypeError: .*Generator"):
        generate(operator.index, tmp_path / "out", count=4, seed=3, workers=2)  # type: ignore[arg-type]


def test_an_interrupt_leaves_whole_rows_and_no_workers(tmp_path: Path, maker: LineMaker) -> None:
    def stop(number: int) -> None:
        if number == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate(maker, tmp_path / "out", count=500, seed=3, workers=2, on_item=stop)
    assert not multiprocessing.active_children()
    assert len(_rows(tmp_path / "out")) == 3
    generate(maker, tmp_path / "out", count=5, seed=3)
    assert len(_rows(tmp_path / "out")) == 5


@pytest.fixture
def arguments(font_folder: Path, tmp_path: Path) -> list[str]:
    text = tmp_path / "text.txt"
    text.write_text("The quick brown fox\njumps over the lazy dog.\n", encoding="utf-8")
    return ["--fonts", str(font_folder), "--text", str(text), "--workers", "1"]


def test_the_command_writes_lines_that_training_reads(arguments: list[str], tmp_path: Path) -> None:
    out = tmp_path / "out"
    call = ["data", "synth", "rec", *arguments, "--charset", "ascii", "--count", "12", "--out", str(out)]
    result = CliRunner().invoke(cli, call)
    assert result.exit_code == 0, result.output
    assert len(read_lines(out)) == 12
    facts = json.loads((out / "synth.json").read_text(encoding="utf-8"))
    assert (facts["seed"], facts["count"], facts["charset"]) == (0, 12, "ascii")
    assert {row["family"] for row in facts["fonts"]} == {"Capitals", "No At", "Whole"}
    assert all(row["licence"] for row in facts["fonts"])


def test_the_command_writes_pages_that_training_reads(arguments: list[str], tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = CliRunner().invoke(cli, ["data", "synth", "det", *arguments, "--count", "1", "--out", str(out)])
    assert result.exit_code == 0, result.output
    page = read_pages(out)[0]
    assert page.image.is_file()
    assert page.regions
    assert all(region.points.shape == (4, 2) and region.text for region in page.regions)


def test_the_command_says_in_one_sentence_what_is_wrong(arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    for wrong, code in (
        (["--fonts", str(tmp_path / "nothing"), *arguments[2:], "--out", str(tmp_path / "a")], ExitCode.INPUT),
        ([*arguments, "--out", str(tmp_path)], ExitCode.OUTPUT),
        ([*arguments, "--out", str(tmp_path / "b"), "--charset", "klingon"], ExitCode.CONFIG),
        ([*arguments, "--out", str(tmp_path / "c"), "--backgrounds", str(tmp_path / "nothing")], ExitCode.INPUT),
    ):
        result = CliRunner().invoke(cli, ["data", "synth", "rec", *wrong, "--count", "3"])
        assert result.exit_code == code, result.output
        assert "Error: " in result.output
        assert "Traceback" not in result.output


@pytest.mark.parametrize(("what", "needed"), [("rec", "fonts, and a charset, that have"), ("det", "fonts that have")])
def test_text_that_cannot_be_drawn_is_told(arguments: list[str], tmp_path: Path, what: str, needed: str) -> None:
    text = Path(arguments[3])
    call = ["data", "synth", what, *arguments, "--count", "1", "--out"]
    text.write_text("Привет мир\n", encoding="utf-8")
    result = CliRunner().invoke(cli, [*call, str(tmp_path / "none")])
    assert result.exit_code == ExitCode.INPUT, result.output
    assert f"None of the 2 words can be drawn, such as 'Привет': give {needed} its letters." in result.output
    assert not (tmp_path / "none").exists()
    text.write_text("Привет two words\n", encoding="utf-8")
    result = CliRunner().invoke(cli, [*call, str(tmp_path / "some")])
    assert result.exit_code == 0, result.output
    assert "Left out: 1 of 3 words that cannot be drawn, such as 'Привет'." in result.output


def test_words_are_those_of_the_charset(arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / "charset.txt").write_text("\n".join("abcdefghijklmnopqrstuvwxyz ".replace("q", "")))
    call = ["data", "synth", "rec", *arguments, "--count", "1", "--charset", str(tmp_path / "charset.txt")]
    result = CliRunner().invoke(cli, [*call, "--out", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    assert "Left out: 1 of 9 words that cannot be drawn, such as 'quick'." in result.output


def test_pages_of_endless_words_come_to_an_end(arguments: list[str], tmp_path: Path) -> None:
    words = [letter * 5000 for letter in "abcde"]
    Path(arguments[3]).write_text(" ".join(words) + "\n" + "\n".join(words))
    result = CliRunner().invoke(
        cli, ["data", "synth", "det", *arguments, "--count", "1", "--seed", "3", "--out", str(tmp_path / "out")]
    )
    assert result.exit_code == 0, result.output
    assert "Cut: 5 of 5 words" in result.output


@pytest.mark.parametrize("record", ["", "[1]", "{", "[" * 100_000])
def test_a_record_that_is_none_is_told(tmp_path: Path, record: str) -> None:
    (tmp_path / "synth.json").write_text(record)
    (tmp_path / "labels.jsonl").write_text("mine")
    with pytest.raises(OutputError, match=r"synth\.json is damaged or not of"):
        generate(Grey(), tmp_path, count=2, seed=3)
    assert (tmp_path / "labels.jsonl").read_text() == "mine"
    assert (tmp_path / "synth.json").read_text() == record


def test_folders_are_made_as_they_are_needed(tmp_path: Path) -> None:
    def stop(number: int) -> None:
        if number == 1001:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate(Grey(), tmp_path / "out", count=10**9, seed=3, on_item=stop)
    assert sorted(path.name for path in (tmp_path / "out" / "images").iterdir()) == ["000", "001"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["images", "labels.jsonl", "synth.json"]


def test_numbers_of_many_digits(arguments: list[str], tmp_path: Path) -> None:
    call = ["data", "synth", "rec", *arguments, "--charset", "ascii", "--out", str(tmp_path / "out")]
    assert CliRunner().invoke(cli, [*call, "--count", "1" * 23]).exit_code == ExitCode.USAGE
    assert CliRunner().invoke(cli, [*call, "--count", "1", "--seed", "1" * 23]).exit_code == 0
