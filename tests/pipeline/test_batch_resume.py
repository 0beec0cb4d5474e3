"""The same command again: what is kept, what is read anew, what is refused."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pipeline_doubles import CRASH, Quiet, run, write_page, write_tiff

from ocrbatch.errors import OutputError


def table(path: Path) -> pa.Table:
    """The rows without the times."""
    rows = pq.read_table(path)
    return rows.drop_columns([name for name in rows.column_names if name.startswith("seconds_")])


def fill(root: Path, count: int = 6) -> Path:
    for n in range(count):
        write_page(root / f"{n}.png", (10, 10, 20 + n, 10))
    write_tiff(root / "2.tif", 7)
    return root


def assert_like_a_fresh_run(root: Path, out: Path) -> None:
    fresh = out.with_name("fresh.parquet")
    shutil.rmtree(fresh.with_name("fresh.parquet.journal"), ignore_errors=True)
    fresh.unlink(missing_ok=True)
    run(root, out=fresh)
    assert table(out).equals(table(fresh))


def test_a_second_start_does_nothing(tmp_path: Path) -> None:
    root, out = fill(tmp_path / "in"), tmp_path / "r.parquet"
    assert run(root, out=out).state == "written"
    before = out.stat().st_mtime_ns, out.read_bytes()
    summary = run(root, out=out, build="dying_build")  # no worker is even started
    assert (summary.state, summary.progress.read, summary.counts["ok"]) == ("unchanged", 0, 13)
    assert (out.stat().st_mtime_ns, out.read_bytes()) == before


def test_an_interrupted_run_goes_on(tmp_path: Path) -> None:
    root, out = fill(tmp_path / "in"), tmp_path / "r.parquet"
    first = run(root, out=out, watch=Quiet(stop_after=3), unit_pages=2)
    assert first.state == "interrupted"
    assert not out.exists()
    second = run(root, out=out)
    assert second.state == "written"
    assert (first.progress.read + second.progress.read, second.progress.skipped) == (13, first.progress.read)
    assert second.progress.total == 13
    assert_like_a_fresh_run(root, out)


def test_a_lost_output_is_written_again_without_reading_a_page(tmp_path: Path) -> None:
    root, out = fill(tmp_path / "in"), tmp_path / "r.parquet"
    run(root, out=out)
    before = table(out)
    out.unlink()
    summary = run(root, out=out, build="dying_build")
    assert (summary.state, summary.progress.read) == ("written", 0)
    assert table(out).equals(before)


def test_new_changed_touched_and_deleted_files(tmp_path: Path) -> None:
    root, out = fill(tmp_path / "in"), tmp_path / "r.parquet"
    run(root, out=out)
    write_page(root / "0a.png", (10, 10, 50, 10))
    write_tiff(root / "2.tif", 5)
    os.utime(root / "3.png", ns=(1, 1))
    (root / "4.png").unlink()
    summary = run(root, out=out)
    assert (summary.state, summary.progress.read) == ("written", 6)
    assert_like_a_fresh_run(root, out)
    assert run(root, out=out).state == "unchanged"
    (root / "5.png").unlink()
    assert run(root, out=out, build="dying_build").state == "written"
    assert_like_a_fresh_run(root, out)


def test_a_file_half_read_and_then_changed_is_read_from_its_start(tmp_path: Path) -> None:
    root, out = tmp_path / "in", tmp_path / "r.parquet"
    root.mkdir()
    write_tiff(root / "a.tif", 9)
    run(root, out=out, watch=Quiet(stop_after=2), unit_pages=2)
    write_tiff(root / "a.tif", 4)
    summary = run(root, out=out)
    assert summary.progress.read == 4
    assert_like_a_fresh_run(root, out)


def test_a_file_half_read_and_then_touched_goes_on(tmp_path: Path) -> None:
    root, out = tmp_path / "in", tmp_path / "r.parquet"
    root.mkdir()
    write_tiff(root / "a.tif", 9)
    first = run(root, out=out, watch=Quiet(stop_after=2), unit_pages=2)
    os.utime(root / "a.tif", ns=(1, 1))
    assert run(root, out=out).progress.read == 9 - first.progress.read
    assert_like_a_fresh_run(root, out)


def test_other_settings_are_refused_by_name(tmp_path: Path) -> None:
    root, out = fill(tmp_path / "in", 1), tmp_path / "r.parquet"
    settings = {"dpi": 200, "det": {"bundle": "a" * 64}, "post": [{"name": "score_filter", "rec_score": 0.5}]}
    run(root, out=out, settings=settings)
    other = {**settings, "dpi": 300, "post": [{"name": "score_filter", "rec_score": 0.7}]}
    with pytest.raises(OutputError, match=r"dpi was 200, now 300; post\.0\.rec_score was 0\.5, now 0\.7.*--overwrite"):
        run(root, out=out, settings=other)
    with pytest.raises(OutputError, match=r"det\.bundle was aaaaaaaaaaaa\.\.\., now bbbbbbbbbbbb\.\.\."):
        run(root, out=out, settings={**settings, "det": {"bundle": "b" * 64}})
    assert run(root, out=out, settings=other, overwrite=True).progress.read == 8


def test_rows_of_files_that_are_still_there_are_never_dropped(tmp_path: Path) -> None:
    out = tmp_path / "r.parquet"
    first, second = write_page(tmp_path / "a.png"), write_page(tmp_path / "b.png")
    run(first, out=out)
    with pytest.raises(OutputError, match=r"rows of 1 files .* such as .*a\.png"):
        run(second, out=out)
    assert run(first, second, out=out).progress.read == 1
    assert pq.read_table(out).num_rows == 2


def test_failed_pages_are_read_again_only_when_asked(tmp_path: Path) -> None:
    root, out = tmp_path / "in", tmp_path / "r.parquet"
    write_page(root / "bad.png", fate=CRASH)
    write_page(root / "good.png")
    (root / "empty.png").write_bytes(b"")
    assert run(root, out=out).counts["failed"] == 2
    assert run(root, out=out).state == "unchanged"
    summary = run(root, out=out, retry_failed=True)
    assert (summary.progress.read, summary.counts["failed"]) == (2, 2)
    write_page(root / "empty.png")
    summary = run(root, out=out)
    assert (summary.progress.read, summary.counts["failed"]) == (1, 1)


def test_pages_that_fail_in_one_start_may_succeed_in_the_next(tmp_path: Path) -> None:
    root, out = tmp_path / "in", tmp_path / "r.parquet"
    write_page(root / "late.png")
    (root / "link.png").symlink_to(root / "target.png")
    assert run(root, out=out).counts["failed"] == 1
    write_page(root / "target.png", (5, 5, 9, 9))
    assert run(root, out=out).counts == {"ok": 2, "empty": 1}
    assert_like_a_fresh_run(root, out)


def test_a_damaged_journal_costs_only_what_was_damaged(tmp_path: Path) -> None:
    root, out = fill(tmp_path / "in"), tmp_path / "r.parquet"
    run(root, out=out, unit_pages=1)
    before = table(out)
    segment = next((tmp_path / "r.parquet.journal").glob("*.segment"))
    content = bytearray(segment.read_bytes())
    content[len(content) // 2] ^= 1
    segment.write_bytes(content)
    summary = run(root, out=out)
    assert 1 <= summary.progress.read <= 8
    assert table(out).equals(before)


def test_the_journal_and_other_outputs_are_no_input(tmp_path: Path) -> None:
    root = fill(tmp_path / "in", 1)
    (root / "r.parquet.journal").mkdir()
    write_page(root / "r.parquet.journal" / "x.png")
    assert run(root, out=root / "r.parquet").counts.total() == 8


@pytest.mark.parametrize("name", ["r.parquet", "r.jsonl", "parts/"])
def test_results_that_somebody_changed_are_not_written_over(tmp_path: Path, name: str) -> None:
    root, out = fill(tmp_path / "in", 2), f"{tmp_path}/{name}"
    run(root, out=out)
    file = next(Path(out).glob("*.parquet")) if name == "parts/" else Path(out)
    written = file.read_bytes()
    file.write_bytes(b"corrected by hand")
    write_page(root / "new.png")
    with pytest.raises(OutputError, match=r"was changed since it was written: move it away"):
        run(root, out=out, build="dying_build")
    assert file.read_bytes() == b"corrected by hand"
    file.unlink()
    assert run(root, out=out).progress.read == 1  # made anew from what was read
    assert file.read_bytes() != written
    assert run(root, out=out, overwrite=True).state == "written"


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"\xff", b'{"form": "parquet"}', b'{"there": 5}'])
def test_a_damaged_note_of_the_end_costs_nothing(tmp_path: Path, damage: bytes) -> None:
    root, out = fill(tmp_path / "in", 2), tmp_path / "r.jsonl"
    run(root, out=out)
    (tmp_path / "r.jsonl.journal" / "finished.json").write_bytes(damage)
    assert run(root, out=out, build="dying_build").state == "written"
    assert run(root, out=out, build="dying_build").state == "unchanged"
