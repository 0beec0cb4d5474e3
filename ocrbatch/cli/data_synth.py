"""``ocrbatch data synth``."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ocrbatch.pipeline.cores import at_most, usable_cores

if TYPE_CHECKING:
    from ocrbatch.data.synth.makers import LineMaker, PageMaker
    from ocrbatch.data.synth.text import TextSource

_EXAMPLES = 3

F = TypeVar("F", bound=Callable[..., Any])

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def synth() -> None:
    """Render text with free fonts: labelled pictures without any labelling."""


def _options(function: F) -> F:
    for option in reversed(
        (
            click.option("--fonts", type=_FOLDER, multiple=True, required=True, help="Folder of fonts; repeatable."),
            click.option("--text", type=_FILE, multiple=True, required=True,
                         help="Plain text, or lines of word<TAB>count; repeatable."),
            click.option("--count", type=click.IntRange(1, 10**9), required=True, help="How many pictures."),
            click.option("--out", type=click.Path(path_type=Path), required=True,
                         help="New folder, or one to go on with."),
            click.option("--seed", type=click.IntRange(0), default=0, show_default=True,
                         help="Another seed, other pictures."),
            click.option("--workers", type=click.IntRange(1), default=2, show_default=True,
                         help="Processes, four a core at most."),
            click.option("--backgrounds", type=_FOLDER, help="Folder of photographs to put text on."),
        )
    ):  # fmt: skip
        function = option(function)
    return function


@synth.command()
@_options
@click.option("--charset", default="latin", show_default=True, help="A charset's name or file.")
def rec(charset: str, **options: Any) -> None:
    """Lines of text with their transcription, to train a recognizer."""
    from functools import partial

    from ocrbatch.charset import load_charset
    from ocrbatch.data.synth.makers import LineMaker

    _generate("lines", partial(LineMaker, charset=load_charset(charset)), {"charset": charset}, **options)


@synth.command()
@_options
def det(**options: Any) -> None:
    """Whole pages with the outlines of their text, to train a detector."""
    from ocrbatch.data.synth.makers import PageMaker

    _generate("pages", PageMaker, {}, **options)


def _generate(
    what: str, make: Callable[..., LineMaker | PageMaker], about: dict[str, Any], *, fonts: tuple[Path, ...],
    text: tuple[Path, ...], count: int, out: Path, seed: int, workers: int, backgrounds: Path | None,
) -> None:  # fmt: skip
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from ocrbatch.data.synth.fonts import FontBook
    from ocrbatch.data.synth.generate import generate
    from ocrbatch.data.synth.makers import only_drawable
    from ocrbatch.data.synth.paper import find_pictures
    from ocrbatch.data.synth.text import TextSource

    logging.getLogger("fontTools").setLevel(logging.ERROR)  # it warns about glyphs that nobody draws
    console = Console(stderr=True)
    with console.status("reading fonts and text"):
        book = FontBook.scan(*fonts)
        source = TextSource.load(text)
        maker, left_out = only_drawable(make(source, book, backgrounds=find_pictures(backgrounds)))
    _tell(source, left_out)
    facts = {"kind": what, **about, "texts": [path.name for path in text], "fonts": book.licence_table()}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=count)
        generate(
            maker, out, count=count, seed=seed, workers=at_most(workers, usable_cores()), about=facts,
            on_item=lambda number: progress.update(task, completed=number),
        )  # fmt: skip
    click.echo(f"{count} {what} in {out}")


def _tell(source: TextSource, left_out: Sequence[str]) -> None:
    """What of the text is not drawn."""
    words = sum(len(vocabulary.words) for vocabulary in source.vocabularies)
    if left_out:
        examples = ", ".join(map(repr, left_out[:_EXAMPLES]))
        click.echo(f"Left out: {len(left_out)} of {words} words that cannot be drawn, such as {examples}.", err=True)
    if source.cut:
        click.echo(f"Cut: {source.cut} of {words} words, which are longer than any page has room for.", err=True)
