"""``ocrbatch data convert|check|stats|view`` as users call them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from ocrbatch.cli.main import cli
from ocrbatch.data.labels import read_lines, read_pages
from ocrbatch.errors import ExitCode
from ocrbatch.outputs.rows import to_batch
from ocrbatch.outputs.writers import writer_of
from ocrbatch.types import PageFailure, PageRef, PageResult, TextRegion

QUAD = [[10, 5], [70, 5], [70, 25], [10, 25]]
Write = Callable[[Path, list[dict[str, Any]]], Path]


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(cli, ["data", *(str(argument) for argument in arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    assert "Traceback" not in result.output
    return result.exit_code, result.output


def draw(path: Path, seed: int, height: int = 40, width: int = 100) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8))
    return path


def labelled(folder: Path, records: list[dict[str, Any]]) -> Path:
    """A folder with labels.jsonl; pictures that are not there are drawn, each of its own content."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, record in enumerate(records):
        name = record.setdefault("image", f"{number}.png")
        if not (folder / name).exists() and not name.startswith("missing"):
            draw(folder / name, sum(map(ord, str(folder.name) + name)))
    (folder / "labels.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    return folder


def page(*regions: dict[str, Any]) -> dict[str, Any]:
    return {"regions": [{"points": QUAD, **region} for region in regions]}


def test_sound_data_pass(tmp_path: Path) -> None:
    code, said = run("check", labelled(tmp_path / "pages", [page({"text": "a"}), page()]))
    assert (code, said.strip().splitlines()[-1]) == (ExitCode.OK, "2 pages in train: no problems, 0 warnings.")


def test_every_problem_of_lines_is_found(tmp_path: Path) -> None:
    records = [
        {"text": "fine"},
        {"text": ""},
        {"text": "5 € and €"},
        {"text": "x" * 50},
        {"text": "a" * 14},
        {"text": "gone", "image": "missing.png"},
        {"text": "wrong size", "width": 7, "height": 9},
        {"text": "not fine", "image": "0.png"},
        {"text": "no picture at all", "image": "broken.png"},
        {"text": "  "},
    ]
    data = tmp_path / "lines"
    data.mkdir()
    (data / "broken.png").write_bytes(b"\x89PNG and no more")
    labelled(data, records)
    with (data / "labels.jsonl").open("a") as labels:
        labels.write("0.png some text\n")
    val = labelled(tmp_path / "val", [{"text": "fine"}, {"text": "good"}])
    (val / "0.png").write_bytes((data / "0.png").read_bytes())
    report = tmp_path / "report.json"
    code, said = run(
        "check", data, "--val", val, "--charset", "ascii", "--max-length", 40, "--json", report,
        "--skip-bad", tmp_path / "bad.txt",
    )  # fmt: skip
    assert code == ExitCode.INPUT
    found = json.loads(report.read_text())
    assert found["samples"] == {"train": 11, "val": 2}
    assert found["unknown_characters"] == {"€": 2}
    reasons = {(problem["kind"], Path(problem["where"]).name) for problem in found["problems"]}
    assert {
        ("empty label", "1.png"),
        ("empty label", "9.png"),
        ("character that the charset lacks", "2.png"),
        ("more characters than max_length", "3.png"),
        ("more output steps needed than there are", "3.png"),
        ("more output steps needed than there are", "4.png"),
        ("picture that cannot be read", "missing.png"),
        ("picture that cannot be read", "broken.png"),
        ("other size than labelled", "6.png"),
        ("same picture, other label", "0.png"),
        ("label that cannot be understood", "labels.jsonl, line 11"),
        ("validation picture that is trained on", "0.png"),
    } == reasons
    assert "'€' (U+20AC) 2" in said
    assert "a space stands where the TAB should be" in said
    first, *listed = (tmp_path / "bad.txt").read_text().splitlines()
    assert first == "# bad sample found by ocrbatch\treason"
    assert len(listed) == len(found["problems"])


def test_every_problem_of_pages_is_found(tmp_path: Path) -> None:
    away = [[200, 5], [270, 5], [270, 25], [200, 25]]
    crossed = [[10, 5], [70, 25], [70, 5], [10, 30]]
    beyond = [[-9, 5], [70, 5], [70, 25], [-9, 25]]
    records = [
        page({"points": [[3, 3], [50, 3], [50, 3], [3, 3]]}),
        page({"points": away}),
        page({"points": crossed}),
        page({"points": beyond}),
        {**page({}), "image": "same.png"},
        {**page({}), "image": "same.png"},
    ]
    report = tmp_path / "report.json"
    code, _ = run("check", labelled(tmp_path / "pages", records), "--json", report)
    assert code == ExitCode.INPUT
    kinds = [(problem["kind"], problem["warning"]) for problem in json.loads(report.read_text())["problems"]]
    assert kinds == [
        ("outline without area", False),
        ("outline outside the picture", False),
        ("outline that crosses itself", False),
        ("outline that sticks out of the picture", True),
        ("same picture, same label", True),
    ]


def found_in(data: Path, *options: object) -> list[tuple[str, str, bool]]:
    """Kind, picture and whether it is a warning, of all problems that ``data check`` finds."""
    report = data / "report.json"
    run("check", data, "--json", report, *options)
    problems = json.loads(report.read_text())["problems"]
    return [(problem["kind"], Path(problem["where"]).name, problem["warning"]) for problem in problems]


def test_slips_in_texts_are_found(tmp_path: Path) -> None:
    control, invisible = ("control character in a label", False), ("invisible character in a label", True)
    spaces = ("space at an edge or doubled", True)
    slips = {
        "a\tb": [control], "a\nb": [control], "bell \x07": [control], "a\u2028b": [control], "a\u200bb": [invisible],
        "\ufeffab": [invisible], "a\tb\u200b": [control, invisible], " a": [spaces], "a\u3000": [spaces],
        "a  b": [spaces], "a \xa0b": [spaces], "  a": [spaces, spaces], "\u200b\x07": [("empty label", False)],
        "a b c": [], "می\u200cخواهم": [],
    }  # fmt: skip
    lines = labelled(tmp_path / "lines", [{"text": text} for text in slips])
    expected = [(kind, f"{n}.png", warns) for n, found in enumerate(slips.values()) for kind, warns in found]
    assert found_in(lines) == expected
    del slips["\u200b\x07"]  # regions need no text
    pages = labelled(tmp_path / "pages", [page({"text": text}, {"text": text, "ignore": True}) for text in slips])
    expected = [(kind, f"{n}.png", warns) for n, found in enumerate(slips.values()) for kind, warns in found]
    assert found_in(pages) == expected


def test_a_charset_that_lists_an_invisible_character_means_it(tmp_path: Path) -> None:
    lines = labelled(tmp_path / "lines", [{"text": "a\u200bb"}, {"text": "a\u200eb"}])
    (tmp_path / "charset.txt").write_text("a\nb\n\u200b\n", "utf-8")
    assert found_in(lines, "--charset", tmp_path / "charset.txt") == [
        ("invisible character in a label", "1.png", True),
        ("character that the charset lacks", "1.png", False),
    ]


def test_what_the_picture_shows_is_told(tmp_path: Path) -> None:
    data = labelled(tmp_path / "lines", [{"text": "one"}, {"text": "two"}, {"text": "fine"}])
    cv2.imwrite(str(data / "0.png"), np.full((20, 60, 3), 255, np.uint8))
    (data / "1.png").write_bytes((data / "1.png").read_bytes()[:-300])
    kinds = [("picture of a single colour", "0.png", True), ("picture that is damaged", "1.png", False)]
    assert found_in(data) == kinds
    blank = labelled(tmp_path / "pages", [page(), page({})])
    for number in range(2):
        cv2.imwrite(str(blank / f"{number}.png"), np.full((40, 100 + number, 3), 255, np.uint8))
    assert found_in(blank) == [("picture of a single colour", "1.png", True)], "a blank page without text is fine"


def test_outlines_of_many_corners_may_cross_a_little_only(tmp_path: Path) -> None:
    bent = [[10, 5], [40, 8], [70, 5], [70, 25], [40, 28], [10, 25]]
    swapped = [bent[n] for n in (0, 1, 2, 5, 4, 3)]
    knot = [[10, 5], [70, 5], [70, 25], [40, 25], [41, 26], [41, 24], [40, 25.5], [10, 25]]
    spike = [[10, 5], [40, 5], [40, 2], [40, 5], [70, 5], [70, 25], [10, 25]]
    line = [[10, 5], [20, 10], [30, 15], [40, 20], [50, 25]]
    away = [[x + 200, y] for x, y in knot]
    outlines = [bent, swapped, knot, spike, line, away]
    data = labelled(tmp_path / "pages", [page({"points": points}) for points in outlines])
    assert found_in(data) == [
        ("outline that crosses itself", "1.png", False),
        ("outline that crosses itself a little", "2.png", True),
        ("outline that crosses itself a little", "3.png", True),
        ("outline without area", "4.png", False),
        ("outline that crosses itself a little", "5.png", True),
        ("outline outside the picture", "5.png", False),
    ]


def test_the_algorithm_says_what_it_accepts(tmp_path: Path) -> None:
    data = labelled(tmp_path / "lines", [{"text": "a" * 13}, {"text": "b" * 26}])
    code, said = run("check", data, "--algo", "crnn", "--charset", "en")
    assert code == ExitCode.INPUT
    assert "more than max_length = 25" in said
    assert "needs 51 output steps, a picture of this width has 25" in said
    code, said = run("check", data, "--algo", "crnn", "--charset", "en", "--max-length", 30, "--stride", 1)
    assert code == ExitCode.OK, said
    code, said = run("check", data, "--algo", "rare", "--charset", "en", "--max-length", 30)
    assert code == ExitCode.OK, f"attention is not bound to the width: {said}"


def test_mixed_kinds_are_refused(tmp_path: Path) -> None:
    lines, pages = labelled(tmp_path / "lines", [{"text": "a"}]), labelled(tmp_path / "pages", [page()])
    assert run("check", lines, "--val", pages)[0] == ExitCode.INPUT
    assert run("convert", lines, tmp_path / "out", "--to", "icdar")[0] == ExitCode.INPUT
    assert run("convert", lines, pages, "--to", "labels")[0] == ExitCode.OUTPUT
    assert not (tmp_path / "out").exists()


def test_pages_travel_through_every_format(tmp_path: Path) -> None:
    data = labelled(tmp_path / "pages", [page({"text": "a, b"}, {"text": None, "ignore": True}), page()])
    previous = data
    for to in ("icdar", "paddle", "mmocr", "labels"):
        code, said = run("convert", previous, tmp_path / to, "--to", to)
        assert code == ExitCode.OK, said
        previous = tmp_path / to
    texts = [[(region.text, region.ignore) for region in label.regions] for label in read_pages(previous)]
    assert texts == [[("a, b", False), (None, True)], []]
    assert all(label.image.is_file() for label in read_pages(previous))


def test_equal_names_and_repeated_pictures_get_files_of_their_own(tmp_path: Path) -> None:
    names = ["x/1.png", "y/1.png", "1.jpg", "x/1.png"]
    records = [{**page({"text": text}), "image": name} for text, name in zip("abcd", names, strict=True)]
    data = labelled(tmp_path / "pages", records)
    code, said = run("convert", data, tmp_path / "out", "--to", "icdar")
    assert code == ExitCode.OK, said
    assert sorted(label.regions[0].text or "" for label in read_pages(tmp_path / "out")) == ["a", "b", "c", "d"]
    code, _ = run("convert", data, tmp_path / "copied", "--to", "labels", "--copy")
    copies = [label.image for label in read_pages(tmp_path / "copied")]
    assert len(set(copies)) == 3
    assert all(copy.parent == tmp_path / "copied" / "images" for copy in copies)


def test_losses_are_counted_and_left_out_labels_named(tmp_path: Path) -> None:
    data = labelled(tmp_path / "lines", [{"text": "a\tb", "level": "line"}, {"text": "fine"}])
    code, said = run("convert", data, tmp_path / "out", "--to", "paddle")
    assert code == ExitCode.PARTIAL
    assert "Left out: 1" in said
    assert "texts that hold a TAB" in said
    assert "the key 'level', 1 times" in said
    assert [label.text for label in read_lines(tmp_path / "out")] == ["fine"]


def test_a_database_and_back(tmp_path: Path) -> None:
    data = labelled(tmp_path / "lines", [{"text": "one"}, {"text": "zwei ö"}, {"text": "x", "image": "missing.png"}])
    assert run("convert", data, tmp_path / "db", "--to", "lmdb")[0] == ExitCode.PARTIAL
    assert run("convert", tmp_path / "db", tmp_path / "back", "--to", "labels")[0] == ExitCode.OK
    assert [label.text for label in read_lines(tmp_path / "back")] == ["one", "zwei ö"]
    assert run("check", tmp_path / "back")[0] == ExitCode.OK
    assert run("check", tmp_path / "db") == (ExitCode.OK, "2 lines in train: no problems, 0 warnings.\n")
    assert run("stats", tmp_path / "db")[0] == ExitCode.OK
    assert run("view", tmp_path / "db", "--out", tmp_path / "db.html")[0] == ExitCode.OK
    assert run("convert", tmp_path / "back", tmp_path / "folder", "--to", "folder")[0] == ExitCode.OK
    assert sorted(label.text for label in read_lines(tmp_path / "folder")) == ["one", "zwei ö"]


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl", ".json"])
def test_results_become_labels_to_correct(tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import Image

    from ocrbatch.data.images import stamp

    monkeypatch.chdir(tmp_path)
    picture = draw(tmp_path / "a.png", 1)
    frames = [Image.fromarray(np.full((40, 100, 3), shade, np.uint8)) for shade in (90, 160)]
    frames[0].save("b.tif", save_all=True, append_images=frames[1:])
    quad = np.array(QUAD, np.float32)
    regions = (TextRegion(quad, text="Invoice"), TextRegion(quad + 3, text="noise", kept=False))
    outcomes = [
        PageResult(PageRef("a.png"), stamp(picture)[0], 100, 40, regions),
        PageResult(PageRef("b.tif", 1, 2), stamp(Path("b.tif"))[0], 100, 40, regions),
        PageResult(PageRef("a.png"), "another file's", 100, 40, regions),
        PageFailure(PageRef("c.png"), "DamagedFile", "decode", "c.png is broken."),
    ]
    results = tmp_path / f"results{suffix}"
    writer_of(results.suffix[1:])(results, [to_batch(outcomes)], {})
    code, said = run("convert", results, "out", "--to", "labels", "--copy", "--crops")
    assert code == ExitCode.PARTIAL
    assert "a.png has changed since" in said
    assert "c.png, page 1 could not be read: c.png is broken" in said
    pages = read_pages("out")
    assert [[(region.text, region.ignore) for region in label.regions] for label in pages] == [
        [("Invoice", False), ("noise", True)]
    ] * 2
    assert cv2.imread(str(pages[1].image))[20, 50].tolist() == [160] * 3
    lines = read_lines("out/lines")
    assert [(label.text, label.size) for label in lines] == [("Invoice", (20, 60))] * 2
    assert run("check", "out/lines")[0] == ExitCode.OK


def test_stats(tmp_path: Path) -> None:
    data = labelled(tmp_path / "pages", [page({"text": "a b"}, {"ignore": True}), page()])
    code, said = run("stats", data, "--json", tmp_path / "stats.json")
    assert code == ExitCode.OK
    found = json.loads((tmp_path / "stats.json").read_text())
    assert found["counts"]["pages"] == 2
    assert found["counts"]["regions"] == 2
    assert found["counts"]["pages without regions"] == 1
    assert found["quantiles"]["region height"]["median"] == 20
    assert found["quantiles"]["picture width"]["max"] == 100
    assert found["characters"] == {"a": 1, " ": 1, "b": 1}
    assert "U+0020:1" in said


def test_a_view_is_one_file_that_needs_nothing_else(tmp_path: Path) -> None:
    data = labelled(tmp_path / "lines", [{"text": "<b>&"}, {"text": " edge"}, {"text": "x", "image": "missing.png"}])
    code, said = run("view", data, "--out", tmp_path / "v.html", "--variants", 2)
    assert code == ExitCode.OK, said
    text = (tmp_path / "v.html").read_text()
    assert text.count("data:image/jpeg;base64,") == 6
    assert "&lt;b&gt;&amp;" in text
    assert "<mark> </mark>edge" in text
    assert "Cannot read the picture" in text
    assert "http" not in text
    recipe = tmp_path / "recipe.yml"
    recipe.write_text("model: {task: det}\ntrain: {crop_size: 64}\naugment: [{name: invert, chance: 1}]\n")
    code, said = run("view", data, "--out", tmp_path / "v.html", "--augment", recipe)
    assert code == ExitCode.INPUT
    pages = labelled(tmp_path / "pages", [page({"text": "a"}, {"ignore": True})])
    code, said = run("view", pages, "--out", tmp_path / "p.html", "--augment", recipe, "--variants", 1)
    assert code == ExitCode.OK, said
    assert (tmp_path / "p.html").read_text().count("<img") == 2


def test_data_without_labels_are_an_error(tmp_path: Path) -> None:
    empty = tmp_path / "labels.jsonl"
    empty.write_text("\n")
    assert run("check", empty) == (ExitCode.INPUT, f"Error: {empty} holds no label: there is nothing to check.\n")
    assert run("convert", empty, tmp_path / "out", "--to", "paddle")[0] == ExitCode.INPUT
    assert run("check", tmp_path / "nowhere")[0] == ExitCode.INPUT


REPORTS = (("check", "--json"), ("check", "--skip-bad"), ("stats", "--json"), ("view", "--out"))


@pytest.mark.parametrize(("command", "option"), REPORTS)
def test_a_report_replaces_nothing_but_its_like(tmp_path: Path, command: str, option: str) -> None:
    data = labelled(tmp_path / "lines", [{"text": "a"}, {"text": ""}])
    (tmp_path / "link.txt").symlink_to(data / "labels.jsonl")
    (tmp_path / "notes.json").write_text('{"thesis": 1}\n')
    report = tmp_path / "report"
    needed = ["--out", tmp_path / "page.html"] if (command, option) == ("view", "--json") else []
    for _ in range(2):
        code, said = run(command, data, option, report, *needed)
        assert code == (ExitCode.INPUT if command == "check" else ExitCode.OK), said
    theirs = (data / "labels.jsonl", data / "0.png", tmp_path / "link.txt", tmp_path / "notes.json")
    before = [path.read_bytes() for path in theirs]
    for path in theirs:
        code, said = run(command, data, option, path)
        assert code == ExitCode.OUTPUT
        assert f"{path} is there already and is no " in said
        assert f"choose another {option}." in said
    assert [path.read_bytes() for path in theirs] == before
    other = next(pair for pair in REPORTS if pair != (command, option))
    assert run(other[0], data, other[1], report)[0] == ExitCode.OUTPUT, "one report is no other"


def test_a_report_may_go_where_nothing_is_lost(tmp_path: Path) -> None:
    data = labelled(tmp_path / "lines", [{"text": "a"}])
    (tmp_path / "empty").touch()
    assert run("check", data, "--skip-bad", tmp_path / "empty", "--json", "/dev/null")[0] == ExitCode.OK
    assert (tmp_path / "empty").read_text() == "# bad sample found by ocrbatch\treason\n"


def test_a_name_that_is_not_utf_8_is_told_and_left_out_only_where_it_cannot_stand(tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff")
    (tmp_path / "data").mkdir()
    draw(tmp_path / "fine.png", 1).rename(tmp_path / "data" / f"{name}.png")
    (tmp_path / "data" / f"{name}.gt.txt").write_text("a\u200e\n")
    draw(tmp_path / "data" / "lone.png", 2).rename(tmp_path / "data" / f"lone{name}.png")
    code, said = run("check", tmp_path / "data", "--json", tmp_path / "j", "--skip-bad", tmp_path / "b")
    assert (code, "lone\\udcff.png" in said) == (ExitCode.INPUT, True), said
    assert "lone\\udcff.png" in (tmp_path / "b").read_text("utf-8")
    assert json.loads((tmp_path / "j").read_text("utf-8"))["problems"][0]["where"].endswith(f"{name}.png")
    assert run("view", tmp_path / "data", "--out", tmp_path / "v.html")[0] == ExitCode.OK
    for to, ways in (("labels", [()]), ("paddle", [(), ("--copy",)]), ("mmocr", [()])):
        for way in ways:
            code, said = run("convert", tmp_path / "data", tmp_path / f"{to}{len(way)}", "--to", to, *way)
            assert code == ExitCode.PARTIAL
            assert "its name is not UTF-8" in said
    run("convert", tmp_path / "data", tmp_path / "folder", "--to", "folder")
    assert [label.text for label in read_lines(tmp_path / "folder")] == ["a\u200e"]


def test_variants_have_a_limit(tmp_path: Path) -> None:
    data = labelled(tmp_path / "lines", [{"text": "a"}])
    assert run("view", data, "--out", tmp_path / "v.html", "--variants", 10**22)[0] == ExitCode.USAGE
    assert run("view", data, "--out", tmp_path / "v.html", "--count", 10**22)[0] == ExitCode.OK


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        ("model: 5", ".model: should be keys and values, not 5."),
        ("model: {task: [1]}", ".model.task: should be det or rec, not [1]."),
        ("model: {algorithm: 5}", ".model.algorithm: should be a name, or keys and values, not 5."),
        ("augment: 7", ".augment: should be a list, not 7."),
        ("augment: {name: blur}", ".augment: should be a list"),
        ("augment: [7]", "augment.0: "),
        ("train: x", ".train: should be keys and values, not 'x'."),
        ("train: {scale: [2, 1]}", "train.scale: must ascend, not [2, 1]."),
        ("train: {scale: [1, .inf]}", "train.scale.1: should be less than or equal to 100, not inf."),
        ("data: 5", ".data: should be keys and values, not 5."),
        ("charset: [a]", ".charset: should be the name of a charset or of its file, not ['a']."),
        ("charset: 2026-99-99", "is not valid YAML: month must be in 1..12"),
        ("model: " + "[" * 3000, "is not valid YAML: it is nested too deeply."),
    ],
)
def test_a_recipe_of_wrong_types_names_the_key(tmp_path: Path, recipe: str, words: str) -> None:
    data = labelled(tmp_path / "pages", [page({"text": "a"})])
    path = tmp_path / "recipe.yml"
    path.write_text(recipe)
    code, said = run("view", data, "--out", tmp_path / "v.html", "--augment", path)
    assert code == ExitCode.CONFIG, said
    assert words in said
