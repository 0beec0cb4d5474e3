"""What commands share: the plugin host, built when a command asks for it, and how results are asked for."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

import click

from ocrbatch.errors import PluginError
from ocrbatch.outputs.formats import DOCUMENTS, TABLES

if TYPE_CHECKING:
    from ocrbatch.plugin_system.host import Host

P = ParamSpec("P")
R = TypeVar("R")

OUT_HELP = (
    f"Results, by how the name ends: {', '.join((*TABLES.values(), *DOCUMENTS.values()))}. With a slash at its end a "
    f"folder of part files (Parquet), or with --to of a document for each page or source."
)

form_option = click.option(
    "--to",
    "form",
    type=click.Choice([*DOCUMENTS, *TABLES]),
    help="Format, where the name does not say it. A document is one file if PLACE ends like one, else a folder.",
)


def pass_host(function: Callable[Concatenate[Host, P], R]) -> Callable[P, R]:
    """Give a command the plugin host as its first argument, after a warning on stderr for each broken plugin.

    With ``--strict-plugins`` a broken plugin is a PluginError.
    """

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        host = load_host()
        refuse_broken(host)
        for row in host.unusable():
            click.echo(f"Warning: the plugin {row.name!r} of {row.provider} cannot be used: {row.reason}.", err=True)
        return function(host, *args, **kwargs)

    return wrapper


def load_host() -> Host:
    """The host for the options of the running command line."""
    from ocrbatch.plugin_system.host import Host

    return Host.load(disable=click.get_current_context().find_root().params.get("disabled_plugins", ()))


def refuse_broken(host: Host) -> None:
    """Raise PluginError for failed and conflicting plugins if ``--strict-plugins`` was given."""
    broken = host.unusable()
    if broken and click.get_current_context().find_root().params.get("strict_plugins"):
        reasons = "; ".join(f"{row.name!r} of {row.provider}: {row.reason}" for row in broken)
        raise PluginError(f"Some plugins cannot be used ({reasons}).")
