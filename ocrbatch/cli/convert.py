"""``ocrbatch convert``: results as documents and tables for other programs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ocrbatch.cli.options import OUT_HELP, form_option
from ocrbatch.cli.page_report import PageReport
from ocrbatch.errors import ExitCode

if TYPE_CHECKING:
    from ocrbatch.outputs.documents import Outcome


@click.command("convert", context_settings={"max_content_width": 120})
@click.argument("results")
@form_option
@click.option("--out", "-o", required=True, metavar="PLACE", help=OUT_HELP)
@click.option(
    "--images",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    help="For pdf: look for the pages in this folder instead of where they were.",
)
@click.option("--overwrite", is_flag=True, help="Replace files that are there.")
@click.option("--quiet", "-q", is_flag=True, help="Say nothing but errors.")
def command(results: str, form: str | None, out: str, images: Path | None, overwrite: bool, quiet: bool) -> None:
    """Make documents or tables of the RESULTS of `ocrbatch run`: a .parquet, .jsonl or .json file, or a folder of
    Parquet files.

    RESULTS and --out may be URIs too, such as s3://bucket/results.parquet. In a folder, hocr, alto and pagexml are a
    file for each page, txt and pdf (pages with invisible text) a file for each source. csv is a line for each region.
    Exit code 10 when pages failed.

    \b
    ocrbatch convert results.parquet --out book.pdf
    ocrbatch convert results.parquet --to alto --out alto/
    ocrbatch convert results.parquet --to pdf --out searchable/ --images scans/
    ocrbatch convert results.parquet --out regions.csv
    """
    from ocrbatch.outputs.conversion import convert
    from ocrbatch.outputs.targets import target_of

    report = PageReport(quiet)

    def tell(page: Outcome) -> None:
        report.page(page.source, page.page, page.problem)

    target = target_of(out, form)
    convert(results, target, tell, images=images, overwrite=overwrite)
    report.end(target.name)
    sys.exit(ExitCode.PARTIAL if report.problems else ExitCode.OK)
