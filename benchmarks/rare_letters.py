"""A run of a CTC recognizer that reads letters beyond ASCII only when it is surer of them.

    python benchmarks/rare_letters.py runs/rec runs/rec-2 --doubt 0.5
    ocrbatch export runs/rec-2 --out rec.ocrb

Training shows such letters far more often than most piles of pages hold them, or they would not be learnt; what a
network takes for likely then is too likely (logit adjustment, Menon et al., ICLR 2021). Their logits are lowered by
DOUBT: e to the power of that is how much rarer they are taken to be.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import click
import h5py
import numpy as np

from ocrbatch.config.load import load_yaml

BEST, CONFIG, METRICS = "best.weights.h5", "config.yml", "metrics.json"


@click.command()
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--doubt", default=0.5, show_default=True, type=click.FloatRange(0, 5), help="What is taken off.")
def main(run: Path, out: Path, doubt: float) -> None:
    """Write to the folder OUT the run RUN with other weights."""
    characters = str(load_yaml(run / CONFIG)["model"]["charset"])
    shutil.copytree(run, out, ignore=shutil.ignore_patterns(METRICS))  # scores of other weights
    found: list[h5py.Dataset] = []
    with h5py.File(out / BEST, "r+") as file:
        classes = len(characters) + 1  # the first is the blank
        file.visititems(lambda _, node: found.append(node) if getattr(node, "shape", ()) == (classes,) else None)
        if len(found) != 1:
            raise click.ClickException(f"{run} has {len(found)} biases over {classes} classes: is it a CTC recognizer?")
        found[0][1:] -= np.array([doubt * (not letter.isascii()) for letter in characters], np.float32)
    click.echo(f"Wrote {out}.")


if __name__ == "__main__":
    main()
