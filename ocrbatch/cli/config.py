"""``ocrbatch config``: the recipes that come with the package, and one with every option and what it means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from ocrbatch.cli.options import pass_host

if TYPE_CHECKING:
    from pydantic import BaseModel

    from ocrbatch.plugin_system.host import Host


@click.group("config", no_args_is_help=True)
def command() -> None:
    """List and print recipes: what `-c` of train and run takes by name or as a file."""


@command.command("list")
def list_command() -> None:
    """List the recipes that come with the package: name, what it is for, and what it makes."""
    from ocrbatch.config.recipes import recipes

    found = recipes()
    width = max((len(recipe.name) for recipe in found), default=0)
    for recipe in found:
        click.echo(f"{recipe.name:{width}}  {recipe.kind}  {recipe.summary}")


@command.command("show")
@click.argument("name")
def show_command(name: str) -> None:
    """Print the recipe NAME as it is, to copy and change."""
    from ocrbatch.config.recipes import recipe_named

    click.echo(recipe_named(name).text, nl=False)


@command.command("init")
@click.argument("task", type=click.Choice(["det", "rec"]))
@click.option("--algo", metavar="NAME", help="Detector or recognizer [default: db, crnn].")
@click.option("--backbone", metavar="NAME", help="Backbone [default: mobilenet_v3].")
@pass_host
def init(host: Host, task: str, algo: str | None, backbone: str | None) -> None:
    """Print a complete recipe (YAML) with its defaults, each option explained.

    Keep what you change and delete the rest: what a recipe leaves out has its default.
    """
    from ocrbatch.cli.recipes import DEFAULT_ALGORITHM, DEFAULT_BACKBONE, DEFAULT_CHARSET
    from ocrbatch.config.train import BackboneStart, DataConfig, TrainSettings

    algo, backbone = algo or DEFAULT_ALGORITHM[task], backbone or DEFAULT_BACKBONE
    algorithm = (host.detector if task == "det" else host.recognizer)(algo)
    features = host.backbone(backbone)
    lines = [f"# {algorithm.summary} Backbone: {features.summary}"]
    if task == "rec":
        lines += [f"charset: {DEFAULT_CHARSET}  # en, ascii, latin, gb2312, or a file with one character a line"]
    lines += ["model:", f"  task: {task}", "  algorithm:", f"    name: {algorithm.name}"]
    lines += _options(host.schema(algorithm), 4)
    lines += ["  backbone:", f"    name: {features.name}", *_options(host.schema(features), 4)]
    lines += ["backbone:", *_options(BackboneStart, 2)]
    lines += ["data:", *_options(DataConfig, 2, {"train": ["DIR"]}), "train:", *_options(TrainSettings, 2)]
    click.echo("\n".join(lines))


def _options(schema: type[BaseModel], indent: int, values: Mapping[str, Any] | None = None) -> Iterator[str]:
    """Lines of YAML for the fields of a schema: each value, then its description as a comment."""
    from pydantic import BaseModel as Model

    from ocrbatch.config.load import inline_yaml

    for name, field in schema.model_fields.items():
        value = (values or {}).get(name, field.get_default(call_default_factory=True))
        if isinstance(value, Model):
            yield f"{' ' * indent}{name}:"
            nested = {key: getattr(value, key) for key in type(value).model_fields}
            yield from _options(type(value), indent + 2, nested)
        else:
            comment = f"  # {field.description}" if field.description else ""
            yield f"{' ' * indent}{name}: {inline_yaml(value)}{comment}"
