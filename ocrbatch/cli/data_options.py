"""What the commands on data sets share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ocrbatch.data.label_types import Content, Flaw, LineLabel, PageLabel

FORMAT_NAMES = ("labels", "paddle", "icdar", "mmocr", "lmdb", "folder", "results")

format_option = click.option(
    "--format", "format_name", type=click.Choice(FORMAT_NAMES), help="Format of the data [default: found by looking]."
)
json_option = click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write all of it as JSON.",
)


def entries_of(path: Path, format_name: str | None) -> tuple[Content, Iterator[LineLabel | PageLabel | Flaw]]:
    """What a data set labels, and its labels and flaws one by one. Raises InputError."""
    from ocrbatch.data.labels import content, line_entries, page_entries

    found = content(path, format_name)
    return found, page_entries(path, format_name) if found == "pages" else line_entries(path, format_name)


@contextmanager
def counting(what: str) -> Iterator[Callable[[], None]]:
    """A counter on the terminal; call what it yields once for each item."""
    from rich.console import Console
    from rich.progress import Progress, TextColumn

    columns = TextColumn("{task.description}"), TextColumn("{task.completed:,.0f}")
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=None)
        yield lambda: progress.advance(task)
