from __future__ import annotations

import errno
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

import cv2
import numpy as np
import PIL.Image
import pyarrow.parquet as pq
import pypdfium2 as pdfium
import pytest
from click.testing import CliRunner, Result
from pipeline_doubles import page, write_page, write_tiff

from ocrbatch import Chain
from ocrbatch.cli.main import cli
from ocrbatch.cli.run_report import open_watch
from ocrbatch.config.load import load_yaml
from ocrbatch.config.run import RunConfig
from ocrbatch.config.values import validate
from ocrbatch.errors import BundleError, ExitCode
from ocrbatch.outputs.writers import CONFIG_KEY
from ocrbatch.pipeline.local_workers import LocalWorkers
from ocrbatch.pipeline.preparation import prepare
from ocrbatch.pipeline.process import build_processor
from ocrbatch.plugin_system.host import Host
from ocrbatch_post_text.config import ScoreFilterConfig

Run = Callable[..., Result]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def run(bundles: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command in an empty folder with two pages, in one worker."""
    monkeypatch.chdir(tmp_path)
    write_page(Path("in/a.png"), (10, 10, 60, 12), (10, 60, 60, 12))
    write_page(Path("in/b.png"))

    def call(*arguments: str) -> Result:
        models = ["--det", bundles["det"], "--rec", bundles["rec"]]
        return CliRunner().invoke(cli, ["run", *models, "--workers", "1", *arguments])

    return call


def rows(name: str = "r.jsonl") -> list[dict]:
    return [json.loads(line) for line in Path(name).read_text(encoding="utf-8").splitlines()]


def test_from_a_folder_to_rows(run: Run) -> None:
    result = run("in", "--out", "r.jsonl", "--log-file", "run.log")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == ""
    full, empty = rows()
    assert (full["source"], full["status"], full["text"]) == ("in/a.png", "ok", "ab 12\n\nab 12")
    assert [region["order"] for region in full["regions"]] == [0, 1]
    assert [word["text"] for word in full["regions"][0]["words"]] == ["ab", "12"]
    assert (empty["source"], empty["status"]) == ("in/b.png", "empty")
    assert full["det_model"].startswith("dark@")
    assert "1 worker of" in result.stderr
    assert "Wrote 2 pages to r.jsonl" in result.stderr
    assert "1 ok, 1 empty, 0 failed" in result.stderr
    assert "time by stage: decode" in result.stderr
    assert "Wrote 2 pages" in Path("run.log").read_text()
    again = run("in", "--out", "r.jsonl")
    assert again.exit_code == 0
    assert "Nothing to do: r.jsonl has all 2 pages already" in again.stderr


def test_a_log_is_closed_at_the_end(tmp_path: Path) -> None:
    with open_watch(quiet=True, log_file=tmp_path / "run.log") as watch:
        watch.log("once")
    with pytest.raises(ValueError, match="closed"):
        watch.log("twice")


def test_the_resolved_settings_are_in_the_parquet_file(run: Run) -> None:
    assert run("in", "--out", "r.parquet", "--quiet", "--dpi", "150", "--post", "none").exit_code == 0
    settings = json.loads(pq.read_metadata("r.parquet").metadata[CONFIG_KEY.encode()])["settings"]
    assert (settings["dpi"], settings["post"]) == (150, [])
    assert (settings["engine"]["name"], settings["engine"]["optimization"]) == ("onnxruntime", "all")
    assert len(settings["det"]["bundle"]) == 64
    assert settings["det"]["box_thresh"] == 0.6
    assert settings["plugins"] == {}


def test_spelling_a_default_out_changes_nothing(run: Run) -> None:
    assert run("in", "--out", "r.jsonl").exit_code == 0
    again = run("in", "--out", "r.jsonl", "-c", str(ROOT / "configs/run/default.yml"), "--set", "post.1.columns=true")
    assert (again.exit_code, "Nothing to do" in again.stderr) == (0, True), again.stderr


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ("ocrbatch.pipeline.batch.__version__", "ocrbatch was "),
        ("ocrbatch_post_text.config.ScoreFilterConfig", "post.0.rec_score was 0.65, now 0.99"),
    ],
)
def test_other_software_does_not_go_on_with_a_run(
    run: Run, monkeypatch: pytest.MonkeyPatch, changed: str, message: str
) -> None:
    assert run("in", "--out", "r.jsonl").exit_code == 0
    before = rows()

    class Stricter(ScoreFilterConfig):
        rec_score: float = 0.99

    monkeypatch.setattr(changed, "9.0" if changed.endswith("version__") else Stricter)
    result = run("in", "--out", "r.jsonl")
    assert (result.exit_code, message in result.stderr) == (ExitCode.OUTPUT, True), result.stderr
    assert rows() == before


def test_other_words_in_the_same_file_do_not_go_on_with_a_run(run: Run) -> None:
    read = ["in", "--out", "r.jsonl", "--set", "rec.lexicon=words.txt"]
    Path("words.txt").write_text("first\n")
    assert run(*read).exit_code == 0
    assert "Nothing to do" in run(*read).stderr
    Path("words.txt").write_text("second\n")
    result = run(*read)
    assert (result.exit_code, "rec.lexicon_sha256 was " in result.stderr) == (ExitCode.OUTPUT, True), result.stderr


def test_a_missing_file_of_words_is_told_before_anything_is_read(run: Run) -> None:
    result = run("in", "--out", "r.jsonl", "--set", "rec.lexicon=gone.txt")
    assert (result.exit_code, "gone.txt" in result.stderr) == (ExitCode.CONFIG, True)
    assert "Reading into" not in result.stderr


def test_a_start_that_failed_binds_no_other_to_its_settings(run: Run) -> None:
    failed = run("in", "--out", "r.jsonl", "--set", "engine.providers=[NoSuchProvider]")
    assert (failed.exit_code, "NoSuchProvider" in failed.stderr) == (ExitCode.CONFIG, True)
    assert run("in", "--out", "r.jsonl").exit_code == 0


def test_naming_the_engine_of_the_file_keeps_its_options(run: Run) -> None:
    Path("mine.yml").write_text("engine: {name: onnxruntime, optimization: basic}\n")
    assert run("in", "--out", "r.parquet", "-c", "mine.yml", "--engine", "onnxruntime").exit_code == 0
    settings = json.loads(pq.read_metadata("r.parquet").metadata[CONFIG_KEY.encode()])["settings"]
    assert settings["engine"]["optimization"] == "basic"


def test_no_more_workers_start_than_there_are_pages(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = []
    begin = LocalWorkers._begin
    monkeypatch.setattr(LocalWorkers, "_begin", lambda self: begun.append(1) or begin(self))
    assert run("in", "--out", "r.jsonl", "--workers", "4").exit_code == 0
    assert (len(rows()), len(begun)) == (2, 2)


def test_quiet_says_nothing(run: Run) -> None:
    result = run("in", "--out", "r.jsonl", "--quiet")
    assert (result.exit_code, result.output) == (0, "")


def test_failed_pages_give_exit_code_10_and_advice(run: Run) -> None:
    Path("in/zero.png").write_bytes(b"")
    result = run("in", "--out", "r.json")
    assert result.exit_code == 10
    assert "1 page EmptyFile: they have no content" in result.stderr
    assert "--retry-failed" in result.stderr
    assert [row["status"] for row in json.loads(Path("r.json").read_text())] == ["ok", "empty", "failed"]


def test_options_reach_their_places(run: Run) -> None:
    run("in", "--out", "strict.jsonl", "--post", "score_filter:rec_score=0.95,det_score=0.1", "--post", "reading_order")
    assert [row["status"] for row in rows("strict.jsonl")] == ["empty", "empty"]
    assert [region["kept"] for region in rows("strict.jsonl")[0]["regions"]] == [False, False]
    Path("mine.yml").write_text("post: [{name: score_filter, rec_score: 0.95}]\ndpi: 100\n")
    run("in", "--out", "file.jsonl", "-c", "mine.yml", "--set", "post.0.rec_score=0.5", "--include", "a.*")
    assert [row["status"] for row in rows("file.jsonl")] == ["ok"]
    run("in", "--out", "thresh.jsonl", "--set", "det.box_thresh=0.99")
    assert [row["status"] for row in rows("thresh.jsonl")] == ["empty", "empty"]


def test_stages_alone(run: Run) -> None:
    assert run("in", "--out", "det.jsonl", "--stages", "det").exit_code == 0
    first = rows("det.jsonl")[0]
    assert (len(first["regions"]), first["text"], first["rec_model"], first["status"]) == (2, "", None, "ok")
    assert run("in", "--out", "rec.jsonl", "--stages", "rec").exit_code == 0
    assert [(row["text"], len(row["regions"]), row["det_model"]) for row in rows("rec.jsonl")] == [
        ("ab 12", 1, None)
    ] * 2


def test_lists_of_files(run: Run) -> None:
    Path("list.txt").write_text("in/b.png\r\n\nin/gone.png\n")
    result = run("--files-from", "list.txt", "--out", "r.jsonl")
    assert result.exit_code == 10
    assert [(row["source"], row["error_kind"]) for row in rows()] == [
        ("in/b.png", None),
        ("in/gone.png", "MissingFile"),
    ]


def test_pages_are_drawn_into_the_default_folder(run: Run) -> None:
    assert run("in", "--out", "r.jsonl", "--visualize").exit_code == 0
    assert sorted(path.name for path in Path("inference_results").iterdir()) == ["a.png.jpg", "b.png.jpg"]
    assert run(".", "--out", "all.jsonl", "--visualize").exit_code == 0
    assert len(rows("all.jsonl")) == 2


@pytest.mark.usefixtures("run")
def test_pictures_keep_their_colours_and_change_no_row() -> None:
    page = np.full((300, 400, 3), 255, np.uint8)
    page[200:280, 40:120] = (220, 30, 30)
    cv2.putText(page, "Total 12.50", (40, 100), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (20, 20, 120), 2)
    Path("gray").mkdir()
    PIL.Image.fromarray(page).save("gray/page.jpg", quality=95)
    tables = []
    for more in ([], ["--visualize", "drawn"]):
        result = CliRunner().invoke(cli, ["run", "gray", "--out", f"{len(more)}.jsonl", "--workers", "1", *more])
        assert result.exit_code == 0, result.output
        tables.append([{k: v for k, v in row.items() if "seconds" not in k} for row in rows(f"{len(more)}.jsonl")])
    assert tables[0] == tables[1]
    drawn = np.asarray(PIL.Image.open("drawn/page.jpg.jpg"))
    assert np.abs(drawn[240, 80].astype(int) - (220, 30, 30)).max() < 30


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["gone", "--out", "r.jsonl"], 5, "no file or folder gone"),
        (["--out", "r.jsonl"], 5, "Nothing to read"),
        (["in", "--out", "r.xls"], 6, ".parquet"),
        (["in", "--out", "nowhere/r.json"], 6, "no folder"),
        (["in", "--out", "r.jsonl", "--det", "gone.ocrb"], 7, "no bundle at gone.ocrb"),
        (["in", "--out", "r.jsonl", "--post", "reading_ordre"], 3, "did you mean 'reading_order'"),
        (["in", "--out", "r.jsonl", "--post", "score_filter:rec=1"], 4, "rec"),
        (["in", "--out", "r.jsonl", "--post", "score_filter:rec_score"], 4, "key=value"),
        (["in", "--out", "r.jsonl", "--set", "dpii=3"], 4, "did you mean 'dpi'"),
        (["in", "--out", "r.jsonl", "--rec", "rec", "--set", "rec.lexicon=gone.txt"], 4, "one word a line"),
        (["in", "--out", "r.jsonl", "--stages", "rec,det"], 4, "stages"),
        (["in", "--out", "r.jsonl", "--files-from", "gone.txt"], 5, "Cannot read the list"),
        (["in", "--out", "r.jsonl", "--include", "*.xyz"], 5, "Nothing to read"),
    ],
)
def test_mistakes_are_one_sentence(run: Run, arguments: list[str], code: int, words: str) -> None:
    result = run(*arguments)
    assert (result.exit_code, words in result.stderr) == (code, True), result.stderr
    assert "Traceback" not in result.stderr


def test_detector_and_recognizer_are_not_mixed_up(bundles: dict[str, str], run: Run) -> None:
    result = run("in", "--out", "r.jsonl", "--det", bundles["rec"])
    assert result.exit_code == 7
    assert "a detector is needed" in result.stderr


def test_ctrl_c_keeps_what_was_read_and_says_how_to_go_on(bundles: dict[str, str], tmp_path: Path) -> None:
    write_tiff(tmp_path / "many.tif", 100)
    command = [sys.executable, "-m", "ocrbatch", "run", "many.tif", "--out", "r.parquet", "--workers", "1"]
    command += ["--det", bundles["det"], "--rec", bundles["rec"], "--set", "unit_pages=2"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True)
    segment = tmp_path / "r.parquet.journal" / "000001.segment"
    while process.poll() is None and not (segment.exists() and segment.stat().st_size > 2000):
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "are kept in r.parquet.journal" in said
    assert "Start the same command again to go on" in said
    assert not (tmp_path / "r.parquet").exists()
    assert subprocess.run(command, cwd=tmp_path, check=False, capture_output=True).returncode == 0
    assert pq.read_table(tmp_path / "r.parquet")["page"].to_pylist() == list(range(100))


def test_the_python_door_reads_as_the_command_does(bundles: dict[str, str], run: Run) -> None:
    run("in", "--out", "r.jsonl")
    chain = Chain.load(det=bundles["det"], rec=bundles["rec"], threads=1)
    result = chain.read("in/a.png")
    assert result.text == rows()[0]["text"]
    for region, row in zip(result.regions, rows()[0]["regions"], strict=True):
        assert region.points.ravel().tolist() == pytest.approx(row["points"], abs=1e-3)
    assert Chain.load(det=bundles["det"], rec=bundles["rec"], stages=["det"]).read(page((9, 9, 50, 9))).text == ""


def test_the_recipe_says_what_the_defaults_are() -> None:
    recipe = validate(RunConfig, load_yaml(ROOT / "configs/run/default.yml"))
    host = Host.load(environ={})
    for choice, default in zip(recipe.post, RunConfig().post, strict=True):
        plugin = host.postprocessor(choice.name)
        assert host.config(plugin, choice.options) == host.config(plugin, default.options)
    assert recipe.model_copy(update={"post": RunConfig().post}) == RunConfig()


def test_visualize_says_when_it_took_the_only_path(run: Run) -> None:
    result = run("--out", "r.jsonl", "--visualize", "in")
    assert result.exit_code == ExitCode.INPUT
    assert "--visualize took in as its folder" in result.stderr


def test_pictures_that_can_go_nowhere_stop_the_run_at_once(run: Run) -> None:
    Path("taken").write_text("a file")
    result = run("in", "--out", "r.jsonl", "--visualize", "taken/pictures")
    assert result.exit_code == ExitCode.OUTPUT
    assert "Cannot draw pictures into taken/pictures" in result.stderr
    assert not Path("r.jsonl").exists()


def test_a_worker_with_other_models_does_not_start(bundles: dict[str, str]) -> None:
    config = validate(RunConfig, {"det": {"bundle": bundles["det"]}, "rec": {"bundle": bundles["rec"]}})
    host = Host.load(environ={})
    prepared = prepare(config, host, ["in"], threads=1, pictures=None)
    assert build_processor(**prepared.start.arguments).chain.detector is not None
    with pytest.raises(BundleError, match=r"dark@\w{12}.* not \('dark@0'"):
        build_processor(**{**prepared.start.arguments, "models": ("dark@0", prepared.models[1])})


@pytest.mark.parametrize("out", ["in/all.pdf", "in/deeper/all.pdf", "in/deeper/"])
def test_results_among_the_pictures_are_not_read(run: Run, out: str) -> None:
    Path("in/deeper").mkdir()
    form = ["--to", "pdf"] if out.endswith("/") else []
    assert run("in", "--out", out, *form).exit_code == 0
    assert list(Path("in").rglob("*.pdf"))
    again = run("in", "--out", out, *form)
    assert (again.exit_code, "has all 2 pages already" in again.stderr) == (0, True), again.stderr


@pytest.mark.parametrize("out", ["in/one.pdf", "in/../in/one.pdf", "link.pdf"])
def test_no_result_replaces_what_is_read(run: Run, out: str) -> None:
    PIL.Image.new("L", (40, 40), 255).save("in/one.pdf")
    Path("link.pdf").symlink_to("in/one.pdf")
    before = Path("in/one.pdf").read_bytes()
    refused = run("in/one.pdf", "--out", out, "--overwrite")
    assert (refused.exit_code, f"{out} is one of the inputs" in refused.stderr) == (ExitCode.OUTPUT, True)
    assert Path("in/one.pdf").read_bytes() == before


@pytest.mark.parametrize(
    "command",
    [
        ("convert", "r.parquet", "--to", "csv", "--out", "r.parquet"),
        ("convert", "link.parquet", "--to", "csv", "--out", "r.parquet"),
        ("convert", "parts/r.parquet", "--out", "parts/"),
        ("view", "r.parquet", "--out", "r.parquet"),
        ("merge", "parts", "--out", "parts/"),
        ("merge", "link.parquet", "--out", "r.parquet"),
    ],
)
def test_no_command_replaces_the_results_that_it_reads(run: Run, command: tuple[str, ...]) -> None:
    assert run("in", "--out", "r.parquet", "--shard", "1/1").exit_code == 0
    Path("link.parquet").symlink_to("r.parquet")
    Path("parts").mkdir()
    shutil.copy("r.parquet", "parts/r.parquet")
    before = Path("r.parquet").read_bytes()
    refused = CliRunner().invoke(cli, [*command, "--overwrite"])
    assert (refused.exit_code, "choose another --out" in refused.stderr) == (ExitCode.OUTPUT, True), refused.output
    assert Path("r.parquet").read_bytes() == Path("parts/r.parquet").read_bytes() == before


@pytest.mark.parametrize(
    "listed",
    [
        b"\xef\xbb\xbfin/a.png\r\nin/b.png\r\n",
        "\ufeffin/a.png\r\nin/b.png\r\n".encode("utf-16-le"),
        "\ufeffin/a.png\nin/b.png".encode("utf-16-be"),
        b"in/a.png\0in/b.png\0",
    ],
    ids=["UTF-8 with a mark", "UTF-16", "UTF-16, big endian", "find -print0"],
)
def test_lists_of_files_as_other_programs_write_them(run: Run, listed: bytes) -> None:
    Path("list.txt").write_bytes(listed)
    assert run("--files-from", "list.txt", "--out", "r.jsonl").exit_code == 0
    assert [row["source"] for row in rows()] == ["in/a.png", "in/b.png"]


def test_warnings_are_counted_and_logged(run: Run) -> None:
    whole = Path("in/a.png").read_bytes()
    Path("in/a.png").write_bytes(whole[: len(whole) * 2 // 3])
    result = run("in", "--out", "r.jsonl", "--log-file", "run.log")
    assert (result.exit_code, "1 page with warnings" in result.stderr) == (0, True), result.stderr
    assert f"in/a.png, page 0: {rows()[0]['warnings'][0]}" in Path("run.log").read_text()


def test_a_damaged_picture_that_was_read_is_in_the_pdf(run: Run) -> None:
    picture = PIL.Image.open("in/a.png").convert("RGB").resize((900, 700))
    picture.save("in/a.png")
    whole = Path("in/a.png").read_bytes()
    Path("in/a.png").write_bytes(whole[: len(whole) * 2 // 3])
    result = run("in/a.png", "--out", "r.pdf")
    assert (result.exit_code, "Wrote 1 page" in result.stderr, "left out" in result.stderr) == (0, True, False)
    with pdfium.PdfDocument("r.pdf") as document:
        assert len(document) == 1


def test_a_log_on_a_full_disk_ends_and_the_run_does_not(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    class FullDisk(io.StringIO):
        name = "run.log"

        def flush(self) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    usual = Path.open

    def open_or_full(path: Path, *how: str, **more: str) -> IO[str]:
        return FullDisk() if path.name == "run.log" else usual(path, *how, **more)

    monkeypatch.setattr(Path, "open", open_or_full)
    result = run("in", "--out", "r.jsonl", "--log-file", "run.log")
    assert (result.exit_code, len(rows())) == (0, 2)
    assert result.stderr.count("the log run.log ends here: No space left on device.") == 1


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_stop_no_worker(bundles: dict[str, str], tmp_path: Path, closed: str) -> None:
    write_page(tmp_path / "a.png")
    models = f"--det {bundles['det']} --rec {bundles['rec']}"
    command = f"{sys.executable} -m ocrbatch run a.png --out r.jsonl {models} {closed}"
    assert subprocess.run(command, shell=True, cwd=tmp_path, check=False).returncode == 0
    assert len((tmp_path / "r.jsonl").read_text().splitlines()) == 1


def test_too_many_failures_end_a_run_that_can_go_on(run: Run) -> None:
    for number in range(40):
        Path(f"in/c{number:02d}.png").write_bytes(b"no picture")
    result = run("in", "--out", "r.jsonl", "--max-failures", "3", "--set", "unit_pages=1")
    assert (result.exit_code, Path("r.jsonl").exists()) == (ExitCode.PARTIAL, False)
    assert "failed, more than --max-failures allows" in result.stderr
    assert "Start the same command again to go on" in result.stderr
    kept = int(result.stderr.split("Interrupted: ")[1].split()[0])
    assert 2 + 3 < kept < 12  # both good ones, and what was under way
    assert run("in", "--out", "r.jsonl", "--set", "unit_pages=1").exit_code == ExitCode.PARTIAL
    assert len(rows()) == 42
    assert run("in/a.png", "--out", "all.jsonl", "--max-failures", "0").exit_code == 0
