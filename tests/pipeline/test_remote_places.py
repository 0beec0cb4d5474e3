"""Inputs and outputs elsewhere: the same rows, from and into a real S3 server on this machine."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from pipeline_doubles import CRASH, Quiet, run, write_page, write_tiff
from s3_store import Store

from ocrbatch.cli.main import cli
from ocrbatch.data.shards import Shard
from ocrbatch.errors import InputError, OutputError
from ocrbatch.outputs import parts
from ocrbatch.outputs.targets import Parts, target_of


def fill(root: Path, count: int = 3) -> Path:
    for n in range(count):
        write_page(root / f"{n}.png", (10, 10, 20 + n, 10))
    write_page(root / "a b" / "ü 100%.png", (10, 10, 40, 10))
    write_page(root / "a b.png", (10, 10, 41, 10))
    write_tiff(root / "2.tif", 5)
    (root / "notes.txt").write_text("left alone")
    (root / "empty.png").write_bytes(b"")
    return root


def as_local(table: pa.Table, store: Store, root: Path) -> list[dict[str, Any]]:
    """Rows with the names that a local run gives them."""
    rows = table.to_pylist()
    for row in rows:
        row["source"] = row["source"].replace(f"s3://{store.bucket}/in", str(root)).replace("100%25", "100%")
    return rows


def timeless(path: Path) -> pa.Table:
    table = pq.read_table(path)
    return table.drop_columns([name for name in table.column_names if name.startswith("seconds_")])


def names_in(folder: Path | str) -> list[str]:
    return sorted(path.name for path in Path(folder).iterdir())


def test_a_pile_and_results_elsewhere(store: Store, tmp_path: Path) -> None:
    root = fill(tmp_path / "in")
    store.upload(root, "in/")
    target = store.uri("out/r.parquet")
    first = run(store.uri("in/"), out=target, watch=Quiet(stop_after=2), unit_pages=2)
    assert first.state == "interrupted"
    assert store.names("out") == []
    second = run(store.uri("in/"), out=target, unit_pages=2)
    assert (second.state, second.progress.skipped) == ("written", first.progress.read)
    assert run(store.uri("in/"), out=target, build="dying_build").state == "unchanged"
    run(root, out=tmp_path / "here.parquet")
    assert as_local(store.table("out/r.parquet"), store, root) == timeless(tmp_path / "here.parquet").to_pylist()
    sources = store.table("out/r.parquet")["source"].to_pylist()
    assert f"s3://{store.bucket}/in/a b/ü 100%25.png" in sources
    assert not any("endpoint" in source for source in sources)
    assert list((tmp_path / "tmp").iterdir()) == [], "copies of files were left behind"
    (journal,) = (tmp_path / "state" / "ocrbatch").iterdir()
    assert journal.name.startswith("r.parquet-")

    # what a results file calls a page is enough to read it again
    again = next(source for source in sources if "100%25" in source)
    assert run(f"{again}?{store.query}", out=tmp_path / "one.parquet").counts == {"ok": 1}

    # new, changed and deleted objects
    write_page(root / "1.png", (10, 10, 77, 10))
    write_page(root / "new.png", (10, 10, 78, 10))
    for name in ("1.png", "new.png"):
        store.upload(root / name, f"in/{name}")
    store.fs.delete_file(f"{store.bucket}/in/0.png")
    (root / "0.png").unlink()
    summary = run(store.uri("in/"), out=target)
    assert (summary.state, summary.progress.read) == ("written", 2)
    run(root, out=tmp_path / "here.parquet")
    assert as_local(store.table("out/r.parquet"), store, root) == timeless(tmp_path / "here.parquet").to_pylist()

    # rows of objects that are still there are never dropped
    with pytest.raises(OutputError, match=r"rows of \d+ files .* s3://"):
        run(store.uri("in/1.png"), out=target)
    # results that somebody else changed or took away, and a journal that is lost
    store.upload(root / "1.png", "out/r.parquet")
    with pytest.raises(OutputError, match="was changed since it was written"):
        run(store.uri("in/"), out=target, build="dying_build")
    store.fs.delete_file(f"{store.bucket}/out/r.parquet")
    assert run(store.uri("in/"), out=target, build="dying_build").state == "written"
    shutil.rmtree(journal)
    with pytest.raises(OutputError, match="no journal to go on from"):
        run(store.uri("in/"), out=target)


def test_parts_are_one_table(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts.divided, "__defaults__", (4,))
    root = fill(tmp_path / "in")
    run(root, out=tmp_path / "here.parquet")
    expected = timeless(tmp_path / "here.parquet")
    names = ["_SUCCESS", "part-00000.parquet", "part-00001.parquet", "part-00002.parquet"]
    here = f"{tmp_path}/parts/"
    for target in (here, store.uri("parts/")):
        assert run(root, out=target).state == "written"
        assert run(root, out=target, build="dying_build").state == "unchanged"
    assert store.names("parts") == names
    assert names_in(here) == names
    assert [pq.read_metadata(f"{here}{name}").num_rows for name in names[1:]] == [4, 4, 3]
    assert store.table("parts").equals(expected)
    assert ds.dataset(here).to_table(columns=expected.column_names).equals(expected.replace_schema_metadata())
    assert duckdb.sql(f"SELECT count(*) FROM '{here}*.parquet' WHERE status = 'ok'").fetchall() == [(10,)]

    for path in sorted(root.glob("*.png")):  # fewer rows: surplus parts go, files of others stay
        path.unlink()
    (tmp_path / "parts" / "readme.txt").write_text("of somebody else")
    for target in (here, store.uri("parts/")):
        assert run(root, out=target).state == "written"
    assert store.names("parts") == names[:3]
    assert names_in(here) == [*names[:3], "readme.txt"]
    (tmp_path / "parts" / "part-00001.parquet").unlink()
    assert run(root, out=here, build="dying_build").state == "written"
    shutil.rmtree(tmp_path / "parts.journal")
    with pytest.raises(OutputError, match="no journal to go on from"):
        run(root, out=here)


def test_shards_elsewhere_are_merged_elsewhere(store: Store, tmp_path: Path) -> None:
    root = fill(tmp_path / "in")
    for number in (1, 2):
        run(root, out=store.uri(f"parts/{number}.parquet"), shard=Shard(number, 2))
    with pytest.raises(OutputError, match=r"one \.parquet file, not s3://"):
        run(root, out=store.uri("parts/"), shard=Shard(1, 2))
    run(root, out=tmp_path / "here.parquet")
    command = ["merge", store.uri("parts/"), "--out", store.uri("all.parquet")]
    result = CliRunner().invoke(cli, command)
    assert result.exit_code == 10, result.stderr  # empty.png
    assert "query" not in result.stderr
    assert store.table("all.parquet").equals(timeless(tmp_path / "here.parquet"))
    assert "exists" in CliRunner().invoke(cli, command).stderr


DRIVER = """
import sys
from pipeline_doubles import run
if __name__ == "__main__":
    run(sys.argv[1], out=sys.argv[2], workers=1, unit_pages=1, arguments={"delay": 0.4})
