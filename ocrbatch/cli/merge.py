"""``ocrbatch merge``: the file of one run from the files of its shards."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from ocrbatch.data.places import is_uri, shown_as
from ocrbatch.errors import ExitCode, OutputError

if TYPE_CHECKING:
    import pyarrow as pa


@click.command("merge", context_settings={"max_content_width": 120})
@click.argument("shards", nargs=-1, required=True, metavar="SHARD.parquet...")
@click.option(
    "--out",
    "-o",
    required=True,
    metavar="PLACE",
    help="Results: .parquet, .jsonl, .json or .csv; with a slash at its end, a folder of part files (Parquet).",
)
@click.option("--overwrite", is_flag=True, help="Replace a file that is there.")
@click.option("--quiet", "-q", is_flag=True, help="Say nothing but errors.")
def command(shards: tuple[str, ...], out: str, overwrite: bool, quiet: bool) -> None:
    """Make one file of the results of all shards of `ocrbatch run --shard I/N`, as one run would have written it.

    A folder stands for the Parquet files in it; shards and --out may be URIs too, such as s3://bucket/part-1.parquet.
    Exit code 10 when pages failed.

    \b
    ocrbatch run scans --shard 1/2 --out part-1.parquet
    ocrbatch run scans --shard 2/2 --out part-2.parquet
    ocrbatch merge part-1.parquet part-2.parquet --out results.parquet
    """
    from ocrbatch.outputs.merging import merged, read_shards
    from ocrbatch.outputs.targets import target_of
    from ocrbatch.outputs.writers import writer_for

    target = target_of(out)
    target.check()
    files = read_shards(shards)
    if _canonical(out) in {_canonical(shard.path) for shard in files}:
        raise OutputError(f"{target.name} is one of the shards: choose another --out.")
    if target.mark() and not overwrite:
        raise OutputError(f"{target.name} exists: choose another --out, or --overwrite.")
    counts: Counter[str] = Counter()
    write, config = writer_for(Path(target.name), target.suffix, there=True), files[0].config
    with TemporaryDirectory() as work:
        target.write(lambda path, rows: write(path, rows, config), _counted(merged(files), counts), Path(work))
    if not quiet:
        told = ", ".join(f"{counts[status]:,} {status}" for status in ("ok", "empty", "failed"))
        click.echo(f"Wrote {counts.total():,} pages of {len(files):,} shards to {target.name}: {told}.", err=True)
    sys.exit(ExitCode.PARTIAL if counts["failed"] else ExitCode.OK)


def _canonical(path: str) -> str:
    return shown_as(path) if is_uri(path) else str(Path(path).absolute())


def _counted(batches: Iterable[pa.RecordBatch], counts: Counter[str]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        counts.update(batch["status"].to_pylist())
        yield batch
