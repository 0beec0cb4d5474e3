"""``ocrbatch data check``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ocrbatch.cli.data_options import counting, entries_of, format_option, json_option
from ocrbatch.cli.options import pass_host
from ocrbatch.cli.reports import refuse_other, refuse_other_list, write_json
from ocrbatch.errors import ExitCode, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ocrbatch.config.schema import RecognizerInput
    from ocrbatch.data.check import LineRules
    from ocrbatch.data.label_types import Flaw, LineLabel, PageLabel
    from ocrbatch.data.report import Report
    from ocrbatch.plugin_system.host import Host

_EXAMPLES = 3
_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("data", type=_PATH)
@click.option("--val", type=_PATH, metavar="DATA", help="Data to evaluate on: no picture may be in both.")
@format_option
@click.option("-c", "--config", "recipe", type=_PATH, metavar="FILE|NAME", help="Lines: the recipe they are for.")
@click.option("--algo", metavar="NAME", help="Lines: the recognizer they are meant for.")
@click.option("--charset", metavar="NAME|FILE", help="Lines: the characters that may occur.")
@click.option("--max-length", type=click.IntRange(1), help="Lines: longest label in characters.")
@click.option("--stride", type=click.IntRange(1), default=4, show_default=True,
              help="Lines, CTC: pixels of the fitted line for one output step.")  # fmt: skip
@json_option
@click.option("--skip-bad", type=_PATH, metavar="FILE", help="Write the bad samples with their reasons to FILE.")
@pass_host
def check(
    host: Host, data: Path, val: Path | None, format_name: str | None, json_file: Path | None, skip_bad: Path | None,
    stride: int, **options: Any,
) -> None:  # fmt: skip
    """Find what is wrong with the labels DATA: files, texts, outlines, pictures that are there twice.

    Training makes the same checks. The exit code is 5 when something is wrong; warnings alone are no reason.
    """
    from ocrbatch.data.check import write_skip_list
    from ocrbatch.data.report import check as find_problems

    refuse_other(json_file, "--json", "report of `ocrbatch data check`", '{\n "samples": {')
    refuse_other_list(skip_bad)
    content, train = entries_of(data, format_name)
    val_entries: Iterator[LineLabel | PageLabel | Flaw] = iter(())
    if val is not None:
        val_content, val_entries = entries_of(val, format_name)
        if val_content != content:
            raise InputError(f"{data} labels {content}, {val} labels {val_content}: they cannot belong together.")
    rules = _rules(host, data, stride, options) if content == "lines" else None
    with counting(content) as count:
        report = find_problems(train, val_entries, rules, count)
    if not report.samples["train"]:
        raise InputError(f"{data} holds no label: there is nothing to check.")
    _show(report, content)
    if json_file is not None:
        write_json(json_file, report.to_json())
    if skip_bad is not None:
        write_skip_list(skip_bad, [problem for _, problem in report.errors])
    if report.errors:
        click.get_current_context().exit(ExitCode.INPUT)


def _rules(host: Host, data: Path, stride: int, options: dict[str, Any]) -> LineRules:
    """What the recognizer accepts that the options speak of; without them, what CTC at ``stride`` can emit."""
    from ocrbatch.charset import Charset, ctc_steps, load_charset
    from ocrbatch.config.schema import RecognizerInput
    from ocrbatch.data.check import LineRules

    charset, max_length = options["charset"], options["max_length"]
    if not options["recipe"] and not options["algo"]:
        known = load_charset(charset) if charset else None
        return LineRules(known, max_length, ctc_steps, lambda label: _steps(label, RecognizerInput(), stride))
    from ocrbatch.bundles.network import algorithm_config, training_for
    from ocrbatch.cli.recipes import resolve_recipe

    recipe_options = {"recipe": options["recipe"], "algo": options["algo"], "backbone": None, "charset": charset,
                      "train_data": (str(data),), "val_data": (), "assignments": (), "start_from": None}  # fmt: skip
    model = resolve_recipe(host, "rec", recipe_options).model
    if model.task != "rec":
        raise InputError(f"{data} labels lines, {options['recipe']} is a recipe of a detector.")
    config, training = algorithm_config(model, host), training_for(model, host)
    is_ctc = training.steps_needed("aa") > training.steps_needed("ab")  # only CTC needs a blank between equal letters
    return LineRules(
        # A recipe without a charset gets the usual one in training too, so it counts here.
        Charset(model.charset or ""),
        max_length or config.max_length,
        training.steps_needed if is_ctc else None,
        lambda label: _steps(label, config.input, stride),
    )


def _steps(label: LineLabel, input: RecognizerInput, stride: int) -> int:
    from ocrbatch.data.pictures import picture_size

    height, width = label.size or picture_size(label.image)
    wanted = round(width * input.height / height)
    return next((step for step in input.widths if step >= wanted), input.widths[-1]) // stride


def _show(report: Report, content: str) -> None:
    from collections import Counter

    from rich.table import Table

    counts = ", ".join(f"{count} {content} in {name}" for name, count in report.samples.items()) or f"no {content}"
    kinds = Counter(problem.kind for _, problem in report.problems)
    if kinds:
        table = Table("problem", "times", "such as", box=None, padding=(0, 2, 0, 0))
        for kind, times in kinds.most_common():
            found = [problem for _, problem in report.problems if problem.kind == kind]
            examples = "\n".join(f"{problem.where}: {problem.reason}" for problem in found[:_EXAMPLES])
            examples = examples.encode(errors="backslashreplace").decode()  # names of files need not be UTF-8
            table.add_row(f"{kind.value}{' (warning)' if found[0].is_warning else ''}", str(times), examples)
        _print(table)
    if report.unknown:
        listed = ", ".join(f"{c!r} (U+{ord(c):04X}) {times}" for c, times in report.unknown.most_common(60))
        click.echo(f"Unknown characters: {listed}.")
    errors = len(report.errors)
    click.echo(f"{counts}: {errors or 'no'} problems, {len(report.problems) - errors} warnings.")


def _print(table: Any) -> None:
    """A table as wide as the terminal, or wide enough for paths in a file."""
    from rich.console import Console

    width = None if Console().is_terminal else 200
    Console(width=width, markup=False, highlight=False).print(table)
