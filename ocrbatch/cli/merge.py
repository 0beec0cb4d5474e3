"""``ocrbatch merge``: the file of one run from the files of its shards."""

from __future__ import annotations

import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from ocrbatch.cli.options import OUT_HELP, form_option
from ocrbatch.cli.page_report import PageReport
from ocrbatch.errors import ExitCode, OutputError

if TYPE_CHECKING:
    from ocrbatch.outputs.documents import Outcome


@click.command("merge", context_settings={"max_content_width": 120})
@click.argument("shards", nargs=-1, required=True, metavar="SHARD.parquet...")
@click.option(
    "--out",
    "-o",
    required=True,
    metavar="PLACE",
    help=OUT_HELP,
)
@form_option
@click.option("--overwrite", is_flag=True, help="Replace a file that is there.")
@click.option("--quiet", "-q", is_flag=True, help="Say nothing but errors.")
def command(shards: tuple[str, ...], out: str, form: str | None, overwrite: bool, quiet: bool) -> None:
    """Make one file of the results of all shards of `ocrbatch run --shard I/N`, as one run would have written it.

    A folder stands for the Parquet files in it; shards and --out may be URIs too, such as s3://bucket/part-1.parquet.
    Exit code 10 when pages failed.

    \b
    ocrbatch run scans --shard 1/2 --out part-1.parquet
    ocrbatch run scans --shard 2/2 --out part-2.parquet
    ocrbatch merge part-1.parquet part-2.parquet --out results.parquet
    """
    from ocrbatch.outputs.merging import merged, read_shards, sources
    from ocrbatch.outputs.page_pictures import PageFiles
    from ocrbatch.outputs.saving import Results, rows_of, save
    from ocrbatch.outputs.targets import refuse_inputs, target_of

    target = target_of(out, form)
    target.check()
    files = read_shards(shards)
    refuse_inputs(target, [shard.path for shard in files], "one of the shards, or holds one")
    if target.mark() and not overwrite:
        raise OutputError(f"{target.name} exists: choose another --out, or --overwrite.")
    results = Results(
        lambda: merged(files),
        lambda: rows_of(merged(files)),
        lambda: sources(files),
        files[0].config,
        datetime.now(UTC),
    )
    counts: Counter[str] = Counter()
    report = PageReport(quiet)

    def tell(page: Outcome) -> None:
        counts[page.status] += 1
        report.page(page.source, page.page, None if page.status == "failed" else page.problem)

    with TemporaryDirectory() as work, PageFiles(reached=shards) as pages:
        save(results, target, Path(work), pages, tell)
    if not quiet:
        told = ", ".join(f"{counts[status]:,} {status}" for status in ("ok", "empty", "failed"))
        click.echo(f"Wrote {counts.total():,} pages of {len(files):,} shards to {target.name}: {told}.", err=True)
    sys.exit(ExitCode.PARTIAL if counts["failed"] or report.problems else ExitCode.OK)
