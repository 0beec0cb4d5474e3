"""``ocrbatch data convert``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ocrbatch.cli.data_options import counting, format_option
from ocrbatch.errors import ExitCode, InputError

if TYPE_CHECKING:
    from ocrbatch.data.convert import Conversion, Target
    from ocrbatch.data.label_types import Content, Flaw, LineLabel, PageLabel

_SHOWN = 5
_LINES = "lines"


@click.command()
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.argument("out", metavar="OUT", type=click.Path(path_type=Path))
@click.option("--to", "to", type=click.Choice(["labels", "paddle", "icdar", "mmocr", "lmdb", "folder"]), required=True,
              help="Format to write.")  # fmt: skip
@format_option
@click.option("--copy", is_flag=True, help="Copy the pictures into OUT; icdar, lmdb and folder always hold them.")
@click.option("--crops", is_flag=True, help="Pages: also cut the lines out, into OUT/lines.")
@click.option("--dpi", type=click.IntRange(36, 1200), default=200, show_default=True,
              help="Results with PDFs: the resolution of that run.")  # fmt: skip
def convert(source: Path, out: Path, to: Target, format_name: str | None, copy: bool, crops: bool, dpi: int) -> None:
    """Write the labels IN, of pages or of lines, in another format into the new folder OUT.

    IN may also be the results of `ocrbatch run`, to correct them and to train on them. What the other format cannot
    express is counted; when a label had to be left out, the exit code is 10.
    """
    from ocrbatch.data.convert import convert as write
    from ocrbatch.data.convert import holds, new_folder

    content, entries, lost = _read(source, format_name, out, to, dpi)
    if crops and content == "lines":
        raise InputError(f"{source} labels lines already: --crops cuts lines out of pages.")
    if not crops and not holds(to, content):
        write((), content, out, to)  # says why not
    new_folder(out)
    with counting("labels") as count:
        entries = _counted(entries, count)
        if crops:
            entries = list(entries)
        done = write(entries, content, out, to, copy=copy) if holds(to, content) else None
    if done is not None:
        if not done.written and not done.left_out:
            raise InputError(f"{source} holds no label: there is nothing to convert.")
        _say(done, content, out, to)
    bad = bool(done and done.left_out)
    if crops:
        bad |= _cut(entries, out, to)
    for what in lost:
        click.echo(f"Not carried over: {what}.")
    if bad:
        click.get_current_context().exit(ExitCode.PARTIAL)


def _read(
    source: Path, format_name: str | None, out: Path, to: Target, dpi: int
) -> tuple[Content, Iterable[LineLabel | PageLabel | Flaw], list[str]]:
    """What is labelled, the labels, and what of the source has no place among them."""
    from ocrbatch.data.convert import PICTURES
    from ocrbatch.data.formats import lists, lmdb, results
    from ocrbatch.data.formats.table import FORMATS, content_of, find
    from ocrbatch.data.rendering import PageWriter

    name, path = find(source, format_name)
    content = content_of(name, path)
    if name == "lmdb":
        if to == "lmdb":
            raise InputError(f"{source} is a database already: copy its folder.")
        return content, lmdb.extract(path, out / PICTURES), []
    if name == "results":
        lost = ["scores, words and reading order of the regions"]
        return content, results.pages(path, PageWriter(out / PICTURES, dpi)), lost
    keys = lists.further_keys(path) if name == "labels" else {}
    read = FORMATS[name].pages if content == "pages" else FORMATS[name].lines
    assert read is not None
    return content, read(path), [f"the key {key!r}, {times} times" for key, times in keys.items()]


def _cut(entries: Iterable[LineLabel | PageLabel | Flaw], out: Path, to: Target) -> bool:
    """Cuts lines and writes their labels; says whether something was left out."""
    from ocrbatch.data.convert import convert as write
    from ocrbatch.data.convert import holds, new_folder
    from ocrbatch.data.crops import Skipped, cut_lines
    from ocrbatch.data.label_types import PageLabel

    pages = [entry for entry in entries if isinstance(entry, PageLabel)]
    target: Target = to if holds(to, "lines") else "labels"
    folder, skipped = new_folder(out / _LINES), Skipped()
    pictures = out / "line_images" if target == "lmdb" else folder / "images"
    with counting("lines") as count:
        done = write(_counted(cut_lines(pages, pictures, skipped), count), "lines", folder, target)
    _say(done, "lines", folder, target)
    for reason, times in skipped.regions.items():
        click.echo(f"Not cut: {times} {reason}.")
    return bool(done.left_out)


def _counted(
    entries: Iterable[LineLabel | PageLabel | Flaw], count: Callable[[], None]
) -> Iterable[LineLabel | PageLabel | Flaw]:
    for entry in entries:
        count()
        yield entry


def _say(done: Conversion, content: Content, out: Path, to: str) -> None:
    click.echo(f"{done.written} {content} in {out} ({to}).")
    for what, times in done.altered.most_common():
        click.echo(f"Altered: {times} {what}.")
    if done.left_out:
        click.echo(f"Left out: {len(done.left_out)}, such as", err=True)
        for flaw in done.left_out[:_SHOWN]:
            click.echo(f"  {flaw}", err=True)
