"""``ocrbatch data``: make, convert, check and look at data sets."""

from __future__ import annotations

import click

from ocrbatch.cli.data_check import check
from ocrbatch.cli.data_convert import convert
from ocrbatch.cli.data_stats import stats
from ocrbatch.cli.data_synth import synth
from ocrbatch.cli.data_view import view


@click.group(name="data")
def command() -> None:
    """Make, convert, check and look at data sets to train on."""


for subcommand in (synth, convert, check, stats, view):
    command.add_command(subcommand)
