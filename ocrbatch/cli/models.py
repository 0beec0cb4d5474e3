"""``ocrbatch models``: the bundles at hand, what they say of themselves, and whether they are whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ocrbatch.cli.arguments import FiniteRange
from ocrbatch.cli.export import LICENCE_HELP, stated, summary, use_tensorflow
from ocrbatch.cli.options import pass_host

if TYPE_CHECKING:
    from ocrbatch.bundles.format import BundleInfo
    from ocrbatch.plugin_system.host import Host

KIND = click.Choice(["det", "rec"])


@click.group("models")
def command() -> None:
    """List, describe, check and import model bundles."""


@command.command("list")
@click.argument("folders", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def list_command(folders: tuple[Path, ...], as_json: bool) -> None:
    """List the default bundles and those below FOLDERS."""
    rows = [_row(name, path) for name, path in [*_defaults(), *_below(folders)]]
    if as_json:
        click.echo(_json(rows))
        return
    for line in _table(rows):
        click.echo(line)


@command.command("show")
@click.argument("bundle")
def show_command(bundle: str) -> None:
    """Print all that BUNDLE (a path, or det or rec) says of itself, as JSON."""
    _, info = _open(bundle)
    unsaid = {} if info.metrics else {"metrics": "not measured"}
    unsaid |= {} if info.licence else {"licence": "not stated"}
    click.echo(_json(info.model_dump(mode="json") | unsaid))


@command.command("path")
@click.argument("kind", type=KIND)
def path_command(kind: str) -> None:
    """Print where the default detector or recognizer lies."""
    from ocrbatch.bundles.store import default_bundle

    click.echo(default_bundle(kind))


@command.command("verify")
@click.argument("bundles", nargs=-1, required=True)
def verify_command(bundles: tuple[str, ...]) -> None:
    """Check every file of BUNDLES (paths, or det or rec) against its checksum."""
    from ocrbatch.bundles.store import damages
    from ocrbatch.errors import BundleError

    problems = []
    for bundle in bundles:
        path, info = _open(bundle)
        found = damages(path)
        problems += found
        if not found:
            click.echo(f"{path}: {len(info.files) + 1} files are as they were exported.")
    if problems:
        raise BundleError(" ".join(problems))


@command.command("import-paddle")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--recipe", required=True, help="Name of a classic model, such as det_mv3_db, or a recipe's YAML file.")
@click.option("--charset", help="Recognizers: a charset's name, or the dictionary file; en by default.")
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="Option of the model; may be repeated.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Bundle to write.")
@click.option("--samples", type=click.Path(exists=True, path_type=Path), help="Pictures to try the exported graph on.")
@click.option(
    "--tolerance",
    type=FiniteRange(0, min_open=True),
    help="Largest difference allowed between outputs. Default: 0.001, or 0.05 with --half.",
)
@click.option("--half", is_flag=True, help="Store the graph's weights as float16: half the size, as fast, rounded.")
@click.option("--licence", callback=stated, help=LICENCE_HELP)
@click.option("--overwrite", is_flag=True, help="Replace an existing bundle.")
@pass_host
def import_paddle_command(
    host: Host, file: Path, out: Path, samples: Path | None, assignments: tuple[str, ...], **options: Any
) -> None:
    """Make a bundle from the PaddleOCR training checkpoint FILE (.pdparams).

    Paddle is not needed, and nothing in the file is executed.
    """
    use_tensorflow()
    from ocrbatch.bundles.paddle import import_checkpoint
    from ocrbatch.bundles.samples import drawn_pictures, folder_pictures

    pictures = drawn_pictures(8) if samples is None else folder_pictures(samples, 8)
    info = import_checkpoint(file, out, host, pictures, assignments=assignments, **options)
    click.echo(summary(out, info))


def _open(bundle: str) -> tuple[Path, BundleInfo]:
    from ocrbatch.bundles.store import locate, read_info

    path = locate(bundle)
    return path, read_info(path)


def _defaults() -> Iterator[tuple[str, Path]]:
    from ocrbatch.bundles.store import default_bundle
    from ocrbatch.errors import BundleError

    for kind in ("det", "rec"):
        try:
            yield kind, default_bundle(kind)
        except BundleError:
            continue


def _below(folders: tuple[Path, ...]) -> Iterator[tuple[str, Path]]:
    from ocrbatch.bundles.archive import is_bundle

    for folder in folders:
        for path in [folder, *sorted(folder.rglob("*"))]:
            if is_bundle(path):
                yield str(path), path


def _row(name: str, path: Path) -> dict[str, Any]:
    from ocrbatch.bundles.store import read_info
    from ocrbatch.errors import BundleError

    try:
        info = read_info(path)
    except BundleError as error:
        return {"name": name, "path": str(path), "error": str(error)}
    return {
        "name": name,
        "path": str(path),
        "kind": info.spec.task,
        "algorithm": info.spec.algorithm.name,
        "backbone": info.spec.backbone.name,
        "characters": len(info.spec.charset or ""),
        "parameters": info.parameters,
        "bytes": sum(stamp.size for stamp in info.files.values()),
        "score": info.metrics.get("score"),
    }


def _table(rows: list[dict[str, Any]]) -> list[str]:
    columns = ("name", "kind", "algorithm", "backbone", "characters", "parameters", "bytes", "score")
    cells = [[_cell(row.get(column)) for column in columns] for row in rows if "error" not in row]
    lines = [list(columns), *cells]
    widths = [max(len(line[place]) for line in lines) for place in range(len(columns))]
    table = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return [*table, *(f"unusable: {row['error']}" for row in rows if "error" in row)]


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _json(value: Any) -> str:
    import json

    return json.dumps(value, indent=2, ensure_ascii=False)
