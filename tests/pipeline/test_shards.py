"""Parts of a pile, read by processes that know nothing of each other, give the file of one run."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st
from pipeline_doubles import ERROR, run, write_page, write_tiff

from ocrbatch.cli.main import cli
from ocrbatch.data.shards import Roll, Shard
from ocrbatch.errors import ConfigError, InputError, OutputError
from ocrbatch.outputs.merging import merged, read_shards
from ocrbatch.outputs.rows import to_batch
from ocrbatch.outputs.shards import SHARD_KEY, SHARD_SCHEMA, ShardInfo, write_shard
from ocrbatch.outputs.writers import write_parquet
from ocrbatch.types import PageFailure, PageRef

N = 2


def fill(root: Path, count: int = 12) -> Path:
    for n in range(count):
        write_page(root / f"{n}.png", (10, 10, 20 + n, 10))
    write_page(root / "bad.png", fate=ERROR)
    (root / "sub").mkdir()
    write_tiff(root / "sub" / "5.tif", 7)
    return root


def read_all(*paths: Path, folder: Path) -> list[Path]:
    """The files of all shards of ``paths``."""
    targets = [folder / f"part-{number}.parquet" for number in range(1, N + 1)]
    for number, target in enumerate(targets, 1):
        run(*paths, out=target, shard=Shard(number, N))
    return targets


def merge(*arguments: Path | str) -> Result:
    return CliRunner().invoke(cli, ["merge", *map(str, arguments)])


def timeless(path: Path) -> pa.Table:
    table = pq.read_table(path)
    return table.drop_columns([name for name in table.column_names if name.startswith("seconds_")])


def test_merged_shards_are_the_file_of_one_run(tmp_path: Path) -> None:
    root, one = fill(tmp_path / "in"), tmp_path / "one.parquet"
    paths = root / "7.png", root, root / "3.png"  # some files are named twice
    parts = read_all(*paths, folder=tmp_path)
    run(*paths, out=one)
    sizes = [pq.read_metadata(part).num_rows for part in parts]
    assert sum(sizes) == pq.read_metadata(one).num_rows == 20
    assert all(sizes), "the test needs files in all shards"
    result = merge(*reversed(parts), "--out", tmp_path / "all.parquet")
    assert result.exit_code == 10, result.stderr  # bad.png
    assert "20 pages of 2 shards" in result.stderr
    assert timeless(tmp_path / "all.parquet").equals(timeless(one))
    together, alone = pq.read_metadata(tmp_path / "all.parquet"), pq.read_metadata(one)
    assert together.metadata == alone.metadata
    assert together.num_row_groups == alone.num_row_groups
    merge(*parts, "--out", tmp_path / "all.jsonl", "--quiet")
    rows = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text().splitlines()]
    assert [row["source"] for row in rows] == timeless(one)["source"].to_pylist()


def test_new_files_move_no_others(tmp_path: Path) -> None:
    root = fill(tmp_path / "in")
    parts = read_all(root, folder=tmp_path)
    before = [set(timeless(part)["source"].to_pylist()) for part in parts]
    write_page(root / "0-new.png", (10, 10, 33, 10))
    summaries = [run(root, out=part, shard=Shard(number, N)) for number, part in enumerate(parts, 1)]
    assert sum(summary.progress.read for summary in summaries) == 1
    assert [summary.state for summary in summaries] == ["written"] * N  # the places of all files have changed
    after = [set(timeless(part)["source"].to_pylist()) for part in parts]
    assert all(old <= new for old, new in zip(before, after, strict=True))
    merge(*parts, "--out", tmp_path / "all.parquet")
    run(root, out=tmp_path / "one.parquet")
    assert timeless(tmp_path / "all.parquet").equals(timeless(tmp_path / "one.parquet"))
    again = [run(root, out=part, shard=Shard(number, N)).state for number, part in enumerate(parts, 1)]
    assert again == ["unchanged"] * N


def test_a_shard_may_be_empty_but_not_the_pile(tmp_path: Path) -> None:
    page = write_page(tmp_path / "in" / "a.png", (10, 10, 20, 10))
    parts = read_all(page, folder=tmp_path)
    assert sorted(pq.read_metadata(part).num_rows for part in parts) == [0, 1]
    assert merge(*parts, "--out", tmp_path / "all.parquet").exit_code == 0
    assert [run(page, out=part, shard=Shard(n, N)).state for n, part in enumerate(parts, 1)] == ["unchanged"] * N
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="Nothing to read"):
        run(tmp_path / "empty", out=tmp_path / "none.parquet", shard=Shard(1, 2))


def test_files_of_other_shards_are_not_even_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ocrbatch.data.sources import list_sources

    root = fill(tmp_path / "in", 40)
    asked: list[str] = []
    ask = os.stat
    monkeypatch.setattr(os, "stat", lambda path, **told: (asked.append(str(path)), ask(path, **told))[1])
    mine = [file.source for file in list_sources([str(root)], takes=Roll(Shard(1, 4)).takes)]
    assert {path for path in asked if path.endswith(".png")} == {path for path in mine if path.endswith(".png")}


def test_what_cannot_be_a_shard_is_refused(tmp_path: Path) -> None:
    page = write_page(tmp_path / "a.png")
    with pytest.raises(OutputError, match=r"one \.parquet file, not .*r\.jsonl"):
        run(page, out=tmp_path / "r.jsonl", shard=Shard(1, 2))
    with pytest.raises(ConfigError, match="--limit or --shard"):
        run(page, out=tmp_path / "r.parquet", shard=Shard(1, 2), limit=3)
    run(page, out=tmp_path / "r.parquet", shard=Shard(1, 2))
    with pytest.raises(OutputError, match="shard was 1/2, now 2/2"):
        run(page, out=tmp_path / "r.parquet", shard=Shard(2, 2))
    with pytest.raises(OutputError, match="shard was 1/2, now not set"):
        run(page, out=tmp_path / "r.parquet")


@pytest.mark.parametrize("text", ["", "1", "0/4", "5/4", "1/0", "-1/4", "1/4/2", "a/b", "1.0/2", "٣/٤ x"])
def test_shards_are_numbered_from_one(text: str) -> None:
    with pytest.raises(ConfigError, match="1/"):
        Shard.parse(text)


@given(st.text(st.characters(codec="utf-8")), st.integers(1, 50))
def test_each_file_belongs_to_one_shard(source: str, of: int) -> None:
    assert [Shard(number, of).takes(source) for number in range(1, of + 1)].count(True) == 1


def test_the_shard_of_a_file_is_the_same_in_all_versions() -> None:
    sources = ("scans/a.png", "scans/ü 1.pdf", "s3://bucket/x.tif")
    assert [next(n for n in range(1, 8) if Shard(n, 7).takes(source)) for source in sources] == [1, 3, 7]


@given(st.lists(st.text("ab", max_size=3), max_size=5), st.lists(st.text("ab", max_size=3), max_size=5))
def test_the_digest_of_a_listing_tells_listings_apart(one: list[str], other: list[str]) -> None:
    rolls = [Roll(Shard(1, 1)), Roll(Shard(1, 1))]
    for roll, names in zip(rolls, (one, other), strict=True):
        for name in names:
            roll.takes(name)
    assert (rolls[0].digest == rolls[1].digest) == (one == other)


def part(folder: Path, number: int, of: int = 2, config: dict | None = None, name: str = "", **told: object) -> Path:
    """A shard's file without any rows."""
    path = folder / (name or f"{number}-{of}.parquet")
    config = {"ocrbatch": "1", "settings": {"dpi": 200}} if config is None else config
    write_shard(path, [], config, ShardInfo(number, of, **{"files": 5, "listing": "d", **told}))
    return path


