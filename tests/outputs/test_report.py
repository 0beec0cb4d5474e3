from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from ocrbatch.cli.main import cli
from ocrbatch.data.images import stamp
from ocrbatch.errors import ExitCode
from ocrbatch.outputs.report import to_json
from ocrbatch.outputs.report_rows import BINS, bin_of
from ocrbatch.outputs.rows import to_batch
from ocrbatch.outputs.writers import writer_of
from ocrbatch.types import PageFailure, PageRef, PageResult, TextRegion, Word

VIEWER = Path(__file__).parents[2] / "ocrbatch/outputs/viewer"
NASTY = "</script><script>alert(1)</script><!-- <b onclick='x'>\u2028\x00 & \"'"


def box(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


def region(text: str, rec_score: float = 0.9, kept: bool = True, order: int = 0) -> TextRegion:
    points = box(10, 20 * order + 10, 90, 20 * order + 25)
    words = tuple(Word(part, points, rec_score) for part in text.split())
    return TextRegion(points, None, text, 0.8, rec_score, kept, order if kept else -1, order, 0, words)


def page(path: Path, *regions: TextRegion, page: int = 0, n_pages: int = 1) -> PageResult:
    """A white page of 100 x 80 pixels; its picture is written the first time."""
    if not path.exists():
        PIL.Image.new("RGB", (100, 80), "white").save(path)
    text = "\n".join(region.text for region in regions if region.kept)
    seconds = {"decode": 0.25, "detect": 0.5}
    return PageResult(PageRef(str(path), page, n_pages), stamp(path)[0], 100, 80, regions, text, (), seconds)


def results(path: Path, *outcomes: PageResult | PageFailure, rec_model: str | None = "rec@2") -> Path:
    writer_of(path.suffix[1:])(path, [to_batch(outcomes, "det@1", rec_model)], {})
    return path


def view(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["view", *map(str, arguments)])


class Report(HTMLParser):
    """What a browser makes of a report: its elements, and the content of its scripts by id or class."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = [("", {})]
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.styles: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        tag, attributes = self.tags[-1]
        if tag == "script" and data.strip():
            self.scripts.append((attributes, data))
        if tag == "style" and data.strip():
            self.styles.append(data)

    def block(self, identity: str) -> object:
        return next(json.loads(text) for attributes, text in self.scripts if attributes.get("id") == identity)

    def raw(self, identity: str) -> str | None:
        return next((text for attributes, text in self.scripts if attributes.get("id") == identity), None)

    @property
    def pages(self) -> list[dict[str, object]]:
        return [json.loads(text) for attributes, text in self.scripts if attributes.get("class") == "page"]


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl", ".json"])
def test_a_report_holds_pages_regions_pictures_and_figures(tmp_path: Path, suffix: str) -> None:
    good = page(tmp_path / "a.png", region("Größe 12 €"), region("noise", 0.2, kept=False, order=1))
    failed = PageFailure(PageRef("b.png"), "DamagedFile", "open", "It is damaged.")
    empty = page(tmp_path / "c.png")
    ended = view(results(tmp_path / f"r{suffix}", good, failed, empty), "--out", tmp_path / "r.html")
    assert (ended.exit_code, ended.stderr.split()[:3]) == (0, ["3", "pages", "into"])
    report = Report(tmp_path / "r.html")
    assert [(entry["status"], entry["regions"]) for entry in report.pages] == [("ok", 2), ("failed", 0), ("empty", 0)]
    first = report.pages[0]
    assert (first["text"], first["width"], first["score"], first["seconds"]) == ("Größe 12 €", 100, 0.9, 0.75)
    assert first["bins"] == (1 << 18) + (1 << 4)
    assert report.pages[1]["message"] == "It is damaged."
    whole, rejected = report.block("regions-0")
    assert whole[:6] == [[10, 10, 90, 25], "Größe 12 €", 0.8, 0.9, 1, 0]
    assert whole[6] == [[[10, 10, 90, 25], part, 0.9] for part in ("Größe", "12", "€")]
    assert rejected[1:5] == ["noise", 0.8, 0.2, 0]
    assert jpeg_size(report.raw("picture-0")) == (100, 80)
    assert jpeg_size(first["thumb"]) == (100, 80)
    summary = report.block("summary")
    assert summary["statuses"] == {"ok": 1, "empty": 1, "failed": 1}
    assert summary["reasons"] == {"DamagedFile": 1}
    assert (summary["seconds"]["detect"], summary["timed"]) == (1.0, 2)
    assert (summary["histogram"]["kept"][18], summary["histogram"]["rejected"][4]) == (1, 1)
    assert summary["models"] == ["det@1", "rec@2"]


def jpeg_size(data: object) -> tuple[int, int]:
    return PIL.Image.open(io.BytesIO(base64.b64decode(str(data)))).size


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    failed = PageFailure(PageRef(NASTY), NASTY, NASTY, NASTY)
    path = results(tmp_path / "<i>&.parquet", page(tmp_path / "a.png", region(NASTY)), failed)
    assert view(path, "--out", tmp_path / "r.html").exit_code == 0
    report = Report(tmp_path / "r.html")
    kinds = [attributes.get("type") for attributes, _ in report.scripts]
    assert kinds.count(None) == 1, "Only our own script may run"
    assert {tag for tag, _ in report.tags} & {"b", "i"} == set()
    assert report.pages[0]["text"] == report.pages[1]["source"] == NASTY
    assert report.block("regions-0")[0][1] == NASTY


@given(st.text(st.characters()))
def test_json_comes_back_and_holds_no_markup(text: str) -> None:
    written = to_json({"text": text})
    assert json.loads(written) == {"text": text}
    assert re.search("[<>&\u2028\u2029]", written) is None
    written.encode()


def test_only_what_the_policy_names_may_run(tmp_path: Path) -> None:
    view(results(tmp_path / "r.parquet", page(tmp_path / "a.png")), "--out", tmp_path / "r.html")
    report = Report(tmp_path / "r.html")
    (policy,) = [attributes["content"] for tag, attributes in report.tags if "http-equiv" in attributes]
    script = next(text for attributes, text in report.scripts if not attributes)
    for name, content in (("script-src", script), ("style-src", report.styles[0])):
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{name} 'sha256-{digest}';" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    attributes = {name for _, attributes in report.tags for name in attributes}
    assert [name for name in attributes if name in ("style", "src", "href") or name.startswith("on")] == []


def test_the_scripts_write_text_only() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in VIEWER.glob("*.js"))
    assert re.findall(r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|Function\(|fetch\(", code) == []
    assert set(re.findall(r"https?://[^\"'` ]+", code)) == {"http://www.w3.org/2000/svg"}
    assert f"const BINS = {BINS};" in code


def test_rows_of_the_list_are_as_high_in_both_places() -> None:
    (script,) = re.findall(r"const ROW = (\d+);", (VIEWER / "list.js").read_text())
    (style,) = re.findall(r"\.row \{[^}]*?height: (\d+)px", (VIEWER / "style.css").read_text())
    assert script == style


def test_pictures_are_capped_small_and_their_lack_is_told(tmp_path: Path) -> None:
    outcomes = [page(tmp_path / f"{name}.png", region(name)) for name in "abcd"]
    (tmp_path / "a.png").unlink()
    PIL.Image.new("RGB", (99, 80)).save(tmp_path / "b.png")
    path = results(tmp_path / "r.parquet", *outcomes)
    ended = view(path, "--out", tmp_path / "r.html", "--pictures", 1, "--side", 100)
    assert ended.exit_code == 0
    assert "a.png, page 1: no picture: Cannot open a.png" in ended.stderr
    assert "4 pages into" in ended.stderr
    report = Report(tmp_path / "r.html")
    assert [entry.get("missing", "")[:24] for entry in report.pages] == [
        *("Cannot open a.png: No su", f"{tmp_path}/b.png"[:24], "", "only 1 pages have one (-")
    ]
    assert [report.raw(f"picture-{number}") is not None for number in range(4)] == [False, False, True, False]
    assert report.block("regions-3")[0][1] == "d"


def test_pictures_may_have_moved_and_a_file_is_opened_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "moved"
    folder.mkdir()
    frames = [PIL.Image.new("RGB", (100, 80), color) for color in ("white", "red", "blue")]
    frames[0].save(folder / "p.tif", save_all=True, append_images=frames[1:])
    pages = [
        PageResult(PageRef("scans/p.tif", number, 3), stamp(folder / "p.tif")[0], 100, 80, ()) for number in range(3)
    ]
    opened: list[Path] = []
    monkeypatch.setattr("ocrbatch.outputs.page_pictures.stamp", lambda path: opened.append(path) or stamp(path))
    view(results(tmp_path / "r.parquet", *pages), "--out", tmp_path / "r.html", "--images", folder)
    assert opened == [folder / "p.tif"]
    report = Report(tmp_path / "r.html")
    colors = [np.asarray(PIL.Image.open(io.BytesIO(base64.b64decode(report.raw(f"picture-{n}"))))) for n in range(3)]
    assert [tuple(int(value) > 128 for value in picture[40, 50]) for picture in colors] == [
        *((True, True, True), (True, False, False), (False, False, True))
    ]


def test_figures_are_those_of_the_whole_run_whatever_is_shown(tmp_path: Path) -> None:
    outcomes = [page(tmp_path / "a.png", region("one"), page=number, n_pages=5) for number in range(5)]
    failed = PageFailure(PageRef("b.png"), "Timeout", "detect", "It took long.")
    path = results(tmp_path / "r.parquet", *outcomes, failed)
    view(path, "--out", tmp_path / "few.html", "--limit", 2)
    view(path, "--out", tmp_path / "failed.html", "--only", "failed")
    few, only = Report(tmp_path / "few.html"), Report(tmp_path / "failed.html")
    assert [entry["page"] for entry in few.pages] == [0, 1]
    assert [entry["source"] for entry in only.pages] == ["b.png"]
    for report, shown in ((few, 2), (only, 1)):
        summary = report.block("summary")
        assert (summary["pages"], summary["shown"], summary["statuses"]) == (6, shown, {"ok": 5, "failed": 1})
        assert sum(summary["histogram"]["kept"]) == 5


def test_without_a_recognizer_the_detectors_scores_count(tmp_path: Path) -> None:
    path = results(tmp_path / "r.parquet", page(tmp_path / "a.png", region("", 1.0)), rec_model=None)
    view(path, "--out", tmp_path / "r.html")
    summary = Report(tmp_path / "r.html").block("summary")
    assert (summary["scores"], summary["histogram"]["kept"][16]) == ("det", 1)


@pytest.mark.parametrize(
    "damage",
    [
        {"regions": [{}]},
        {"regions": "text"},
        {"regions": [{"points": [1, 2], "kept": True}]},
        {"regions": [None]},
        {"page": "x"},
        {"width": [1]},
        {"seconds_decode": "fast"},
        {"page": 1e400},
    ],
)
def test_damaged_rows_are_shown_as_such(tmp_path: Path, damage: dict[str, object]) -> None:
    rows = [{"source": "a.png", "status": "ok", **damage}, {"source": "b.png", "status": "empty"}]
    (tmp_path / "r.json").write_text(json.dumps(rows))
    assert view(tmp_path / "r.json", "--out", tmp_path / "r.html").exit_code == 0
    first, second = Report(tmp_path / "r.html").pages
    assert (first["source"], first["status"], first["kind"]) == ("a.png", "failed", "DamagedRow")
    assert second["status"] == "empty"


@given(st.floats())
def test_every_score_has_a_bin(score: float) -> None:
    assert 0 <= bin_of(score) < BINS


def test_bins_start_at_their_lower_end() -> None:
    assert [bin_of(score) for score in (0.0, 0.049, 0.05, 0.999, 1.0)] == [0, 0, 1, 19, 19]


def test_mistakes_end_in_a_sentence_and_an_exit_code(tmp_path: Path) -> None:
    source = results(tmp_path / "r.parquet", page(tmp_path / "a.png"))
    (tmp_path / "there.html").write_text("mine")
    for arguments, code, sentence in (
        ((tmp_path / "none.parquet", "--out", tmp_path / "x.html"), ExitCode.INPUT, "No such file"),
        ((tmp_path / "a.png", "--out", tmp_path / "x.html"), ExitCode.INPUT, "results end in .parquet"),
        ((source, "--out", tmp_path / "there.html"), ExitCode.OUTPUT, "--overwrite"),
        ((source, "--out", tmp_path / "no/x.html"), ExitCode.OUTPUT, "no folder"),
        ((source, "--out", tmp_path / "x.html", "--only", "bad"), ExitCode.USAGE, "'bad' is not one of"),
    ):
        ended = view(*arguments)
        assert (ended.exit_code, sentence in ended.output) == (code, True), ended.output
    assert (tmp_path / "there.html").read_text() == "mine"
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".html", ".parquet", ".png"]
    assert view(source, "--out", tmp_path / "there.html", "--overwrite", "-q").output == ""
