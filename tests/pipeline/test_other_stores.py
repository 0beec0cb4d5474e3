"""Google's, Azure's and Hadoop's stores: with folders of this machine in place of their drivers, with a server that
speaks Google's protocol, and with the drivers where nothing answers them."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pypdfium2 as pdfium
import pytest
from click.testing import CliRunner, Result
from pipeline_doubles import Quiet, run, stand_in, write_page

from ocrbatch.cli.main import cli
from ocrbatch.data import stores
from ocrbatch.data.places import Place, shown_as
from ocrbatch.data.stores import reason
from ocrbatch.outputs import parts

ROOTS = ["gs://bucket/", "abfs://box@account.dfs.core.windows.net/", "hdfs://namenode:8020/"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What holds the content of all stores."""
    monkeypatch.setattr("ocrbatch.data.places.open_store", stand_in(tmp_path / "stores"))
    monkeypatch.setattr("ocrbatch.data.places.refuse_azure", lambda *_: None)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for path in ("gs/bucket", "abfs/box", "hdfs"):
        (tmp_path / "stores" / path).mkdir(parents=True)
    return tmp_path


def command(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


@pytest.mark.parametrize("root", ROOTS)
def test_a_pile_its_results_and_its_documents(folder: Path, monkeypatch: pytest.MonkeyPatch, root: str) -> None:
    monkeypatch.setattr(parts.divided, "__defaults__", (2,))
    store = Place.parse(root)
    for n, name in enumerate(("a b/ü 1.png", "b.png", "c.png")):
        store.child(f"in/{name}").put(write_page(folder / "page.png", (10, 10, 20 + n, 10)))
    told = {"build": "stand_in_build", "arguments": {"folder": folder / "stores"}}
    first = run(f"{root}in", out=f"{root}r.parquet", watch=Quiet(stop_after=1), unit_pages=1, **told)
    assert first.state == "interrupted"
    second = run(f"{root}in", out=f"{root}r.parquet", unit_pages=1, **told)
    assert (second.state, second.progress.skipped, second.counts) == ("written", first.progress.read, {"ok": 3})
    assert run(f"{root}in", out=f"{root}r.parquet", build="dying_build").state == "unchanged"
    with store.child("r.parquet").open() as file:
        rows = pq.read_table(file).to_pylist()
    assert [row["source"] for row in rows] == [f"{root}in/{name}" for name in ("a b/ü 1.png", "b.png", "c.png")]

    assert run(f"{root}in", out=f"{root}r/", **told).state == "written"
    assert [name for name, _ in sorted(store.child("r").entries())] == [
        *("_SUCCESS", "part-00000.parquet", "part-00001.parquet"),
    ]
    assert run(f"{root}in", out=f"{root}pdf", form="pdf", **told).left_out == 0
    names = ["a b/ü 1.png.pdf", "b.png.pdf", "c.png.pdf"]
    assert [name for name, _ in store.child("pdf").walk()] == names
    store.child("pdf/b.png.pdf").get(folder / "b.pdf")
    assert "w21" in pdfium.PdfDocument(folder / "b.pdf")[0].get_textpage().get_text_range()
    store.child("in/c.png").delete()
    assert run(f"{root}in", out=f"{root}pdf", form="pdf", **told).state == "written"
    assert [name for name, _ in store.child("pdf").walk()] == names[:2]

    ended = command("convert", f"{root}r/", "--out", f"{root}all.txt")
    assert (ended.exit_code, f"3 pages into {root}all.txt" in ended.stderr) == (0, True), ended.output
    store.child("all.txt").get(folder / "all.txt")
    assert (folder / "all.txt").read_text() == "w20 g10\n\fw21 g10\n\fw22 g10\n\f"
    ended = command("view", f"{root}r.parquet", "--out", f"{root}report.html")
    assert (ended.exit_code, "1 without their picture" in ended.stderr) == (0, True), ended.output


SERVER = """
import sys
from http.server import ThreadingHTTPServer
import http.server
http.server.HTTPServer = ThreadingHTTPServer  # clients keep connections open, for which one thread would wait
from gcp_storage_emulator.server import create_server
create_server("127.0.0.1", int(sys.argv[1]), in_memory=True, default_bucket="bucket").run()
"""


@pytest.fixture
def google() -> Iterator[str]:
    """Where a server listens that speaks Google's protocol, with a bucket called bucket."""
    pytest.importorskip("gcp_storage_emulator", reason="needs gcp-storage-emulator, a local store")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen([sys.executable, "-c", SERVER, str(port)], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            time.sleep(0.1)
    yield f"127.0.0.1:{port}"
    server.kill()
    server.wait()


def test_a_server_that_speaks_googles_protocol(google: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    root, query = "gs://anonymous@bucket/", f"?scheme=http&endpoint_override={google}"
    for n in range(3):
        Place.parse(f"{root}in/{n}.png{query}").put(write_page(tmp_path / "page.png", (10, 10, 20 + n, 10)))
    for place, form in (("r/", None), ("r.pdf", None), ("h", "hocr")):
        out = f"{root}{place}{query}"
        assert run(f"{root}in{query}", out=out, form=form).counts == {"ok": 3}
        assert run(f"{root}in{query}", out=out, form=form, build="dying_build").state == "unchanged"
    ended = command("convert", f"{root}r/{query}", "--out", tmp_path / "r.txt")
    assert ended.exit_code == 0, ended.output
    assert (tmp_path / "r.txt").read_text() == ("w20 g10\n\fw21 g10\n\fw22 g10\n\f")
    assert command("view", f"{root}r/{query}", "--out", f"{root}v.html{query}", "-q").output == ""
    names = [name for name, _ in Place.parse(f"{root}{query}").walk()]
    assert names == [
        *(f"h/{n}.png.hocr" for n in range(3)),
        *(f"in/{n}.png" for n in range(3)),
        *("r.pdf", "r/_SUCCESS", "r/part-00000.parquet", "v.html"),
    ]
    none = command("convert", f"{root}none/{query}", "--out", tmp_path / "x.csv")
    assert (none.exit_code, none.stderr) == (5, "Error: There is no file or folder gs://bucket/none.\n")
    none = command("convert", f"{root}r/{query}", "--out", f"gs://anonymous@none/r.csv{query}")
    assert (none.exit_code, "there is no bucket gs://none/" in none.stderr) == (6, True)


@pytest.mark.parametrize("root", ROOTS)
def test_what_is_not_there_is_said(folder: Path, root: str) -> None:
    for arguments, code in (
        (("run", f"{root}in", "--out", "x.csv"), 5),
        (("convert", f"{root}r.parquet", "--out", folder / "x.csv"), 5),
        (("view", f"{root}r.parquet", "--out", folder / "x.html"), 5),
        (("merge", f"{root}r.parquet", "--out", folder / "x.csv"), 5),
    ):
        ended = command(*arguments)
        assert (ended.exit_code, root in ended.stderr, ended.stderr.count("\n")) == (code, True, 1), ended.output


NOBODY = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}


@pytest.mark.parametrize(
    ("root", "words"),
    [
        ("gs://bucket/", "Google gives no access: run `gcloud auth application-default login`"),
        ("abfs://box@account.dfs.core.windows.net/", "Azure gives no access: run `az login`"),
        ("abfs://:c2VjcmV0@account.dfs.core.windows.net/box/", "Azure gives no access"),
        ("hdfs://namenode:8020/", "HDFS needs"),
    ],
)
def test_a_driver_that_cannot_work_ends_in_a_sentence_soon(tmp_path: Path, root: str, words: str) -> None:
    """In processes of their own: a driver may take its process with it, or wait for ever."""
    page, missing = write_page(tmp_path / "a.png"), tmp_path / "no-credentials.json"
    (tmp_path / "r.jsonl").write_text(json.dumps({"source": "a.png", "status": "empty"}))
    environment = {**NOBODY, "HOME": str(tmp_path), "GOOGLE_APPLICATION_CREDENTIALS": str(missing)}
    began = time.monotonic()
    for arguments, code in (
        (("run", f"{root}in", "--out", tmp_path / "x.csv"), 5),
        (("run", page, "--quiet", "--out", f"{root}r/"), 6),
        (("convert", tmp_path / "r.jsonl", "--to", "txt", "--out", f"{root}"), 6),
        (("view", f"{root}r.parquet", "--out", tmp_path / "x.html"), 5),
    ):
        start = [sys.executable, "-m", "ocrbatch", *map(str, arguments)]
        ended = subprocess.run(start, env=environment, capture_output=True, text=True, timeout=100, check=False)
        (sentence,) = [line for line in ended.stderr.splitlines() if "az: not found" not in line]  # said by a shell
        assert (ended.returncode, words in sentence) == (code, True), ended.stderr
        assert "c2VjcmV0" not in sentence
    assert time.monotonic() - began < 100


def test_google_is_not_asked_for_a_quarter_of_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    class Asked:
        @staticmethod
        def from_uri(uri: str) -> tuple[object, str]:
            asked.append(uri)
            return object(), "bucket"

    monkeypatch.setattr("pyarrow.fs.FileSystem", Asked)
    for query in ("", "scheme=http", "retry_limit_seconds=60"):
        stores.open_store.__wrapped__("gs", "bucket", query)
    assert asked == [
        "gs://bucket/?retry_limit_seconds=5",
        "gs://bucket/?scheme=http&retry_limit_seconds=5",
        "gs://bucket/?retry_limit_seconds=60",
    ]


def test_keys_of_azure_are_secret() -> None:
    assert shown_as("abfs://:key@account.dfs.core.windows.net/box/a.png") == (
        "abfs://account.dfs.core.windows.net/box/a.png"
    )
    assert shown_as("abfs://box:key@account.dfs.core.windows.net/a.png") == (
        "abfs://box@account.dfs.core.windows.net/a.png"
    )


def test_an_account_of_azure_is_no_folder() -> None:
    with pytest.raises(OSError, match="name a container"):
        list(Place.parse("abfs://account.dfs.core.windows.net/").entries())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("google::cloud::Status(UNAVAILABLE: Could not resolve hostname)", "there is no connection"),
        ("google::cloud::Status(PERMISSION_DENIED: no)", "access is denied"),
        ("Azure Error: [] Fail to get a new connection for: https://x.", "there is no connection"),
    ],
)
def test_reasons(text: str, words: str) -> None:
    assert reason(OSError(text)).startswith(words)