def relabelled(shard: Path, info: Any) -> Path:
    """The same file, which says of itself ``info``."""
    table = pq.read_table(shard)
    metadata = {**table.schema.metadata, SHARD_KEY.encode(): json.dumps(info).encode()}
    pq.write_table(table.replace_schema_metadata(metadata), shard.with_name(f"{len(info)}.parquet"))
    return shard.with_name(f"{len(info)}.parquet")


@pytest.fixture
def wrong(tmp_path: Path) -> dict[str, tuple[list[Path], str]]:
    first, second = part(tmp_path, 1), part(tmp_path, 2)
    other = {"ocrbatch": "1", "settings": {"dpi": 300, "det": {"bundle": "b" * 64}}}
    write_parquet(tmp_path / "whole.parquet", [], {})
    pq.write_table(pa.table({"a": [1]}), tmp_path / "other.parquet")
    (tmp_path / "text.parquet").write_text("no Parquet at all")
    return {
        "missing": ([first], "Shard 2/2 is missing"),
        "many missing": ([part(tmp_path, 3, 40)], r"Shards 1/40, 2/40, 4/40.* and 29 more are missing.* all 40"),
        "twice": ([first, second, part(tmp_path, 2, name="again.parquet")], r"Shard 2/2 is there twice: .*again"),
        "division": ([first, part(tmp_path, 2, 3)], "shard 1/2 .* shard 2/3: these are parts of different divisions"),
        "settings": (
            [first, part(tmp_path, 2, config=other, name="o.parquet")],
            r"det\.bundle is not set in .*1-2\.parquet, bbbbbbbbbbbb\.\.\. in .*o\.parquet; dpi is 200 in .*, 300 in",
        ),
        "version": (
            [first, part(tmp_path, 2, config={"ocrbatch": "2", "settings": {"dpi": 200}}, name="v.parquet")],
            r"the version of ocrbatch is 1 in .*, 2 in",
        ),
        "pile": ([first, part(tmp_path, 2, files=6, name="p.parquet")], "different piles, of 5 and 6 files"),
        "order": ([first, part(tmp_path, 2, listing="e", name="q.parquet")], "start the command of each shard again"),
        "whole": ([first, tmp_path / "whole.parquet"], "whole.parquet is no shard"),
        "other": ([first, tmp_path / "other.parquet"], "other.parquet is no shard"),
        "text": ([first, tmp_path / "text.parquet"], "text.parquet is no Parquet file"),
        "newer": ([first, relabelled(second, {"number": 2, "of": 2, "lines": 7})], "is a shard of another version"),
        "odd": ([first, relabelled(second, [2, 2])], "is a shard of another version"),
        "gone": ([first, tmp_path / "gone.parquet"], "Cannot read .*gone.parquet: No such file"),
    }


