"""`convert`, `view` and documents of `run` elsewhere: read from and written into a real S3 server on this machine."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pypdfium2 as pdfium
import pytest
from click.testing import CliRunner, Result
from pipeline_doubles import run, write_page, write_tiff
from s3_store import Store

from ocrbatch.cli.main import cli
from ocrbatch.outputs import parts


def command(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def fill(root: Path) -> Path:
    write_page(root / "a b" / "ü 100%.png", (10, 10, 20, 10))
    write_page(root / "b.png", (10, 10, 21, 10))
    write_tiff(root / "many.tif", 3)
    return root


def texts(content: bytes | Path) -> list[str]:
    return [page.get_textpage().get_text_range().strip() for page in pdfium.PdfDocument(content)]


PAGES = ["w20 g10", "w21 g10", "w5 g10", "w6 g10", "w7 g10"]


def test_documents_of_pages_elsewhere_go_elsewhere(store: Store, tmp_path: Path) -> None:
    store.upload(fill(tmp_path / "in"), "in/")
    for name in ("r.pdf", "r.hocr", "r.txt"):
        assert run(store.uri("in"), out=store.uri(f"out/{name}")).counts == {"ok": 5}
        assert run(store.uri("in"), out=store.uri(f"out/{name}"), build="dying_build").state == "unchanged"
    assert texts(store.read("out/r.pdf")) == PAGES
    assert store.read("out/r.hocr").count(b'class="ocr_page"') == 5
    assert store.read("out/r.txt").decode() == "".join(f"{text}\n\f" for text in PAGES)
    folder = store.uri("docs/")
    assert run(store.uri("in"), out=folder, form="pdf").left_out == 0
    names = ["a b/ü 100%25.png.pdf", "b.png.pdf", "many.tif.pdf"]
    assert store.names("docs", below=True) == names
    assert texts(store.read("docs/many.tif.pdf")) == PAGES[2:]
    assert run(store.uri("in"), out=folder, form="pdf", build="dying_build").state == "unchanged"
    store.fs.delete_file(f"{store.bucket}/in/b.png")
    assert run(store.uri("in"), out=folder, form="pdf").state == "written"
    assert store.names("docs", below=True) == [names[0], names[2]]
    assert list((tmp_path / "tmp").iterdir()) == [], "copies of pages were left behind"


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl", ".json", "/"])
def test_results_elsewhere_are_converted_elsewhere(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    monkeypatch.setattr(parts.divided, "__defaults__", (2,))
    root = fill(tmp_path / "in")
    source = store.uri(f"results{suffix}")
    run(root, out=source)
    run(root, out=tmp_path / "here.parquet")
    for name in ("c.csv", "c.hocr", "c.pdf"):
        assert command("convert", source, "--out", store.uri(name), "-q").output == ""
        assert command("convert", tmp_path / "here.parquet", "--out", tmp_path / name).exit_code == 0
    assert store.read("c.csv") == (tmp_path / "c.csv").read_bytes()
    assert store.read("c.hocr") == (tmp_path / "c.hocr").read_bytes()
    assert texts(store.read("c.pdf")) == texts(tmp_path / "c.pdf") == PAGES
    ended = command("convert", source, "--to", "alto", "--out", store.uri("alto"))
    assert ended.exit_code == 0, ended.output
    assert f"5 pages into s3://{store.bucket}/alto/, 0 failed" in ended.stderr
    assert len(store.names("alto", below=True)) == 5
    assert command("convert", source, "--out", store.uri("copy/"), "-q").output == ""
    assert store.table("copy")["text"].to_pylist() == PAGES
    assert store.names("copy") == ["_SUCCESS", *(f"part-0000{n}.parquet" for n in range(3))]
    assert command("convert", source, "--out", tmp_path / "back.parquet").exit_code == 0
    assert pq.read_table(tmp_path / "back.parquet")["text"].to_pylist() == PAGES


def test_a_report_of_results_and_pages_elsewhere(store: Store, tmp_path: Path) -> None:
    store.upload(fill(tmp_path / "in"), "in/")
    run(store.uri("in"), out=store.uri("results/"))
    ended = command("view", store.uri("results/"), "--out", store.uri("report.html"))
    assert (ended.exit_code, "0 without their picture" in ended.stderr) == (0, True), ended.output
    page = store.read("report.html").decode()
    assert "<title>ocrbatch: results</title>" in page
    assert page.count('id="picture-') == 5
    assert command("view", store.uri("results/"), "--out", tmp_path / "r.html", "-q").output == ""
    assert (tmp_path / "r.html").read_text() == page
    assert "exists" in command("view", store.uri("results/"), "--out", store.uri("report.html")).stderr
    assert list((tmp_path / "tmp").iterdir()) == []


def test_part_files_here_are_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts.divided, "__defaults__", (2,))
    run(fill(tmp_path / "in"), out=f"{tmp_path}/r/")
    (tmp_path / "r" / "_old").mkdir()
    (tmp_path / "r" / "_old" / "x.parquet").write_text("no part")
    (tmp_path / "r" / "lang=de").mkdir()
    (tmp_path / "r" / "part-00002.parquet").rename(tmp_path / "r" / "lang=de" / "last.parquet")
    assert command("convert", tmp_path / "r", "--out", tmp_path / "r.txt").exit_code == 0
    assert (tmp_path / "r.txt").read_text().split("\n\f")[:-1] == [PAGES[4], *PAGES[:4]]  # by their paths
    assert command("view", f"file://{tmp_path}/r", "--out", tmp_path / "r.html").exit_code == 0
    refused = command("convert", tmp_path / "r", "--out", f"{tmp_path}/r/../r/", "--overwrite")
    assert (refused.exit_code, "is where the results are" in refused.stderr) == (6, True)
    (tmp_path / "none").mkdir()
    none = command("convert", tmp_path / "none", "--out", tmp_path / "x.csv")
    assert (none.exit_code, none.stderr) == (5, f"Error: There are no Parquet files in {tmp_path / 'none'}.\n")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["convert", "BUCKET/none.parquet?QUERY", "--out", "x.csv"], 5, "none.parquet: No such file"),
        (["convert", "BUCKET/x.txt?QUERY", "--out", "x.csv"], 5, "results end in .parquet"),
        (["convert", "here.jsonl", "--out", "s3://no-such-bucket/x.csv?QUERY"], 6, "there is no bucket"),
        (["convert", "here.jsonl", "--out", "BUCKET/x.txt?QUERY"], 6, "exists"),
        (["convert", "here.jsonl", "--to", "txt", "--out", "BUCKET/docs?QUERY"], 6, "is not empty"),
        (["view", "BUCKET/none.parquet?QUERY", "--out", "x.html"], 5, "none.parquet: No such file"),
        (["view", "here.jsonl", "--out", "s3://no-such-bucket/x.html?QUERY"], 6, "there is no bucket"),
        (
            ["view", "here.jsonl", "--out", "s3://k:pass@b/r.html?endpoint_override=127.0.0.1:9&scheme=http"],
            6,
            "no con",
        ),
    ],
)
def test_mistakes_are_one_sentence(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here.jsonl").write_text('{"source": "a.png", "status": "empty"}\n')
    for key in ("x.txt", "docs/mine.txt"):
        store.upload(tmp_path / "here.jsonl", key)
    filled = [part.replace("BUCKET", f"s3://{store.bucket}").replace("QUERY", store.query) for part in arguments]
    result = command(*filled)
    assert (result.exit_code, words in result.stderr) == (code, True), result.stderr
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.stderr
    assert "pass" not in result.stderr
    assert store.read("x.txt") == (tmp_path / "here.jsonl").read_bytes()
