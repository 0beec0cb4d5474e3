"""`run --out` with the suffixes of documents: the same files as `convert` makes of the table, and as safe."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium
import pytest
from click.testing import CliRunner, Result
from pipeline_doubles import ERROR, Quiet, run, write_page, write_tiff

from ocrbatch.cli.main import cli
from ocrbatch.data.shards import Shard
from ocrbatch.errors import OutputError
from ocrbatch.outputs.documents import DocumentWriter
from ocrbatch.outputs.formats import DOCUMENTS

FILES = ["r.hocr", "r.alto.xml", "r.alto", "r.txt", "R.PDF", "r.csv", "r.jsonl"]
WORDS = ("w20", "w21", "w5", "w9")


def fill(root: Path) -> Path:
    """Three pages with text, one that fails, and five pages in one file."""
    for n in range(3):
        write_page(root / "a" / f"{n}.png", (10, 10, 20 + n, 10))
    write_page(root / "bad.png", fate=ERROR)
    write_tiff(root / "many.tif", 5)
    return root


def content(path: Path) -> Any:
    """What must be equal: bytes without times, of a PDF the text of each page."""
    if path.suffix.lower() == ".pdf":
        return [page.get_textpage().get_text_range() for page in pdfium.PdfDocument(path)]
    without = rb"(?<=<Created>)[^<]+|(?<=<LastChange>)[^<]+|\"seconds_\w+\": [^,]+"
    return re.sub(without, b"", path.read_bytes())


def contents(folder: Path) -> dict[str, Any]:
    return {str(path.relative_to(folder)): content(path) for path in sorted(folder.rglob("*")) if path.is_file()}


def command(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def pile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pages in ``in`` and their table, ``table.parquet``."""
    folder = tmp_path_factory.mktemp("pile")
    run(fill(folder / "in"), out=folder / "table.parquet")
    return folder


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_what_convert_makes_of_the_table(pile: Path, tmp_path: Path, name: str) -> None:
    summary = run(pile / "in", out=tmp_path / name)
    assert (summary.state, summary.counts, summary.left_out) == ("written", {"ok": 8, "failed": 1}, 0)
    ended = command("convert", pile / "table.parquet", "--out", tmp_path / f"converted-{name}")
    assert ended.exit_code == 10, ended.output
    written = content(tmp_path / name)
    assert written == content(tmp_path / f"converted-{name}")
    assert all(word in str(written) for word in WORDS)
    assert run(pile / "in", out=tmp_path / name, build="dying_build").state == "unchanged"


@pytest.mark.parametrize("form", DOCUMENTS)
def test_a_folder_is_what_convert_makes_of_the_table(pile: Path, tmp_path: Path, form: str) -> None:
    assert run(pile / "in", out=tmp_path / "ran", form=form).state == "written"
    assert command("convert", pile / "table.parquet", "--to", form, "--out", tmp_path / "made").exit_code == 10
    files = contents(tmp_path / "ran")
    assert files == contents(tmp_path / "made")
    end = DOCUMENTS[form]
    pages = [f".page{number:04d}" for number in range(1, 6)] if form in ("hocr", "alto", "pagexml") else [""]
    bad = [f"bad.png{end}"] if form == "txt" else []
    assert sorted(files) == sorted(
        [*(f"a/{n}.png{end}" for n in range(3)), *bad, *(f"many.tif{page}{end}" for page in pages)]
    )
    assert run(pile / "in", out=f"{tmp_path}/ran/", form=form, build="dying_build").state == "unchanged"


@pytest.mark.parametrize("name", ["r.hocr", "r.pdf"])
def test_an_interruption_and_new_files(tmp_path: Path, name: str) -> None:
    root, out = fill(tmp_path / "in"), tmp_path / name
    first = run(root, out=out, watch=Quiet(stop_after=3), unit_pages=1)
    assert first.state == "interrupted"
    assert not out.exists()
    second = run(root, out=out, unit_pages=1)
    assert (second.state, second.progress.skipped) == ("written", first.progress.read)
    write_page(root / "z.png", (10, 10, 33, 10))
    assert run(root, out=out).progress.read == 1
    run(root, out=tmp_path / f"fresh-{name}")
    assert content(out) == content(tmp_path / f"fresh-{name}")
    assert "w33" in str(content(out))


DRIVER = """
import sys
from pipeline_doubles import run
if __name__ == "__main__":
    run(sys.argv[1], out=sys.argv[2], workers=1, unit_pages=1, arguments={"delay": 0.1})
"""


