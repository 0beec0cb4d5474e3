"""`ocrbatch eval` with models whose answers are known beforehand."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image
from pipeline_doubles import write_page

from ocrbatch.cli.main import cli
from ocrbatch.errors import ExitCode

Eval = Callable[..., Result]
GROWTH = 9
BARS = ((20, 20, 80, 16), (20, 80, 80, 16))


@pytest.fixture
def evaluate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Eval:
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(cli, ["eval", *arguments, "--threads", "1"])


def lines(folder: str, *texts: str) -> str:
    Path(folder).mkdir()
    with Path(folder, "labels.jsonl").open("w", encoding="utf-8") as labels:
        for number, text in enumerate(texts):
            Image.fromarray(np.full((32, 90, 3), 90, np.uint8)).save(Path(folder, f"{number}.png"))
            labels.write(json.dumps({"image": f"{number}.png", "text": text}) + "\n")
    return folder


def pages(folder: str, *texts: str | None) -> str:
    """One page with two dark bars of which as many are labelled as there are texts, and one that is empty. Labels are
    wider than the bars: the detector lets its outlines grow, as for a network that finds the cores of lines."""
    write_page(Path(folder, "bars.png"), *BARS)
    write_page(Path(folder, "empty.png"))
    regions = []
    for (left, top, width, height), text in zip(BARS, texts, strict=False):
        x0, y0, x1, y1 = left - GROWTH, top - GROWTH, left + width + GROWTH, top + height + GROWTH
        corners = [[x0, y0], [x1, y0], [x1, y1], [x0, y1]]
        regions.append({"points": corners, "text": text})
    with Path(folder, "labels.jsonl").open("w", encoding="utf-8") as labels:
        for image, some in (("bars.png", regions), ("empty.png", [])):
            labels.write(json.dumps({"image": image, "regions": some}) + "\n")
    return folder


def results(path: str = "scores.json") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
    return found


def test_every_protocol_of_a_recognizer(evaluate: Eval, bundles: dict[str, str]) -> None:
    data = lines("lines", "ab 12", "AB 12", "ab12")
    done = evaluate("rec", "--bundle", bundles["rec"], "--data", data, "--json", "scores.json")
    assert done.exit_code == 0, done.output
    record = results()
    assert record["samples"] == {"lines": 3}
    assert record["models"][0].startswith("always@")
    found = record["results"]["lines"]
    assert found.pop("space-f1") == {
        "space_precision": pytest.approx(2 / 3),
        "space_recall": 1.0,
        "space_f1": pytest.approx(4 / 5),
    }
    assert {name: next(iter(figures.values())) for name, figures in found.items()} == {
        "exact": pytest.approx(1 / 3),
        "case-insensitive": pytest.approx(2 / 3),
        "alphanumeric": pytest.approx(1),
        "one-minus-ned": pytest.approx((1 + 3 / 5 + 4 / 5) / 3),
        "cer": pytest.approx(3 / 14),
        "wer": pytest.approx(3 / 5),
    }
    for row in ("exact", "accuracy_case_insensitive", "0.2143", "0.6000", "space_f1"):
        assert row in done.stdout


def test_data_sets_apart_and_together(evaluate: Eval, bundles: dict[str, str]) -> None:
    sets = [lines("good", "ab 12", "ab 12"), lines("bad", "zz")]
    options = [option for folder in sets for option in ("--data", folder)]
    done = evaluate("rec", "--bundle", bundles["rec"], *options, "--protocol", "exact", "--json", "new/scores.json")
    assert done.exit_code == 0, done.output
    accuracy = {name: figures["exact"]["accuracy"] for name, figures in results("new/scores.json")["results"].items()}
    assert accuracy == {"good": 1.0, "bad": 0.0, "all": pytest.approx(2 / 3), "mean": 0.5}
    assert done.stdout.splitlines()[0].split() == ["protocol", "figure", "good", "bad", "all", "mean"]
    assert "cer" not in done.stdout


def test_data_sets_called_like_the_columns_of_all_together(evaluate: Eval, bundles: dict[str, str]) -> None:
    sets = [lines("all", "ab 12"), lines("mean", "zz"), "./all", "mean/"]
    options = [option for folder in sets for option in ("--data", folder)]
    done = evaluate("rec", "--bundle", bundles["rec"], *options, "--protocol", "exact", "--json", "scores.json")
    assert done.exit_code == 0, done.output
    record = results()
    accuracy = {name: figures["exact"]["accuracy"] for name, figures in record["results"].items()}
    assert accuracy == {"./all": 1.0, "./mean": 0.0, "all": 0.5, "mean": 0.5}
    assert record["samples"] == {"./all": 1, "./mean": 1}


def test_columns_of_long_names_stay_apart(evaluate: Eval, bundles: dict[str, str]) -> None:
    ending = "/a-rather-long-name-of-a-folder"
    for folder in ("one", "two"):
        Path(folder).mkdir()
    sets = [lines("one" + ending, "ab 12"), lines("two" + ending, "zz")]
    options = [option for folder in sets for option in ("--data", folder)]
    done = evaluate("rec", "--bundle", bundles["rec"], *options, "--protocol", "exact")
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[0].split() == ["protocol", "figure", *sets, "all", "mean"]


def test_a_detector(evaluate: Eval, bundles: dict[str, str]) -> None:
    data = pages("pages", "ab 12", "x")
    done = evaluate("det", "--bundle", bundles["det"], "--data", data, "--json", "scores.json")
    assert done.exit_code == 0, done.output
    found = results()["results"]["pages"]
    assert found["icdar2015"] == {"precision": 1.0, "recall": 1.0, "hmean": 1.0}
    assert found["doctr"]["hmean"] == 1.0
    assert 0.5 < found["doctr"]["mean_iou"] <= 1
    assert found["deteval"] == found["deteval-totaltext"] == {"precision": 1.0, "recall": 1.0, "hmean": 1.0}


def test_detection_at_score_thresholds(evaluate: Eval, bundles: dict[str, str]) -> None:
    data = pages("pages", "ab 12")
    left, top, width, height = BARS[1]
    with Image.open("pages/bars.png") as picture:
        picture.paste((80, 80, 80), (left, top, left + width, top + height))  # a doubtful one, which nobody labelled
        picture.save("pages/bars.png")
    options = ("--protocol", "icdar2015-sweep", "--json", "scores.json", "--worst", "worst", "--count", "1")
    done = evaluate("det", "--bundle", bundles["det"], "--data", data, *options)
    assert done.exit_code == 0, done.output
    assert results()["results"]["pages"]["icdar2015-sweep"] == {
        **{f"hmean_0.{tenth}": pytest.approx(2 / 3) for tenth in (3, 4, 5, 6)},
        **{f"hmean_0.{tenth}": 1.0 for tenth in (7, 8, 9)},
        **{"best_threshold": 0.7, "best_precision": 1.0, "best_recall": 1.0, "best_hmean": 1.0},
    }
    assert [line.split()[1] for line in done.stdout.splitlines()[1:12]] == [
        *(f"hmean_0.{tenth}" for tenth in range(3, 10)),
        *("best_threshold", "best_precision", "best_recall", "best_hmean"),
    ]
    assert len(list(Path("worst").iterdir())) == 1


def test_both_together(evaluate: Eval, bundles: dict[str, str]) -> None:
    data = pages("pages", "ab 12", "AB 99")
    done = evaluate("e2e", "--det", bundles["det"], "--rec", bundles["rec"], "--data", data, "--json", "scores.json")
    assert done.exit_code == 0, done.output
    found = results()["results"]["pages"]
    assert found["doctr"]["hmean"] == 1.0
    assert found["doctr"]["exact_hmean"] == 0.5
    assert found["icdar"]["hmean"] == 0.5
    assert found["word-spotting"] == {"precision": 0.0, "recall": 0.0, "hmean": 0.0}  # no label is a word
    assert "word-spotting     precision" in done.stdout
    assert found["sroie"] == {"precision": 0.75, "recall": 0.75, "f1": 0.75}


def test_regions_that_nobody_could_read_count_neither_way(evaluate: Eval, bundles: dict[str, str]) -> None:
    data = pages("pages", "ab 12", None)
    done = evaluate("e2e", "--det", bundles["det"], "--rec", bundles["rec"], "--data", data, "--json", "scores.json")
    assert done.exit_code == 0, done.output
    found = results()["results"]["pages"]
    assert [
        found[name][figure] for name, figure in (("doctr", "exact_hmean"), ("icdar", "hmean"), ("sroie", "f1"))
    ] == [1.0] * 3


def test_the_worst_are_drawn_first(evaluate: Eval, bundles: dict[str, str]) -> None:
    data = lines("lines", "ab 12", "unlike", "ab 13")
    done = evaluate("rec", "--bundle", bundles["rec"], "--data", data, "--worst", "worst", "--count", "2")
    assert done.exit_code == 0, done.output
    assert [path.name for path in sorted(Path("worst").iterdir())] == ["0001_0.000_1.png", "0002_0.800_2.png"]
    with Image.open("worst/0001_0.000_1.png") as picture:
        assert picture.height > 64


def test_the_worst_pages_are_drawn(evaluate: Eval, bundles: dict[str, str]) -> None:
    data = pages("pages", "ab 12")
    done = evaluate("det", "--bundle", bundles["det"], "--data", data, "--worst", "worst", "--count", "1")
    assert done.exit_code == 0, done.output
    assert [path.name for path in Path("worst").iterdir()] == ["0001_0.667_bars.png"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("rec", "--data", "lines", "--protocol", "exakt"), ExitCode.USAGE, "did you mean 'exact'"),
        (("det", "--data", "lines", "--protocol", "sroie"), ExitCode.USAGE, "icdar2015-sweep, doctr"),
        (("rec", "--data", "nowhere"), ExitCode.INPUT, "nowhere"),
        (("rec", "--data", "lines", "--bundle", "nowhere.ocrb"), ExitCode.BUNDLE, "nowhere.ocrb"),
        (("e2e", "--data", "lines", "--bundle", "x"), ExitCode.USAGE, "--det and --rec"),
        (("rec", "--data", "lines", "--det", "x"), ExitCode.USAGE, "--bundle"),
        (("rec",), ExitCode.USAGE, "--data"),
    ],
)
def test_mistakes(evaluate: Eval, arguments: tuple[str, ...], code: ExitCode, words: str) -> None:
    lines("lines", "ab 12")
    done = evaluate(*arguments)
    assert done.exit_code == code, done.output
    assert words in done.output.replace("\n", " ")
    assert "Traceback" not in done.output


def test_figures_replace_no_labels_but_older_figures(evaluate: Eval, bundles: dict[str, str]) -> None:
    data = lines("lines", "ab 12")
    options = ("rec", "--bundle", bundles["rec"], "--data", data, "--protocol", "exact", "--json")
    for _ in range(2):
        assert evaluate(*options, "scores.json").exit_code == 0
    labels = Path(data, "labels.jsonl")
    before = labels.read_bytes()
    done = evaluate(*options, str(labels))
    assert done.exit_code == ExitCode.OUTPUT
    assert f"{labels} is there already and is no report of `ocrbatch eval`" in done.output
    assert labels.read_bytes() == before


def test_threads_have_a_limit(bundles: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    options = ["eval", "rec", "--bundle", bundles["rec"], "--data", lines("lines", "ab 12"), "--threads", "1" * 23]
    done = CliRunner().invoke(cli, options)
    assert done.exit_code == 0, done.output
