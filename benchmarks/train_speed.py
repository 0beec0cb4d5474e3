"""How fast training goes, and whether it waits for data: samples a second of the loader, the step and a bare loop.

    python benchmarks/train_speed.py configs/rec/rec_plain_bilstm_ctc.yml --data DIR --steps 20

All see the batches of the recipe's first steps; every shape of batch is stepped on once before the clock starts.
``bare`` is a loop as short as it can be written in TensorFlow: the same network and loss, Adam, nothing else. Its steps
and ours take turns. Seconds of cpu are those of all cores: a busy machine changes them less than the clock.
Training waits for data where the loader's figure is the smaller one: give it more workers (data.workers).
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ocrbatch.training.samples import Batch
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
    figures = {"loader": loader_speed(setup, steps, workers), **step_speeds(setup, steps)}
    for name, (speed, cpu) in figures.items():
        click.echo(f"{name:<8}{speed:8.1f} samples/s{cpu:10.4f} s of cpu a sample")
    if json_path:
        json_path.write_text(json.dumps({"recipe": recipe.stem, "steps": steps, "workers": workers, **figures}) + "\n")


def loader_speed(setup: Setup, steps: int, workers: int) -> tuple[float, float]:
    """Samples a second of the loader, its start not counted, and seconds of cpu a sample, its start counted."""
    from ocrbatch.training.loader import BatchLoader

    used = _cpu()
    with BatchLoader(setup.source, workers=workers, look_ahead=1) as loader:
        batches = loader.batches(0, steps + max(1, workers))
        first = sum(len(next(batches).names) for _ in range(max(1, workers)))
        began = time.perf_counter()
        samples = sum(len(batch.names) for batch in batches)
        seconds = time.perf_counter() - began
    return samples / seconds, (_cpu() - used) / (first + samples)


def step_speeds(setup: Setup, steps: int) -> dict[str, tuple[float, float]]:
    """Samples a second, and seconds of cpu a sample, of forward pass, backward pass and update: ours and, on
    TensorFlow, the bare loop's."""
    import keras

    from ocrbatch.training.learner import build_learner

    config = setup.config
    learner = build_learner(setup.networks.training, setup.training.loss, setup.algorithm.input, config.train)
    loops: dict[str, Callable[[Batch], object]] = {"step": learner.step}
    if keras.backend.backend() == "tensorflow":
        loops["bare"] = bare_step(setup)
    batches = [setup.source(step) for step in range(steps)]
    for batch in {batch.arrays["image"].shape: batch for batch in batches}.values():
        for step in loops.values():
            step(batch)
    seconds, cpu = dict.fromkeys(loops, 0.0), dict.fromkeys(loops, 0.0)
    for batch in batches:
        for name, step in loops.items():
            began, used = time.perf_counter(), time.process_time()
            step(batch)
            seconds[name] += time.perf_counter() - began
            cpu[name] += time.process_time() - used
    samples = sum(len(batch.names) for batch in batches)
    return {name: (samples / seconds[name], cpu[name] / samples) for name in loops}


def bare_step(setup: Setup) -> Callable[[Batch], object]:
    """A training step in plain TensorFlow."""
    import keras
    import tensorflow as tf

    from ocrbatch.data.fit import normalize
    from ocrbatch.training.learner import split

    network, optimizer = setup.networks.training, keras.optimizers.Adam(1e-4)

    @tf.function(reduce_retracing=True)
    def step(inputs: dict[str, Any], targets: dict[str, Any]) -> Any:
        with tf.GradientTape() as tape:
            loss = setup.training.loss(targets, network(inputs if len(inputs) > 1 else inputs["image"], training=True))[
                "loss"
            ]
        variables = network.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss

    def run(batch: Batch) -> float:
        inputs, targets = split(batch, network)
        inputs["image"] = normalize(inputs["image"], setup.algorithm.input)
        return float(step(*(tf.nest.map_structure(tf.constant, arrays) for arrays in (inputs, targets))))

    return run


def _cpu() -> float:
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


if __name__ == "__main__":
    main()