"""


def test_a_kill_then_the_same_command(store: Store, tmp_path: Path) -> None:
    root = tmp_path / "in"
    for n in range(8):
        write_page(root / f"{n}.png", (10, 10, 20 + n, 10))
    store.upload(root, "in/")
    (tmp_path / "driver.py").write_text(DRIVER)
    command = [sys.executable, str(tmp_path / "driver.py"), store.uri("in/"), store.uri("r.parquet")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    driver = subprocess.Popen(command, env=environment)
    deadline = time.monotonic() + 300
    while not list(tmp_path.glob("state/ocrbatch/*/*.segment")) and time.monotonic() < deadline:
        time.sleep(0.05)
    segment = next(tmp_path.glob("state/ocrbatch/*/*.segment"))
    begun = segment.stat().st_size
    while driver.poll() is None and segment.stat().st_size < begun + 500 and time.monotonic() < deadline:
        time.sleep(0.05)
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    assert store.names("") == []
    assert subprocess.run(command, env=environment, check=False).returncode == 0
    run(root, out=tmp_path / "here.parquet")
    assert as_local(store.table("r.parquet"), store, root) == timeless(tmp_path / "here.parquet").to_pylist()
    deadline = time.monotonic() + 60
    while list((tmp_path / "tmp").iterdir()) and time.monotonic() < deadline:  # orphans clean up when they notice
        time.sleep(0.1)
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.parametrize(
    ("paths", "code", "words"),
    [
        (
            ["IN", "--out", "s3://no-such-bucket/r.parquet?QUERY"],
            6,
            "there is no bucket s3://no-such-bucket/.",
        ),
        (["s3://no-such-bucket/in?QUERY", "--out", "r.parquet"], 5, "no file or folder s3://no-such-bucket/in."),
        (["BUCKET/gone.png?QUERY", "--out", "r.parquet"], 5, "There is no file or folder s3://"),
        (["BUCKET?QUERY", "--out", "r.parquet"], 5, "Nothing to read"),
        (["IN", "--out", "BUCKET/r.xls?QUERY"], 6, ".parquet"),
        (["https://example.invalid/a.png", "--out", "r.parquet"], 5, "only s3, gs, abfs, hdfs and file are known"),
        (["IN", "--out", "ftp://example.invalid/a.parquet"], 6, "only s3, gs, abfs, hdfs and file are known"),
        (["IN", "--out", "s3://k:pass@b/r.parquet?endpoint_override=127.0.0.1:9&scheme=http"], 6, "no connection"),
        (["s3://b/in?color=red", "--out", "r.parquet"], 5, "Unexpected query parameter in S3 URI: 'color'"),
    ],
)
def test_mistakes_are_one_sentence(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, paths: list[str], code: int, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write_page(tmp_path / "in" / "a.png")
    filled = [path.replace("BUCKET", f"s3://{store.bucket}").replace("QUERY", store.query) for path in paths]
    result = CliRunner().invoke(cli, ["run", *[path.replace("IN", "in") for path in filled], "--workers", "1"])
    assert (result.exit_code, words in result.stderr) == (code, True), result.stderr
    assert "Traceback" not in result.stderr
    assert "pass" not in result.stderr
    assert result.stderr.count("\n") <= 3


def test_a_file_that_goes_away_or_breaks_costs_its_page(store: Store, tmp_path: Path) -> None:
    write_page(tmp_path / "in" / "crash.png", fate=CRASH)
    write_page(tmp_path / "in" / "fine.png", (10, 10, 20, 10))
    store.upload(tmp_path / "in", "in/")
    listed = [store.uri("in"), store.uri("in/gone.png")]
    summary = run(*listed, out=tmp_path / "r.parquet")
    assert summary.failures == {"WorkerCrashed": 1, "MissingFile": 1}
    row = pq.read_table(tmp_path / "r.parquet").to_pylist()[-1]
    assert row["error_message"] == (
        f"Cannot open s3://{store.bucket}/in/gone.png: there is no file or folder s3://{store.bucket}/in/gone.png."
    )


def test_the_usual_variable_names_the_endpoint(store: Store, endpoint: str, tmp_path: Path, monkeypatch: Any) -> None:
    write_page(tmp_path / "a.png", (10, 10, 20, 10))
    store.upload(tmp_path / "a.png", "a.png")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{endpoint}")
    assert run(f"s3://{store.bucket}/a.png", out=tmp_path / "r.parquet").counts == {"ok": 1}


def test_file_uris_are_read_in_place(tmp_path: Path) -> None:
    write_page(tmp_path / "in" / "a b.png", (10, 10, 20, 10))
    write_page(tmp_path / "in" / "c.png", (10, 10, 21, 10))
    summary = run(f"file://{tmp_path}/in", out=f"file://{tmp_path}/r.jsonl")
    assert summary.counts == {"ok": 2}
    rows = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines()]
    assert [row["source"] for row in rows] == [f"file://{tmp_path}/in/a b.png", f"file://{tmp_path}/in/c.png"]


def test_pictures_of_pages_elsewhere(store: Store, tmp_path: Path) -> None:
    from ocrbatch.data.sources import common_folder
    from ocrbatch.outputs.pictures import Drawing

    write_page(tmp_path / "in" / "a" / "1.png", (10, 10, 20, 10))
    store.upload(tmp_path / "in", "in/")
    base = common_folder([store.uri("in/")])
    assert base == f"s3://{store.bucket}/in"
    drawing = Drawing(tmp_path / "drawn", base)
    run(store.uri("in/"), out=tmp_path / "r.parquet", arguments={"drawing": drawing})
    assert (tmp_path / "drawn" / "a" / "1.png.jpg").is_file()
    assert common_folder([store.uri("in/"), store.uri("in/a/1.png")]) == base
    assert common_folder([store.uri("in/"), "here"]) == ""


def test_an_upload_that_is_cut_off_is_no_result(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = write_page(tmp_path / "a.png", (10, 10, 20, 10))
    monkeypatch.setattr("ocrbatch.data.places.Place.put", lambda *_: (_ for _ in ()).throw(OSError("line is dead")))
    with pytest.raises(OutputError, match=r"Cannot write s3://.*: line is dead"):
        run(page, out=store.uri("r.parquet"))
    monkeypatch.undo()
    assert store.names("") == []


def test_an_unreadable_folder_stops_the_run(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store.upload(write_page(tmp_path / "a.png"), "in/a.png")
    monkeypatch.setattr("ocrbatch.data.places.Place.entries", lambda _: (_ for _ in ()).throw(OSError("ACCESS_DENIED")))
    with pytest.raises(InputError, match=r"Cannot list s3://.*/in: access is denied"):
        run(store.uri("in/"), out=tmp_path / "r.parquet")


def test_journals_of_different_outputs_never_meet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    outs = ["s3://a/r.parquet", "s3://b/r.parquet", "s3://a/x/r.parquet", "s3://a/r.parquet?endpoint_override=x:1"]
    journals = {target_of(out).journal for out in outs}
    assert len(journals) == len(outs)
    assert target_of("s3://key:secret@a/r.parquet").journal == target_of("s3://a/r.parquet").journal
    parts_of = target_of("results/")
    assert isinstance(parts_of, Parts)
    assert parts_of.journal == Path("results.journal")
    assert replace(parts_of, name="x").form == "parquet"


def test_a_journal_at_another_place_goes_with_one_output(tmp_path: Path) -> None:
    page = write_page(tmp_path / "a.png", (10, 10, 20, 10))
    (tmp_path / "precious.parquet").write_text("of somebody else")
    told: dict[str, Any] = {"journal_at": tmp_path / "kept" / "j"}
    run(page, out=tmp_path / "r.parquet", **told)
    assert run(page, out=tmp_path / "r.parquet", build="dying_build", **told).state == "unchanged"
    with pytest.raises(OutputError, match=r"out was .*r\.parquet, now .*precious\.parquet"):
        run(page, out=tmp_path / "precious.parquet", **told)
    assert (tmp_path / "precious.parquet").read_text() == "of somebody else"


@pytest.mark.parametrize("out", ["/", "./", "../", "."])
def test_part_files_need_a_folder_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, out: str) -> None:
    monkeypatch.chdir(tmp_path)
    page = write_page(tmp_path / "a.png")
    result = CliRunner().invoke(cli, ["run", str(page), "--out", out])
    assert result.exit_code == 6, result.output
