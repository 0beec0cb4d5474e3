"""The command line. ``ocrbatch --help`` reads the table below and imports no command, no plugin and nothing heavy."""

from __future__ import annotations

import errno
import os
from importlib import import_module
from typing import Any

import click

from ocrbatch import __version__
from ocrbatch.cli.arguments import refuse_empty
from ocrbatch.config.suggest import did_you_mean
from ocrbatch.errors import ExitCode, OcrbatchError

COMMANDS = {
    "data": ("ocrbatch.cli.data", "Make, convert, check and look at data sets."),
    "train": ("ocrbatch.cli.train", "Train a text detector or a text recognizer."),
    "eval": ("ocrbatch.cli.eval", "Score models on labelled data by the field's protocols."),
    "export": ("ocrbatch.cli.export", "Make a bundle from a training run."),
    "run": ("ocrbatch.cli.run", "Read pictures and PDFs into Parquet, JSON, CSV, text, hOCR, ALTO, PAGE or PDF."),
    "merge": ("ocrbatch.cli.merge", "Make one file of the results of all shards of a run."),
    "view": ("ocrbatch.cli.view", "Look at results in a browser: one HTML page that needs no network."),
    "convert": ("ocrbatch.cli.convert", "Make documents and tables of results: hOCR, ALTO, PAGE, PDF, text, CSV."),
    "models": ("ocrbatch.cli.models", "List, describe, check and import model bundles."),
    "plugins": ("ocrbatch.cli.plugins", "List, describe and start plugins."),
    "config": ("ocrbatch.cli.config", "List and print recipes, and one with every option explained."),
}
"""Name of each command: the module that holds it as ``command``, and its line in the help."""

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is called, and turns errors into exit codes."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(COMMANDS[cmd_name][0]).command
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not ctx.resilient_parsing:
            refuse_empty(ctx, args)
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            ctx.fail(f"There is no command {args[0]!r}{did_you_mean(args[0], COMMANDS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])

    def main(self, *args: Any, **kwargs: Any) -> Any:
        _open_standard_streams()
        return super().main(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except OcrbatchError as error:
            if ctx.params.get("debug"):
                raise
            click.echo(f"Error: {error}", err=True)
            ctx.exit(error.exit_code)
        except OSError as error:
            if error.errno == errno.EPIPE or ctx.params.get("debug"):  # a closed pipe is click's to handle
                raise
            click.echo(f"Error: {_told(error)}", err=True)
            ctx.exit(ExitCode.OUTPUT if error.errno in _NO_ROOM else ExitCode.INPUT)
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            ctx.exit(ExitCode.INTERRUPTED)


def _open_standard_streams() -> None:
    """Where a stream was closed (``2>&-``), the next file to be opened would take its number, and what is written to
    the stream."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest free number, which is this one


def _told(error: OSError) -> str:
    """What no command foresaw, such as a folder without permission or a name that is too long, in a sentence."""
    where = f" at {error.filename}" if error.filename is not None else ""
    return f"{error.strerror or error}{where} (`ocrbatch --debug` with the same command shows what was tried)."


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ocrbatch")
@click.option(
    "--disable-plugin",
    "disabled_plugins",
    multiple=True,
    metavar="NAME",
    help="Never import the plugin with this entry point; may be repeated. See `ocrbatch plugins list`.",
)
@click.option("--strict-plugins", is_flag=True, help="Stop with exit code 3 when any plugin is broken.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def cli(disabled_plugins: tuple[str, ...], strict_plugins: bool, debug: bool) -> None:
    """Train tiny OCR models and run them over big piles of documents."""