@pytest.mark.parametrize(
    "case",
    [
        *("missing", "many missing", "twice", "division", "settings", "version", "pile", "order"),
        *("whole", "other", "text", "newer", "odd", "gone"),
    ],
)
def test_what_does_not_belong_together_is_not_merged(
    tmp_path: Path, wrong: dict[str, tuple[list[Path], str]], case: str
) -> None:
    parts, message = wrong[case]
    for order in (parts, parts[::-1]):
        result = merge(*order, "--out", tmp_path / "all.parquet")
        assert result.exit_code == 5
    with pytest.raises(InputError, match=message):
        read_shards(parts)
    assert not (tmp_path / "all.parquet").exists()


def test_the_output_of_a_merge_is_nobodys_file(tmp_path: Path) -> None:
    first, second = part(tmp_path, 1), part(tmp_path, 2)
    assert "is one of the shards" in merge(first, second, "--out", first, "--overwrite").stderr
    (tmp_path / "all.parquet").write_text("precious")
    assert merge(first, second, "--out", tmp_path / "all.parquet").exit_code == 6
    assert (tmp_path / "all.parquet").read_text() == "precious"
    assert merge(first, second, "--out", tmp_path / "all.parquet", "--overwrite").exit_code == 0
    assert merge(first, second, "--out", tmp_path / "all.xls").exit_code == 6


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 150)), max_size=12))
def test_any_division_is_put_together_again(
    tmp_path_factory: pytest.TempPathFactory, files: list[tuple[int, int]]
) -> None:
    """``files`` are the shard and the number of pages of each file of a listing."""
    folder = tmp_path_factory.mktemp("shards")
    whole = []
    parts: dict[int, list[pa.RecordBatch]] = {1: [], 2: [], 3: []}
    for place, (number, pages) in enumerate(files):
        outcomes = [PageFailure(PageRef(f"{place}.pdf", page, pages), "E", "open", "x") for page in range(pages)]
        rows = to_batch(outcomes)
        whole.append(rows)
        listed = pa.array([place] * pages, pa.int64())
        parts[number].append(pa.RecordBatch.from_arrays([*rows.columns, listed], schema=SHARD_SCHEMA))
    paths = [folder / f"{number}.parquet" for number in parts]
    for path, (number, batches) in zip(paths, parts.items(), strict=True):
        write_shard(path, batches, {}, ShardInfo(number, 3, len(files), "d"))
    together = list(merged(read_shards(paths)))
    assert pa.Table.from_batches(together, to_batch([]).schema).equals(
        pa.Table.from_batches(whole, to_batch([]).schema)
    )
