"""``ocrbatch view``: results as one page for the browser."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import click

from ocrbatch.errors import OutputError

_STATUSES = ("ok", "empty", "failed")


@click.command("view", context_settings={"max_content_width": 120})
@click.argument("results")
@click.option("--out", "-o", required=True, metavar="FILE.html", help="Page to write.")
@click.option(
    "--images",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    help="Look for the pages in this folder instead of where they were.",
)
@click.option("--pictures", type=click.IntRange(0), default=300, show_default=True, help="Pages that get a picture.")
@click.option("--side", type=click.IntRange(100), default=1100, show_default=True, help="Pixels of a picture, at most.")
@click.option("--only", type=click.Choice(_STATUSES), multiple=True, help="Show pages of this status; may be repeated.")
@click.option("--limit", type=click.IntRange(1), default=10_000, show_default=True, help="Pages to show, at most.")
@click.option("--overwrite", is_flag=True, help="Replace the file if it is there.")
@click.option("--quiet", "-q", is_flag=True, help="Say nothing but errors.")
def command(
    results: str,
    out: str,
    images: Path | None,
    pictures: int,
    side: int,
    only: tuple[str, ...],
    limit: int,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Make one HTML page of the RESULTS of `ocrbatch run`: a .parquet, .jsonl or .json file, or a folder of Parquet
    files. RESULTS and --out may be URIs too, such as s3://bucket/results.parquet.

    Page by page, with boxes, texts and scores; a search; filters by status, reason and score; figures of the whole run.
    The page needs no network and can be passed on as it is. Pages without a picture show their text in its place.

    \b
    ocrbatch view results.parquet --out report.html
    ocrbatch view results.parquet --out failures.html --only failed
    """
    from rich.console import Console
    from rich.progress import track

    from ocrbatch.cli.page_report import PageReport
    from ocrbatch.outputs.report import ReportOptions, write_report
    from ocrbatch.outputs.targets import refuse_inputs, target_of

    target = target_of(out, "html")
    target.check()
    refuse_inputs(target, [results], "where the results are")
    if target.mark() and not overwrite:
        raise OutputError(f"{target.name} exists: choose another --out, or --overwrite.")
    options = ReportOptions(pictures, side, limit, frozenset(only), images)
    report = PageReport(quiet)
    console = Console(stderr=True)
    hidden = quiet or not console.is_terminal

    def write(path: Path, _: object) -> None:
        outcomes = write_report(results, path, options)
        for outcome in track(outcomes, "Writing", console=console, transient=True, disable=hidden):
            report.page(outcome.source, outcome.page, None if quiet else outcome.problem)

    with TemporaryDirectory() as work:
        target.write(write, (), Path(work))
    report.end(target.name, "without their picture")
