"""``ocrbatch data stats``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ocrbatch.cli.data_options import counting, entries_of, format_option, json_option
from ocrbatch.cli.reports import refuse_other, write_json

if TYPE_CHECKING:
    from ocrbatch.data.stats import Stats

_CHARACTERS = 80


@click.command()
@click.argument("data", type=click.Path(path_type=Path))
@format_option
@json_option
def stats(data: Path, format_name: str | None, json_file: Path | None) -> None:
    """Count and measure the labels DATA: pictures, texts, regions, characters."""
    from ocrbatch.data.stats import measure

    refuse_other(json_file, "--json", "report of `ocrbatch data stats`", '{\n "counts": {')
    content, entries = entries_of(data, format_name)
    with counting(content) as count:
        found = measure(entries, count)
    _show(found)
    if json_file is not None:
        write_json(json_file, found.to_json())


def _show(found: Stats) -> None:
    from rich.console import Console
    from rich.table import Table

    for what, times in found.counts.items():
        if times:
            click.echo(f"{times:>10,} {what}")
    quantiles = found.quantiles()
    if quantiles:
        first = next(iter(quantiles.values()))
        table = Table("", *first, box=None, padding=(0, 2, 0, 0))
        for name, values in quantiles.items():
            table.add_row(name, *(f"{value:g}" for value in values.values()))
        Console(highlight=False).print(table)
    if found.characters:
        most = " ".join(f"{_named(c)}:{times}" for c, times in found.characters.most_common(_CHARACTERS))
        rest = max(0, len(found.characters) - _CHARACTERS)
        click.echo(f"{len(found.characters)} different characters: {most}{f' and {rest} more' if rest else ''}")


def _named(character: str) -> str:
    """A character as a person can see it."""
    return character if character.isprintable() and not character.isspace() else f"U+{ord(character):04X}"
