"""``ocrbatch merge``: the file of one run from the files of its shards."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ocrbatch.errors import ExitCode, OutputError

if TYPE_CHECKING:
    import pyarrow as pa


@click.command("merge", context_settings={"max_content_width": 120})
@click.argument("shards", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="SHARD.parquet...")
@click.option(
    "--out", "-o", required=True, type=click.Path(path_type=Path), help="Results: .parquet, .jsonl, .json or .csv."
)
@click.option("--overwrite", is_flag=True, help="Replace a file that is there.")
@click.option("--quiet", "-q", is_flag=True, help="Say nothing but errors.")
def command(shards: tuple[Path, ...], out: Path, overwrite: bool, quiet: bool) -> None:
    """Make one file of the results of all shards of `ocrbatch run --shard I/N`, as one run would have written it.

    Exit code 10 when pages failed.

    \b
    ocrbatch run scans --shard 1/2 --out part-1.parquet
    ocrbatch run scans --shard 2/2 --out part-2.parquet
    ocrbatch merge part-1.parquet part-2.parquet --out results.parquet
    """
    from ocrbatch.outputs.merging import merged, read_shards
    from ocrbatch.outputs.writers import writer_for

    write = writer_for(out)
    files = read_shards(shards)
    if any(out.absolute() == shard.path.absolute() for shard in files):
        raise OutputError(f"{out} is one of the shards: choose another --out.")
    if out.exists() and not overwrite:
        raise OutputError(f"{out} exists: choose another --out, or --overwrite.")
    counts: Counter[str] = Counter()
    write(out, _counted(merged(files), counts), files[0].config)
    if not quiet:
        told = ", ".join(f"{counts[status]:,} {status}" for status in ("ok", "empty", "failed"))
        click.echo(f"Wrote {counts.total():,} pages of {len(files):,} shards to {out}: {told}.", err=True)
    sys.exit(ExitCode.PARTIAL if counts["failed"] else ExitCode.OK)


def _counted(batches: Iterable[pa.RecordBatch], counts: Counter[str]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        counts.update(batch["status"].to_pylist())
        yield batch
