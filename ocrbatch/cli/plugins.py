"""``ocrbatch plugins``: what is installed, what each plugin can be told, and a start for a new one."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ocrbatch.cli.options import load_host, refuse_broken
from ocrbatch.errors import PluginError

if TYPE_CHECKING:
    from ocrbatch.config.describe import FieldLine
    from ocrbatch.plugin_system.catalogue import Row
    from ocrbatch.plugin_system.host import Host
    from ocrbatch.plugin_system.scaffold import Short

_COLUMNS = ("name", "kind", "distribution", "version", "status")


@click.group("plugins")
def command() -> None:
    """List, describe and start plugins."""


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def list_command(as_json: bool) -> None:
    """List all plugins: those that work, and why the others do not."""
    host = load_host()
    rows = sorted(host.rows, key=_by_kind)
    if as_json:
        click.echo(json.dumps([_record(row) for row in rows], indent=2))
    elif rows:
        _print_table(rows)
    else:
        click.echo("No plugin is installed, not even the built-in ones: run `pip install -e .` in ocrbatch's folder.")
    refuse_broken(host)


@command.command("show")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def show_command(name: str, as_json: bool) -> None:
    """Describe the plugins called NAME: where they come from and all that they can be told."""
    host = load_host()
    rows = _named(host, name)
    if as_json:
        click.echo(json.dumps([_full_record(host, row) for row in rows], indent=2, default=str))
        return
    for number, row in enumerate(rows):
        click.echo("\n" * bool(number) + _description(host, row))


@command.command("new")
@click.argument("kind", type=click.Choice(["det", "rec", "post"]))
@click.argument("name")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Folder to put the package's folder in; the current one by default.",
)
def new_command(kind: Short, name: str, out: Path) -> None:
    """Write a small, complete plugin package, with its tests, to start from."""
    from ocrbatch.plugin_system.scaffold import KINDS, write_package

    taken = [row for row in load_host().rows if (row.kind, row.name) == (KINDS[kind], name)]
    if taken:
        raise PluginError(f"{taken[0].provider} offers a {KINDS[kind]} {name!r} already: choose another name.")
    folder = write_package(kind, name, out)
    click.echo(f"Wrote {folder}. Next: pip install -e '{folder}[dev]' && pytest {folder} && ocrbatch plugins list")


def _by_kind(row: Row) -> tuple[int, str]:
    from ocrbatch.plugin_system.catalogue import Kind

    return (list(Kind).index(row.kind) if row.kind else len(Kind)), row.name


def _record(row: Row) -> dict[str, Any]:
    record = {column: getattr(row, column) for column in _COLUMNS}
    return record | {"entry_point": row.entry_point, "reason": row.reason}


def _full_record(host: Host, row: Row) -> dict[str, Any]:
    summary = row.descriptor.summary if row.descriptor else ""
    return _record(row) | {"summary": summary, "config": [asdict(line) for line in _config(host, row)]}


def _config(host: Host, row: Row) -> list[FieldLine]:
    from ocrbatch.config.describe import describe

    usable = row.descriptor is not None and row.status != "failed"
    return describe(host.schema(row.descriptor)) if usable and row.descriptor else []


def _named(host: Host, name: str) -> list[Row]:
    from ocrbatch.config.suggest import did_you_mean

    rows = [row for row in host.rows if name == row.name] or [row for row in host.rows if name == row.entry_point]
    if not rows:
        known = sorted({row.name for row in host.rows})
        raise PluginError(
            f"There is no plugin {name!r}{did_you_mean(name, known)} Known: {', '.join(known) or 'none'}."
        )
    return rows


def _print_table(rows: Sequence[Row]) -> None:
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.table import Table

        table = Table(*_COLUMNS, "reason", box=None, header_style="bold")
        styles = {"ok": "green", "blocked": "yellow", "failed": "red", "conflict": "red"}
        for row in rows:
            *cells, status = _cells(row)
            table.add_row(*cells, f"[{styles[row.status]}]{status}[/]", row.reason)
        Console().print(table)
        return
    lines = [_COLUMNS, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_COLUMNS))]
    for line, reason in zip(lines, ["", *(row.reason for row in rows)], strict=True):
        cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
        click.echo("  ".join([*cells, reason]).rstrip())


def _cells(row: Row) -> tuple[str, ...]:
    return row.name, row.kind or "-", row.distribution, row.version, row.status


def _description(host: Host, row: Row) -> str:
    lines = [f"{row.name} ({row.kind or 'plugin'}), {row.status}, from {row.provider}, entry point {row.entry_point}"]
    if row.descriptor:
        lines.append(row.descriptor.summary)
    if row.reason:
        lines.append(f"Reason: {row.reason}")
    fields = _config(host, row)
    if fields:
        lines += ["", "Options:"] + [text for field in fields for text in _field(field)]
    return "\n".join(lines)


def _field(field: FieldLine) -> list[str]:
    bounds = f", {field.bounds}" if field.bounds else ""
    default = "required" if field.required else f"default {json.dumps(field.default, ensure_ascii=False, default=str)}"
    lines = [f"  {field.key}: {field.type}{bounds} ({default})"]
    return [*lines, f"      {field.description}"] if field.description else lines
