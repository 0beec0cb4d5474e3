from __future__ import annotations

from pathlib import Path

import pytest

from ocrbatch.data.sources import SourceFile
from ocrbatch.errors import OutputError
from ocrbatch.outputs.lock import locked
from ocrbatch.outputs.rows import to_batch
from ocrbatch.pipeline.journal import Journal
from ocrbatch.pipeline.ledger import Ledger, open_ledger
from ocrbatch.pipeline.process import page_facts
from ocrbatch.pipeline.units import SpanReport
from ocrbatch.types import PageFailure, PageRef


def append(journal: Journal, source: str, *pages: int, sha256: str = "s", n_pages: int = 9) -> None:
    outcomes = [PageFailure(PageRef(source, page, n_pages), "Kind", "open", f"{source} {page}") for page in pages]
    report = SpanReport(source, 10, 20, sha256, n_pages, page_facts(outcomes))
    journal.append((report,), to_batch(outcomes).serialize().to_pybytes())


def messages(journal: Journal) -> list[str]:
    """What the rows of all entries say."""
    return [row["error_message"] for entry in journal.entries() for row in journal.rows(entry.place).to_pylist()]


def written(folder: Path) -> Journal:
    journal = Journal(folder)
    journal.start({"dpi": 200})
    append(journal, "a.png", 0)
    append(journal, "ü.pdf", 3, 4)
    append(journal, "b.png", 0)
    journal.close()
    return journal


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    journal = written(tmp_path / "j")
    assert messages(journal) == ["a.png 0", "ü.pdf 3", "ü.pdf 4", "b.png 0"]
    assert [entry.reports[0].pages for entry in journal.entries()][1] == ((3, "failed", "Kind"), (4, "failed", "Kind"))
    assert journal.settings() == [{"dpi": 200}]


def test_a_segment_cut_at_any_byte_gives_its_whole_entries_and_takes_more(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    journal.start({"dpi": 200})
    names = [f"{n}.png" for n in range(4)]
    for name in names:
        journal.append((SpanReport(name, 1, 2, "s", 1, ()),), b"rows")
    journal.close()
    segment = tmp_path / "j" / "000001.segment"
    content = segment.read_bytes()
    ends = [*[entry.place.offset for entry in journal.entries()][1:], len(content)]
    for cut in range(len(content) + 1):
        segment.write_bytes(content[:cut])
        whole = names[: sum(end <= cut for end in ends)]
        assert [entry.reports[0].source for entry in journal.entries()] == whole, cut
        if cut % 23:
            continue
        later = Journal(tmp_path / "j")
        later.start({"dpi": 200})
        later.append((SpanReport("late.png", 1, 2, "s", 1, ()),), b"rows")
        later.close()
        assert [entry.reports[0].source for entry in later.entries()] == [*whole, "late.png"], cut
        (tmp_path / "j" / "000002.segment").unlink()


def test_a_flipped_byte_costs_only_its_entry(tmp_path: Path) -> None:
    journal = written(tmp_path / "j")
    entries = list(journal.entries())
    segment = tmp_path / "j" / "000001.segment"
    content = bytearray(segment.read_bytes())
    content[entries[1].place.offset + 40] ^= 1
    segment.write_bytes(content)
    assert messages(journal) == ["a.png 0", "b.png 0"]
    with pytest.raises(OutputError, match="damaged"):
        journal.rows(entries[1].place)


def test_entries_are_on_the_disk_at_once(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    journal.start({})
    append(journal, "a.png", 0)
    assert messages(Journal(tmp_path / "j")) == ["a.png 0"]


def test_a_segment_without_settings_is_not_trusted(tmp_path: Path) -> None:
    journal = written(tmp_path / "j")
    segment = tmp_path / "j" / "000001.segment"
    content = bytearray(segment.read_bytes())
    content[14] ^= 1
    segment.write_bytes(content)
    assert messages(journal) == []


def test_the_ledger_knows_what_is_missing_and_what_is_newest(tmp_path: Path) -> None:
    journal = written(tmp_path / "j")
    journal.start({})
    append(journal, "ü.pdf", 4, 0)
    ledger = Ledger(tmp_path / "index")
    ledger.replay(journal.entries())
    assert ledger.missing("ü.pdf", 9) == [(1, 3), (5, 9)]
    append(journal, "ü.pdf", 7, sha256="other")
    ledger.replay(list(journal.entries())[-1:])
    assert ledger.missing("ü.pdf", 9) == [(0, 7), (8, 9)]
    ledger.forget_failures()
    assert ledger.missing("a.png", 1) == [(0, 1)]


def test_one_run_at_a_time(tmp_path: Path) -> None:
    with locked(tmp_path / "lock", Path("r.parquet")):
        second = locked(tmp_path / "lock", Path("r.parquet"))
        with pytest.raises(OutputError, match="Another run"):
            second.__enter__()
    with locked(tmp_path / "lock", Path("r.parquet")):
        pass


def test_files_that_only_look_like_segments_are_let_be(tmp_path: Path) -> None:
    journal = written(tmp_path / "j")
    before = messages(journal)
    for name in ("²", "7", "0000001", "1" * 200, "a"):
        (tmp_path / "j" / f"{name}.segment").write_bytes(b"x")
    assert messages(journal) == before


def test_a_full_disk_under_the_index_is_told(tmp_path: Path) -> None:
    def fill() -> None:
        with open_ledger(tmp_path / "index") as ledger:
            ledger._base.execute("PRAGMA max_page_count = 8")
            ledger.list_files(SourceFile(f"{number}.png", f"{number}.png", 1, 1) for number in range(10_000))

    with pytest.raises(OutputError, match=r"Cannot keep the index .*full"):
        fill()
    assert not (tmp_path / "index").exists()
