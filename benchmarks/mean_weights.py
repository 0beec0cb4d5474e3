"""A run whose weights are the weighted mean of several runs' best weights, all trained from the same start.

    python benchmarks/mean_weights.py runs/rec-mean runs/rec-2 runs/rec:0.5
    ocrbatch export runs/rec-mean --out rec.ocrb

Weights of one training lie in one valley: their mean often reads better than any of them (Izmailov et al., UAI 2018,
and Wortsman et al., ICML 2022). Everything else of the new run is the first one's, without its
metrics, for they are not the mean's: `ocrbatch eval` measures that.
"""

from __future__ import annotations

import math
import shutil
from contextlib import ExitStack
from pathlib import Path

import click
import h5py

BEST, METRICS = "best.weights.h5", "metrics.json"


class WeightedRun(click.ParamType[tuple[Path, float]]):
    """RUN or RUN:WEIGHT."""

    name = "run[:weight]"

    def convert(
        self, value: str | tuple[Path, float], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[Path, float]:
        """The folder and what it weighs, 1 where nothing is said."""
        if isinstance(value, tuple):
            return value
        folder, _, weight = value.rpartition(":")
        try:
            run, share = (Path(folder), float(weight)) if folder else (Path(value), 1.0)
        except ValueError:
            run, share = Path(value), 1.0
        if not (run / BEST).is_file():
            self.fail(f"{run} has no {BEST}: give the folder of a training.", param, ctx)
        if not 0 < share < math.inf:
            self.fail(f"{value}: a weight is a number above 0.", param, ctx)
        return run, share


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.argument("runs", type=WeightedRun(), nargs=-1, required=True)
def main(out: Path, runs: tuple[tuple[Path, float], ...]) -> None:
    """Write to the folder OUT the first of the RUNS with the weighted mean of their best weights."""
    if out.exists():
        raise click.ClickException(f"{out} exists already: give another OUT.")
    first = shapes(runs[0][0])
    for run, _ in runs:
        if shapes(run) != first:
            raise click.ClickException(f"{run} and {runs[0][0]} have different networks: give runs of one recipe.")
    shutil.copytree(runs[0][0], out, ignore=shutil.ignore_patterns(METRICS))
    total = sum(weight for _, weight in runs)
    with ExitStack() as stack:
        files = [(stack.enter_context(h5py.File(run / BEST)), weight / total) for run, weight in runs]
        mean = stack.enter_context(h5py.File(out / BEST, "r+"))

        def average(name: str, node: h5py.Dataset | h5py.Group) -> None:
            if isinstance(node, h5py.Dataset) and node.dtype.kind == "f":
                node[...] = sum(file[name][...] * share for file, share in files)

        mean.visititems(average)
    click.echo(f"Wrote {out}.")


def shapes(run: Path) -> dict[str, tuple[int, ...]]:
    """Shapes of a run's weights by name."""
    found: dict[str, tuple[int, ...]] = {}
    with h5py.File(run / BEST) as file:
        file.visititems(lambda name, node: found.update({name: getattr(node, "shape", ())}))
    return found


if __name__ == "__main__":
    main()
