"""``ocrbatch view``: results as one page for the browser."""

from __future__ import annotations

from pathlib import Path

import click

_STATUSES = ("ok", "empty", "failed")


@click.command("view", context_settings={"max_content_width": 120})
@click.argument("results", type=click.Path(path_type=Path))
@click.option("--out", "-o", required=True, type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.html",
              help="Page to write.")  # fmt: skip
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
    results: Path,
    out: Path,
    images: Path | None,
    pictures: int,
    side: int,
    only: tuple[str, ...],
    limit: int,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Make one HTML page of the RESULTS of `ocrbatch run`, a .parquet, .jsonl or .json file.

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

    options = ReportOptions(pictures, side, limit, frozenset(only), images)
    outcomes = write_report(results, out, options, overwrite=overwrite)
    report = PageReport(quiet)
    console = Console(stderr=True)
    for outcome in track(
        outcomes, "Writing", console=console, transient=True, disable=quiet or not console.is_terminal
    ):
        report.page(outcome.source, outcome.page, None if quiet else outcome.problem)
    report.end(out, "without their picture")