def test_a_kill_then_the_same_command(tmp_path: Path) -> None:
    root, out = fill(tmp_path / "in"), tmp_path / "r.alto.xml"
    (tmp_path / "driver.py").write_text(DRIVER)
    start = [sys.executable, str(tmp_path / "driver.py"), str(root), str(out)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    driver = subprocess.Popen(start, env=environment)
    journal, deadline = tmp_path / "r.alto.xml.journal", time.monotonic() + 120
    while driver.poll() is None and time.monotonic() < deadline:
        if sum(path.stat().st_size for path in journal.glob("*.segment")) > 1000:
            break
        time.sleep(0.02)
    driver.send_signal(signal.SIGKILL)
    assert driver.wait() == -signal.SIGKILL
    assert not out.exists()
    assert subprocess.run(start, env=environment, check=False).returncode == 0
    run(root, out=tmp_path / "fresh.alto.xml")
    assert content(out) == content(tmp_path / "fresh.alto.xml")


def test_a_cut_while_a_folder_is_written(pile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[Path] = []
    whole = DocumentWriter.__call__

    def cut(self: DocumentWriter, target: Path, rows: Any) -> None:
        if len(written) == 3:
            raise RuntimeError("power cut")
        written.append(target)
        whole(self, target, rows)

    monkeypatch.setattr(DocumentWriter, "__call__", cut)
    with pytest.raises(RuntimeError, match="power cut"):
        run(pile / "in", out=tmp_path / "d", form="hocr")
    assert len(contents(tmp_path / "d")) == 3
    monkeypatch.undo()
    assert run(pile / "in", out=tmp_path / "d", form="hocr", build="dying_build").state == "written"
    assert len(contents(tmp_path / "d")) == 8


def test_a_folder_follows_the_pile_and_leaves_strangers_alone(tmp_path: Path) -> None:
    root, out = fill(tmp_path / "in"), tmp_path / "d"
    run(root, out=out, form="hocr")
    (out / "mine.hocr").write_text("of somebody else")
    shutil.rmtree(root / "a")
    (root / "bad.png").unlink()
    assert run(root, out=out, form="hocr").state == "written"
    assert sorted(contents(out)) == [*(f"many.tif.page{n:04d}.hocr" for n in range(1, 6)), "mine.hocr"]
    (out / "many.tif.page0003.hocr").unlink()
    assert run(root, out=out, form="hocr", build="dying_build").state == "written"
    assert len(contents(out)) == 6
    assert run(root, out=out, form="txt", build="dying_build").state == "written"
    assert sorted(contents(out)) == ["many.tif.txt", "mine.hocr"]
    shutil.rmtree(tmp_path / "d.journal")
    with pytest.raises(OutputError, match="no journal to go on from"):
        run(root, out=out, form="txt")
    with pytest.raises(OutputError, match="no journal to go on from"):
        run(root, out=root, form="pdf")


def test_shards_are_merged_into_documents(pile: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"one \.parquet file, not .*r\.hocr: `ocrbatch merge`"):
        run(pile / "in", out=tmp_path / "r.hocr", shard=Shard(1, 2))
    shards = [tmp_path / f"{number}.parquet" for number in (1, 2)]
    for number, shard in enumerate(shards, 1):
        run(pile / "in", out=shard, shard=Shard(number, 2))
    for name in ("r.hocr", "r.pdf"):
        ended = command("merge", *shards, "--out", tmp_path / name)
        assert ended.exit_code == 10, ended.output
        assert "9 pages of 2 shards" in ended.stderr
        run(pile / "in", out=tmp_path / f"one-{name}")
        assert content(tmp_path / name) == content(tmp_path / f"one-{name}")
    assert command("merge", *shards, "--to", "alto", "--out", tmp_path / "folder").exit_code == 10
    run(pile / "in", out=tmp_path / "ran", form="alto")
    assert contents(tmp_path / "folder") == contents(tmp_path / "ran")


def test_a_page_file_has_room_for_one_page(tmp_path: Path) -> None:
    page = write_page(tmp_path / "in" / "1.png", (10, 10, 20, 10))
    assert run(page, out=tmp_path / "r.page.xml").counts == {"ok": 1}
    assert "w20" in str(content(tmp_path / "r.page.xml"))
    write_page(tmp_path / "in" / "2.png", (10, 10, 20, 10))
    with pytest.raises(OutputError, match=r"holds one page.*--to pagexml"):  # before any page is read
        run(tmp_path / "in", out=tmp_path / "two.page.xml", build="dying_build")
    with pytest.raises(OutputError, match="holds one page"):
        run(write_tiff(tmp_path / "many.tif", 50), out=tmp_path / "many.page.xml", unit_pages=1)
    assert run(tmp_path / "in", out=tmp_path / "first.page.xml", limit=1).counts == {"ok": 1}
    run(tmp_path / "in", out=tmp_path / "two.parquet")
    ended = command("convert", tmp_path / "two.parquet", "--out", tmp_path / "c.page.xml")
    assert (ended.exit_code, "holds one page" in ended.stderr) == (6, True)
    assert not list(tmp_path.glob("c*"))


def test_without_any_page_there_is_no_document(tmp_path: Path) -> None:
    write_page(tmp_path / "in" / "bad.png", fate=ERROR)
    for name in ("r.pdf", "r.hocr"):
        assert run(tmp_path / "in", out=tmp_path / name).counts == {"failed": 1}
        assert not (tmp_path / name).exists()
        write_page(tmp_path / "in" / "good.png", (10, 10, 20, 10))
        assert run(tmp_path / "in", out=tmp_path / name).counts == {"ok": 1, "failed": 1}
        assert (tmp_path / name).exists()
        (tmp_path / "in" / "good.png").unlink()
        run(tmp_path / "in", out=tmp_path / name)
        assert not (tmp_path / name).exists()


def test_pages_whose_picture_is_gone_are_told_and_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page, watch = write_page(tmp_path / "in" / "1.png", (10, 10, 20, 10)), Quiet()
    write_page(tmp_path / "in" / "2.png", (10, 10, 21, 10))
    monkeypatch.setattr("ocrbatch.outputs.page_pictures.probe", _failing_once())
    summary = run(page.parent, out=tmp_path / "r.pdf", watch=watch)
    assert (summary.counts, summary.left_out) == ({"ok": 2}, 1)
    assert any("1.png, page 0: left out, the disk hums" in line for line in watch.lines)
    assert "w20" not in str(content(tmp_path / "r.pdf"))
    assert run(page.parent, out=tmp_path / "r.pdf", build="dying_build").left_out == 0
    assert "w20" in str(content(tmp_path / "r.pdf"))


def _failing_once() -> Any:
    from ocrbatch.data.images import probe

    errors = [OSError("the disk hums")]

    def fails_once(*arguments: Any) -> Any:
        if errors:
            raise errors.pop()
        return probe(*arguments)

    return fails_once


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--out", "r.xml"], "call it r.alto.xml for ALTO or r.page.xml for PAGE"),
        (["--out", "r.hocrr"], "did you mean '.hocr'"),
        (["--to", "jsonl", "--out", "r/"], "jsonl is one file"),
        (["--out", "taken.pdf"], "there is a folder of that name"),
        (["--to", "hocr", "--out", "file"], "it is a file; name a folder"),
    ],
)
def test_mistakes_are_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken.pdf").mkdir()
    (tmp_path / "file").write_text("")
    write_page(tmp_path / "a.png")
    for ended in (command("run", "a.png", *arguments), command("convert", "none.parquet", *arguments)):
        assert (ended.exit_code, words in ended.stderr) == (6, True), ended.output
        assert "Traceback" not in ended.stderr


