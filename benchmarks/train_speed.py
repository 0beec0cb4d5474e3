"""How fast training goes, and whether it waits for data: samples a second of the loader alone and of the step alone.

    python benchmarks/train_speed.py configs/rec/rec_plain_bilstm_ctc.yml --data DIR --steps 20

Both see the batches of the recipe's first steps; every shape of batch is stepped on once before the clock starts.
Training waits for data where the loader's figure is the smaller one: give it more workers (data.workers).
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ocrbatch.training.setup import Setup

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@click.command()
@click.argument("recipe", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--data", "folders", multiple=True, required=True, metavar="DIR", help="Labelled data; may be repeated.")
@click.option("--steps", default=20, show_default=True, type=click.IntRange(1), help="Steps to measure.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(0), help="Processes of the loader.")
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="Any value of the recipe.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write the figures there too.")
def main(
    recipe: Path,
    folders: tuple[str, ...],
    steps: int,
    workers: int,
    assignments: tuple[str, ...],
    json_path: Path | None,
) -> None:
    """Measure RECIPE (a YAML file) on labelled folders."""
    from ocrbatch.cli.recipes import resolve_recipe
    from ocrbatch.config.load import load_yaml
    from ocrbatch.plugin_system.host import Host
    from ocrbatch.training.setup import set_up

    host = Host.load()
    options = {
        "recipe": recipe,
        "assignments": assignments,
        "train_data": folders,
        **dict.fromkeys(("algo", "backbone", "charset", "val_data", "start_from")),
    }
    config = resolve_recipe(host, load_yaml(recipe)["model"]["task"], options)
    setup = set_up(config, host, Path(os.devnull), known=True)
    figures = {"loader": loader_speed(setup, steps, workers), "step": step_speed(setup, steps)}
    for name, speed in figures.items():
        click.echo(f"{name:<8}{speed:8.1f} samples/s")
    if json_path:
        json_path.write_text(json.dumps({"recipe": recipe.stem, "steps": steps, "workers": workers, **figures}) + "\n")


def loader_speed(setup: Setup, steps: int, workers: int) -> float:
    """Samples a second of the loader, its start not counted."""
    from ocrbatch.training.loader import BatchLoader

    with BatchLoader(setup.source, workers=workers, look_ahead=1) as loader:
        batches = loader.batches(0, steps + max(1, workers))
        for _ in range(max(1, workers)):
            next(batches)
        began = time.perf_counter()
        samples = sum(len(batch.names) for batch in batches)
        return samples / (time.perf_counter() - began)


def step_speed(setup: Setup, steps: int) -> float:
    """Samples a second of forward pass, backward pass and update, on batches that are there already."""
    from ocrbatch.training.learner import build_learner

    config = setup.config
    learner = build_learner(setup.networks.training, setup.training.loss, setup.algorithm.input, config.train)
    batches = [setup.source(step) for step in range(steps)]
    for batch in {batch.arrays["image"].shape: batch for batch in batches}.values():
        learner.step(batch)
    began = time.perf_counter()
    for batch in batches:
        learner.step(batch)
    return sum(len(batch.names) for batch in batches) / (time.perf_counter() - began)


if __name__ == "__main__":
    main()
