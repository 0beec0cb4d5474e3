"""A long run: how memory grows with the pages, how fast it goes with one worker and with more, and what the time is
spent on.

    python benchmarks/soak.py FOLDER... --pages 2000 --workers 1,2

Reads the files of the folders over and over under ever new names until enough pages were read. The slope is that of a
straight line through the memory of all processes over the pages of the second half, so that warming up does not count.
"""

from __future__ import annotations

import itertools
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import click
import numpy as np

from ocrbatch.config.load import apply_set
from ocrbatch.config.run import RunConfig
from ocrbatch.config.values import validate
from ocrbatch.data.images import probe, stamp
from ocrbatch.data.sources import list_sources
from ocrbatch.pipeline.batch import Summary, batch_of, run_batch
from ocrbatch.pipeline.driver import Progress
from ocrbatch.pipeline.preparation import prepare
from ocrbatch.plugin_system.host import Host

_NETWORKS = ("detect", "recognize")


@dataclass
class Curve:
    """Memory over pages, as a run tells it."""

    points: list[tuple[int, int]] = field(default_factory=list)

    def progress(self, progress: Progress) -> None:
        """Note where the run stands."""
        if progress.memory and (not self.points or self.points[-1] != (progress.read, progress.memory)):
            self.points.append((progress.read, progress.memory))

    def log(self, message: str) -> None:
        """Failures are counted at the end."""

    def stopping(self) -> bool:
        """Never."""
        return False

    def slope(self) -> float:
        """MB for each 1,000 pages, over the second half."""
        pages, memory = np.array(self.points, np.float64).T
        late = pages > pages[-1] / 2
        return float(np.polyfit(pages[late], memory[late], 1)[0]) * 1000 / 2**20 if late.sum() > 2 else float("nan")


def repeat_pages(folders: tuple[str, ...], target: Path, n_pages: int) -> None:
    """Links to the files of ``folders`` in ``target``, again and again, until they have ``n_pages`` pages."""
    files = [Path(file.path).resolve() for file in list_sources(folders)]
    counts = [probe(path, *stamp(path)).n_pages for path in files]
    for number, (path, count) in enumerate(itertools.cycle(zip(files, counts, strict=True))):
        if n_pages <= 0:
            return
        (target / f"{number:06d}{path.suffix}").symlink_to(path)
        n_pages -= count


def report(workers: int, summary: Summary, curve: Curve) -> str:
    """A line of figures."""
    progress, stages = summary.progress, summary.stage_seconds
    whole = sum(stages.values()) or 1.0
    outside = 1 - sum(stages[stage] for stage in _NETWORKS) / whole
    speed = progress.read / progress.seconds
    shares = ", ".join(f"{stage} {seconds / whole:.0%}" for stage, seconds in stages.items())
    return (
        f"workers {workers}: {progress.read} pages, {speed:.2f} pages/s, peak {progress.peak_memory / 2**20:.0f} MB, "
        f"slope {curve.slope():+.1f} MB per 1,000 pages, failed {summary.counts['failed']}; "
        f"stages: {shares}; outside of detect and recognize {outside:.0%}"
    )


@click.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(exists=True))
@click.option("--pages", default=2000, show_default=True, help="Pages to read.")
@click.option("--workers", default=str(os.cpu_count()), show_default=True, help="Numbers of workers, one run each.")
@click.option("--det", default="det", help="Detector bundle.")
@click.option("--rec", default="rec", help="Recognizer bundle.")
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="A setting of the run.")
def main(folders: tuple[str, ...], pages: int, workers: str, det: str, rec: str, assignments: tuple[str, ...]) -> None:
    """Run, and print a line of figures for each number of workers."""
    values = apply_set({"det": {"bundle": det}, "rec": {"bundle": rec}}, assignments)
    config, host = validate(RunConfig, values), Host.load()
    for count in (int(number) for number in workers.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            inputs = Path(folder) / "in"
            inputs.mkdir()
            repeat_pages(folders, inputs, pages)
            out = Path(folder) / "r.parquet"
            batch = batch_of(prepare(config, host, [str(inputs)], threads=1, pictures=None), out, workers=count)
            curve = Curve()
            click.echo(report(count, run_batch(batch, curve), curve))


if __name__ == "__main__":
    main()
