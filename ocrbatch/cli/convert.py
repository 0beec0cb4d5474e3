"""``ocrbatch convert``: results as documents and tables for other programs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ocrbatch.cli.page_report import PageReport
from ocrbatch.errors import ExitCode, OutputError

if TYPE_CHECKING:
    import pyarrow as pa

_DOCUMENTS = ("hocr", "alto", "pagexml", "txt", "pdf")
_TABLES = ("csv", "jsonl", "json", "parquet")
_TOLD = ["source", "page", "status", "error_kind", "error_message"]


@click.command("convert", context_settings={"max_content_width": 120})
@click.argument("results", type=click.Path(path_type=Path))
@click.option("--to", "form", type=click.Choice([*_DOCUMENTS, *_TABLES]), help="Format. Default: as --out ends.")
@click.option(
    "--out", "-o", required=True, type=click.Path(path_type=Path), help="File for a table, folder for documents."
)
@click.option(
    "--images",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    help="For pdf: look for the pages in this folder instead of where they were.",
)
@click.option("--overwrite", is_flag=True, help="Replace files that are there.")
@click.option("--quiet", "-q", is_flag=True, help="Say nothing but errors.")
def command(results: Path, form: str | None, out: Path, images: Path | None, overwrite: bool, quiet: bool) -> None:
    """Make documents or tables of the RESULTS of `ocrbatch run`, a .parquet, .jsonl or .json file.

    hocr, alto and pagexml: a file for each page. txt and pdf (pages with invisible text): a file for each source.
    csv: a line for each region. Exit code 10 when pages failed.

    \b
    ocrbatch convert results.parquet --to alto --out alto/
    ocrbatch convert results.parquet --to pdf --out searchable/ --images scans/
    ocrbatch convert results.parquet --out regions.csv
    """
    report = PageReport(quiet)
    form = form or out.suffix.lower().removeprefix(".")
    if form in _TABLES:
        _table(results, form, out, overwrite, report)
    elif form in _DOCUMENTS:
        _documents(results, form, out, images, overwrite, report)
    else:
        raise OutputError(f"Which format is {out} to have? Say --to {', '.join(_DOCUMENTS + _TABLES)}.")
    report.end(out)
    sys.exit(ExitCode.PARTIAL if report.problems else ExitCode.OK)


def _documents(results: Path, form: str, out: Path, images: Path | None, overwrite: bool, report: PageReport) -> None:
    from ocrbatch.outputs.conversion import convert

    for outcome in convert(results, form, out, images=images, overwrite=overwrite):
        report.page(outcome.source, outcome.page, outcome.problem)


def _table(results: Path, form: str, out: Path, overwrite: bool, report: PageReport) -> None:
    from ocrbatch.outputs.results import read_batches, read_config
    from ocrbatch.outputs.writers import writer_for

    write = writer_for(out, f".{form}")
    if out.exists() and not overwrite:
        raise OutputError(f"{out} exists: choose another --out, or --overwrite.")

    def told() -> Iterator[pa.RecordBatch]:
        for batch in read_batches(results):
            for row in batch.select(_TOLD).to_pylist():
                reason = f"failed in the run ({row['error_kind']}: {row['error_message']})"
                report.page(row["source"], row["page"] or 0, reason if row["status"] == "failed" else None)
            yield batch

    write(out, told(), read_config(results))
