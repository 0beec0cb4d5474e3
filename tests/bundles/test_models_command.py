from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ocrbatch.bundles import store
from ocrbatch.bundles.format import GRAPH, WEIGHTS, BundleInfo
from ocrbatch.bundles.store import write_bundle
from ocrbatch.cli.main import cli
from ocrbatch.errors import ExitCode

FILES = {GRAPH: b"a graph", WEIGHTS: b"weights"}


@pytest.fixture
def shelf(tmp_path: Path, make_info: Callable[[str], BundleInfo], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A default detector, no default recognizer, and a folder with two bundles of one's own."""
    monkeypatch.setattr(store, "_DEFAULTS", tmp_path / "defaults")
    write_bundle(tmp_path / "defaults" / "det", make_info("det"), FILES)
    write_bundle(tmp_path / "mine" / "deep" / "lines.ocrb", make_info("rec"), FILES)
    write_bundle(tmp_path / "mine" / "pages", make_info("det"), FILES)
    (tmp_path / "mine" / "notes.txt").write_text("no bundle")
    return tmp_path


def models(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["models", *map(str, arguments)])


def test_list_shows_defaults_and_folders(shelf: Path) -> None:
    result = models("list", shelf / "mine")
    assert result.exit_code == 0
    assert [line.split()[:4] for line in result.stdout.splitlines()] == [
        ["name", "kind", "algorithm", "backbone"],
        ["det", "det", "db", "plain"],
        [str(shelf / "mine" / "deep" / "lines.ocrb"), "rec", "crnn", "plain"],
        [str(shelf / "mine" / "pages"), "det", "db", "plain"],
    ]


def test_list_as_json_names_what_is_damaged(shelf: Path) -> None:
    (shelf / "mine" / "pages" / "bundle.json").write_text("{")
    rows = json.loads(models("list", shelf / "mine", "--json").stdout)
    assert [row.get("kind") for row in rows] == ["det", "rec", None]
    assert rows[0]["score"] == 0.5
    assert "damaged" in rows[2]["error"]
    assert "unusable" in models("list", shelf / "mine").stdout


def test_show_prints_all_that_a_bundle_says(shelf: Path) -> None:
    shown = json.loads(models("show", shelf / "mine" / "deep" / "lines.ocrb").stdout)
    assert shown["spec"]["charset"] == "abc é€12"
    assert shown["files"][GRAPH]["size"] == len(FILES[GRAPH])
    assert json.loads(models("show", "det").stdout)["spec"]["task"] == "det"


def test_show_says_what_a_bundle_does_not(shelf: Path, make_info: Callable[[str], BundleInfo]) -> None:
    shown = json.loads(models("show", "det").stdout)
    assert (shown["metrics"], shown["licence"]) == ({"score": 0.5}, "not stated")
    info = make_info("rec").model_copy(update={"licence": "CC-BY-4.0", "metrics": {}})
    write_bundle(shelf / "mine" / "mean", info, FILES)
    shown = json.loads(models("show", shelf / "mine" / "mean").stdout)
    assert (shown["metrics"], shown["licence"]) == ("not measured", "CC-BY-4.0")


@pytest.mark.parametrize("licence", ["", " "])
def test_an_empty_licence_is_refused(tmp_path: Path, licence: str) -> None:
    result = CliRunner().invoke(cli, ["export", str(tmp_path), "--out", "x.ocrb", "--licence", licence])
    assert result.exit_code == ExitCode.USAGE
    assert "--licence is empty: give it a value" in result.stderr


def test_the_bundles_that_ship_state_their_licence_and_no_foreign_metrics() -> None:
    for kind in ("det", "rec"):
        shown = json.loads(models("show", kind).stdout)
        assert (shown["licence"], shown["metrics"]) == ("Apache-2.0", "not measured")
    assert models("verify", "det", "rec").exit_code == 0


def test_path_of_defaults(shelf: Path) -> None:
    assert models("path", "det").stdout.strip() == str(shelf / "defaults" / "det")
    result = models("path", "rec")
    assert result.exit_code == ExitCode.BUNDLE
    assert "no default recognizer" in result.stderr


def test_verify_names_every_damaged_file(shelf: Path) -> None:
    whole, broken = shelf / "mine" / "deep" / "lines.ocrb", shelf / "mine" / "pages"
    result = models("verify", whole, "det")
    assert result.exit_code == 0
    assert result.stdout.count("3 files are as they were exported") == 2
    for name in FILES:
        (broken / name).write_bytes(b"changed")
    result = models("verify", whole, broken)
    assert result.exit_code == ExitCode.BUNDLE
    assert all(name in result.stderr for name in FILES)


def test_listing_imports_nothing_heavy(shelf: Path) -> None:
    program = (
        "import sys; from ocrbatch.cli.main import cli\n"
        "cli(['models', 'list', sys.argv[1]], standalone_mode=False)\n"
        "print(sorted({'keras', 'tensorflow', 'onnx', 'onnxruntime'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", program, str(shelf / "mine")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
