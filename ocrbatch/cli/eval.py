"""``ocrbatch eval det|rec|e2e``: scores of bundles on labelled data, by the field's protocols."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ocrbatch.cli.options import pass_host
from ocrbatch.cli.reports import refuse_other
from ocrbatch.config.suggest import did_you_mean
from ocrbatch.errors import OutputError
from ocrbatch.pipeline.cores import at_most, usable_cores

if TYPE_CHECKING:
    from ocrbatch.pipeline.chain import Chain
    from ocrbatch.pipeline.scoring import Figures
    from ocrbatch.plugin_system.host import Host

_WIDEST = 24  # characters of a data set's name in the table, unless it takes more to tell them apart
_TOGETHER, _MEAN = "all", "mean"
_PATH = click.Path(path_type=Path)


@click.command("eval")
@click.argument("task", type=click.Choice(["det", "rec", "e2e"]))
@click.option("--bundle", metavar="BUNDLE", help="The model of det or rec [default: the one that comes with ocrbatch].")
@click.option("--det", metavar="BUNDLE", help="e2e: the detector [default: the one that comes with ocrbatch].")
@click.option("--rec", metavar="BUNDLE", help="e2e: the recognizer [default: the one that comes with ocrbatch].")
@click.option("--data", "folders", multiple=True, required=True, metavar="DIR", help="Labelled data; may be repeated.")
@click.option("--protocol", "protocols", multiple=True, metavar="NAME", help="Only this one; may be repeated.")
@click.option("--engine", default="onnxruntime", show_default=True, metavar="NAME", help="What executes the networks.")
@click.option(
    "--threads", type=click.IntRange(1), help="Threads of a network, four a core at most [default: all cores]."
)
@click.option("--limit", type=click.IntRange(1), help="Only so many samples of each data set, the first ones.")
@click.option("--json", "json_path", type=_PATH, metavar="FILE", help="Write the figures there too.")
@click.option("--worst", type=_PATH, metavar="DIR", help="Draw the worst samples, label and reading, into DIR.")
@click.option("--count", default=20, show_default=True, type=click.IntRange(1), help="Pictures that --worst draws.")
@pass_host
def command(
    host: Host, task: str, folders: tuple[str, ...], json_path: Path | None, worst: Path | None, **options: Any
) -> None:
    """Score a detector (det), a recognizer (rec) or both together (e2e) on labelled data.

    \b
    det  icdar2015  icdar2015-sweep  doctr  deteval  deteval-totaltext
    rec  exact  case-insensitive  alphanumeric  one-minus-ned  cer  wer  space-f1
    e2e  doctr  icdar  word-spotting  sroie
    """
    refuse_other(json_path, "--json", "report of `ocrbatch eval`", '{\n  "task": "')
    names = _protocols(task, options["protocols"])
    models = _models(task, options)
    labels = {folder: _labels(task, folder)[: options["limit"]] for folder in _distinct(folders)}
    chain = _chain(task, models, host, options)
    results, samples = _score(task, chain, labels, names, options["count"] if worst else 0)
    for line in _table(results, names):
        click.echo(line)
    if json_path is not None:
        used = {part.model for part in (chain.detector, chain.recognizer) if part is not None}
        counts = {folder: len(some) for folder, some in labels.items()}
        record = {"task": task, "models": sorted(used), "engine": options["engine"], "samples": counts}
        _write_json(json_path, {**record, "results": results})
    if worst is not None:
        _draw(chain, samples, worst)


def _protocols(task: str, wanted: Sequence[str]) -> tuple[str, ...]:
    from ocrbatch.metrics.protocols import protocol_names

    known = protocol_names(task)
    for name in wanted:
        if name not in known:
            hint = did_you_mean(name, known)
            raise click.UsageError(f"{task} has no protocol {name!r}{hint} It has {', '.join(known)}.")
    return tuple(dict.fromkeys(wanted)) or known


def _models(task: str, options: dict[str, Any]) -> dict[str, str]:
    """The bundles of the stages that take part."""
    if task == "e2e":
        if options["bundle"]:
            raise click.UsageError("e2e needs two models: name them with --det and --rec instead of --bundle.")
        return {kind: options[kind] or kind for kind in ("det", "rec")}
    for kind in ("det", "rec"):
        if options[kind]:
            raise click.UsageError(f"--{kind} is for e2e: name the model of {task} with --bundle.")
    return {task: options["bundle"] or task}


def _distinct(folders: Sequence[str]) -> list[str]:
    """The folders, each once however it was spelt, under names that no column of the results has."""
    once: dict[Path, str] = {}
    for folder in folders:
        once.setdefault(Path(folder).resolve(), folder)
    return [f"./{folder}" if folder in (_TOGETHER, _MEAN) else folder for folder in once.values()]


def _labels(task: str, folder: str) -> list[Any]:
    from ocrbatch.data.labels import read_lines, read_pages

    return (read_lines if task == "rec" else read_pages)(folder)


def _chain(task: str, models: dict[str, str], host: Host, options: dict[str, Any]) -> Chain:
    from ocrbatch.config.run import RunConfig
    from ocrbatch.config.values import validate
    from ocrbatch.pipeline.chain import Chain

    values: dict[str, Any] = {kind: {"bundle": bundle} for kind, bundle in models.items()}
    if task != "e2e":
        values |= {"stages": list(models), "post": []}
    config = validate(RunConfig, {**values, "engine": {"name": options["engine"]}})
    return Chain.build(config, host, options["threads"] and at_most(options["threads"], usable_cores()))


def _score(
    task: str, chain: Chain, labels: dict[str, list[Any]], names: Sequence[str], n_worst: int
) -> tuple[dict[str, Any], list[tuple[float, Any]]]:
    """Figures of each data set and, where there are several, of all together (``all``, in which each sample counts the
    same) and their means (``mean``, in which each data set does); the worst samples with their scores."""
    from ocrbatch.pipeline.scoring import LineScores, PageScores, read_lines, read_pages

    def fresh() -> Any:
        return LineScores(names) if task == "rec" else PageScores(task, names)

    read: Any = read_lines if task == "rec" else read_pages
    scores = {folder: fresh() for folder in labels}
    together = fresh()
    worst: list[tuple[float, Any]] = []
    for folder, some in labels.items():
        with click.progressbar(read(chain, some), len(some), label=folder, file=sys.stderr) as bar:
            for sample in bar:
                scores[folder].update(sample)
                together.update(sample)
                if n_worst:
                    worst.append((together.alone(sample), sample))
        worst = sorted(worst, key=itemgetter(0))[:n_worst]
    results = {folder: some.result() for folder, some in scores.items()}
    if len(labels) > 1:
        results |= {_TOGETHER: together.result(), _MEAN: _mean(list(results.values()))}
    return results, worst


def _mean(results: Sequence[Figures]) -> Figures:
    """The mean of each figure over data sets, by protocol."""
    return {
        name: {figure: sum(some[name][figure] for some in results) / len(results) for figure in figures}
        for name, figures in results[0].items()
    }


def _table(results: dict[str, Any], names: Sequence[str]) -> Iterator[str]:
    """A row for each figure, a column for each data set."""
    columns = _columns(list(results))
    yield f"{'protocol':<18}{'figure':<26}" + "".join(f"{column:>{max(12, len(column) + 2)}}" for column in columns)
    for name in names:
        for figure in next(iter(results.values()))[name]:
            cells = [
                f"{figures[name][figure]:>{max(12, len(column) + 2)}.4f}"
                for column, figures in zip(columns, results.values(), strict=True)
            ]
            yield f"{name:<18}{figure:<26}" + "".join(cells)


def _columns(names: Sequence[str]) -> list[str]:
    """Names cut to their ends, as short as keeps them apart."""
    for widest in range(_WIDEST, max(map(len, names), default=0)):
        columns = [name if len(name) <= widest else "..." + name[3 - widest :] for name in names]
        if len(set(columns)) == len(names):
            return columns
    return list(names)


def _write_json(path: Path, record: dict[str, Any]) -> None:
    import json

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", "utf-8", errors="backslashreplace")
    except OSError as error:
        raise OutputError(f"Cannot write {path} ({error.strerror}): choose another --json.") from error


def _draw(chain: Chain, worst: Sequence[tuple[float, Any]], folder: Path) -> None:
    """Pictures of samples, the worst first; their scores stand in their names."""
    from ocrbatch.outputs.comparison import compare_lines, compare_pages
    from ocrbatch.pipeline.scoring import ReadLine, picture_of

    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number, (score, sample) in enumerate(worst, 1):
            compare: Any = compare_lines if isinstance(sample, ReadLine) else compare_pages
            found = sample.read if isinstance(sample, ReadLine) else sample.found
            picture = compare(picture_of(sample.image, chain), sample.truth, found)
            picture.save(folder / f"{number:04d}_{score:.3f}_{sample.image.stem[:80]}.png")
    except OSError as error:
        raise OutputError(f"Cannot write pictures to {folder} ({error.strerror}): choose another --worst.") from error
    click.echo(f"Drew the {len(worst)} worst samples into {folder}.")
