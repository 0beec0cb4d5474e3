"""``ocrbatch train det|rec``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ocrbatch.cli.arguments import FiniteRange
from ocrbatch.cli.options import pass_host
from ocrbatch.cli.reports import refuse_other_list
from ocrbatch.errors import ConfigError, ExitCode

if TYPE_CHECKING:
    from ocrbatch.cli.recipes import Traced
    from ocrbatch.plugin_system.host import Host

_PATH = click.Path(path_type=Path)


@click.command("train")
@click.argument("task", type=click.Choice(["det", "rec"]))
@click.option(
    "-c",
    "--config",
    "recipe",
    type=_PATH,
    metavar="FILE|NAME",
    help="Recipe: YAML, or a name of `ocrbatch config list`.",
)
@click.option("--algo", metavar="NAME", help="Detector or recognizer; see `ocrbatch plugins list`.")
@click.option("--backbone", metavar="NAME", help="Backbone.")
@click.option(
    "--charset", metavar="NAME|FILE", help="rec: en, ascii, latin, gb2312, or a file with one character a line."
)
@click.option(
    "--data",
    "train_data",
    multiple=True,
    metavar="DATA",
    help="Labelled data to train on, in any format of `ocrbatch data`; may be repeated.",
)
@click.option("--val", "val_data", multiple=True, metavar="DATA", help="Labelled data to evaluate on; may be repeated.")
@click.option("--out", type=_PATH, metavar="DIR", help="Folder of the run [default: runs/TASK-ALGO].")
@click.option(
    "--set", "assignments", multiple=True, metavar="KEY=VALUE", help="Any value of the recipe: train.steps=500."
)
@click.option(
    "--from",
    "start_from",
    type=_PATH,
    metavar="BUNDLE",
    help="Start from a bundle: its model, unless the recipe names one, and its weights.",
)
@click.option(
    "--resume", is_flag=True, help="Go on with the run in --out, by its own recipe, as if it had never stopped."
)
@click.option("--max-minutes", type=FiniteRange(0, min_open=True), help="Save and stop after this time.")
@click.option("--skip-bad", type=_PATH, metavar="FILE", help="Leave out bad samples and list them in FILE.")
@click.option("--dry-run", is_flag=True, help="Check everything, print recipe, network and memory, draw a batch, stop.")
@click.option("-q", "--quiet", is_flag=True, help="No progress on the terminal.")
@pass_host
def command(host: Host, task: str, out: Path | None, resume: bool, dry_run: bool, **options: Any) -> None:
    """Train a text detector (det) or a text recognizer (rec).

    The recipe is put together from the defaults, then --config, then the options, then --set; it is saved in the run's
    folder. Without --val every twentieth sample is held out. Ctrl-C saves and stops; --resume goes on by the run's own
    recipe, in which only --set may change something.
    """
    from ocrbatch.cli.progress import training_reporter
    from ocrbatch.cli.recipes import refuse_other_recipe, resume_recipe, trace_recipe
    from ocrbatch.nn.start import start_keras

    refuse_other_list(options["skip_bad"])
    out_given = out is not None
    out = out or Path("runs") / f"{task}-{options['algo'] or 'model'}"
    recipe = resume_recipe(out, options["assignments"]) if resume else trace_recipe(host, task, options)
    config = recipe.config
    if config.model.task != task:
        raise ConfigError(f"The recipe is for {config.model.task!r}, the command says {task!r}.")
    if resume:
        refuse_other_recipe(host, config, out, options)
    start_keras()
    if dry_run:
        _describe(recipe, host, {**options, "resume": resume}, (out if out_given else Path()) / "dry_run.png")
        return
    from ocrbatch.training.trainer import train

    with training_reporter(config, quiet=options["quiet"]) as reporter:
        outcome = train(
            config,
            host,
            out,
            reporter,
            resume=resume,
            start_from=options["start_from"],
            max_minutes=options["max_minutes"],
            skip_list=options["skip_bad"],
        )
    _say_goodbye(out, task, outcome)


def _say_goodbye(out: Path, task: str, outcome: Any) -> None:
    progress = outcome.progress
    if outcome.finished:
        best = f"best score {progress.best_score:.4f} at step {progress.best_step}"
        early = " No evaluation was better since: stopped early." if outcome.stopped_early else ""
        click.echo(f"Trained {progress.step} steps in {progress.seconds / 60:.1f} minutes, {best}.{early}")
        click.echo(f"Make a bundle of it: ocrbatch export {out} --out {out.name}.ocrb")
        return
    click.echo(f"Saved at step {progress.step}. Go on with: ocrbatch train {task} --out {out} --resume")
    if outcome.stopped_by is not None:
        click.get_current_context().exit(ExitCode.INTERRUPTED)


def _describe(recipe: Traced, host: Host, options: Mapping[str, Any], picture: Path) -> None:
    from ocrbatch.config.origins import annotated
    from ocrbatch.training.layers import freeze
    from ocrbatch.training.preview import draw_batch, estimate_memory
    from ocrbatch.training.setup import set_up
    from ocrbatch.training.transfer import take_over_weights

    config = recipe.config
    setup = set_up(config, host, options["skip_bad"])
    if not options["resume"]:
        take_over_weights(config, setup.networks, host, options["start_from"])
    click.echo("\n".join(annotated(config.model_dump(mode="json"), recipe.origins)) + "\n")
    freeze(setup.networks.training, config.train.freeze)
    setup.networks.training.summary(print_fn=click.echo, expand_nested=True)
    batch: Mapping[str, Any] = setup.source(0).arrays
    click.echo(f"Training samples: {setup.n_train}, for evaluation: {setup.n_val}.")
    click.echo(f"Steps: {config.train.steps}, an epoch has {setup.batches_per_epoch}.")
    for name, array in batch.items():
        click.echo(f"First batch: {name} {array.dtype} {array.shape}")
    memory = estimate_memory(setup.networks.training, batch, config.train)
    parts = ", ".join(f"{name} {size / 2**20:,.0f} MB" for name, size in memory.items())
    click.echo(f"Memory of a step, about: {parts}, and what the framework itself takes.")
    draw_batch(setup.source, batch, picture)
    click.echo(f"Drew the first batch into {picture}.")