def test_xml_is_enough_with_the_format(tmp_path: Path) -> None:
    page = write_page(tmp_path / "a.png", (10, 10, 20, 10))
    run(page, out=tmp_path / "r.xml", form="alto")
    assert b"<alto" in (tmp_path / "r.xml").read_bytes()


def test_documents_that_somebody_corrected_are_not_written_over(pile: Path, tmp_path: Path) -> None:
    root, out = shutil.copytree(pile / "in", tmp_path / "in"), tmp_path / "ran"
    run(root, out=out, form="txt")
    document = out / "a" / "0.png.txt"
    document.write_text("corrected by hand")
    write_page(root / "new.png", (10, 10, 33, 10))
    with pytest.raises(OutputError, match=r"ran/a/0\.png\.txt was changed since it was written: move it away"):
        run(root, out=out, form="txt", build="dying_build")
    assert document.read_text() == "corrected by hand"
    document.rename(tmp_path / "mine.txt")
    assert run(root, out=out, form="txt").progress.read == 1
    run(root, out=tmp_path / "fresh", form="txt")
    assert contents(out) == contents(tmp_path / "fresh")
    document.write_text("corrected again")
    assert run(root, out=out, form="txt", overwrite=True).state == "written"
    assert contents(out) == contents(tmp_path / "fresh")


def test_the_list_of_documents_survives_a_cut(pile: Path, tmp_path: Path) -> None:
    root, out = shutil.copytree(pile / "in", tmp_path / "in"), tmp_path / "ran"
    run(root, out=out, form="txt")
    listed = tmp_path / "ran.journal" / "documents.txt"
    listed.write_bytes(listed.read_bytes()[:-9])
    (root / "a" / "0.png").unlink()
    assert run(root, out=out, form="txt").state == "written"
    assert not (out / "a" / "0.png.txt").exists()
