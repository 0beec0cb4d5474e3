"""A run whose weights are the mean of two runs' best weights, where the second went on from the first.

    python benchmarks/mean_weights.py runs/rec runs/rec-2 runs/rec-mean
    ocrbatch export runs/rec-mean --out rec.ocrb

Weights of one training lie in one valley: their mean often reads better than either (Izmailov et al., UAI 2018, and
Wortsman et al., ICML 2022). Everything else of the new run is the second one's.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import click
import h5py

BEST = "best.weights.h5"
RUN = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.argument("first", type=RUN)
@click.argument("second", type=RUN)
@click.argument("out", type=click.Path(path_type=Path))
def main(first: Path, second: Path, out: Path) -> None:
    """Write to the folder OUT the run SECOND with the mean of both runs' best weights."""
    shutil.copytree(second, out)
    with h5py.File(first / BEST) as one, h5py.File(out / BEST, "r+") as mean:

        def average(name: str, node: h5py.Dataset | h5py.Group) -> None:
            if isinstance(node, h5py.Dataset) and node.dtype.kind == "f":
                node[...] = (node[...] + one[name][...]) / 2

        mean.visititems(average)
    click.echo(f"Wrote {out}.")


if __name__ == "__main__":
    main()
