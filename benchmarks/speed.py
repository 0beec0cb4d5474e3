"""Seconds per page of whole runs, from the command to the end: ocrbatch and its peers, same pages, same cores.

    python benchmarks/speed.py PICTURES... --peers tesseract,rapidocr --cores 1,2 --rounds 3 --json now.json
    python benchmarks/speed.py PICTURES... --against before.json

The tools take turns within each round, pinned to the first of the cores that this process may use; loading the models
is part of a run. With N cores each tool works in N processes of one thread. Every round also times a fixed piece of
work that has nothing to do with ocrbatch: figures of other machines, or of other days, compare by their ratio to it.
``seconds`` are by the clock, ``cpu`` is what the processes used, which a busy machine changes less. A figure is the
median over the rounds, a ratio the median of the rounds' ratios.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np
from peers import PEERS

Times = dict[str, dict[str, list[float]]]
"""By tool: ``seconds`` and ``cpu`` of each round, per page."""

OURS, REFERENCE = "ocrbatch", "reference"
_REFERENCE_ROUNDS = 12


@click.command()
@click.argument("pictures", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--det", default="det", help="Detector bundle; the default one when left out.")
@click.option("--rec", default="rec", help="Recognizer bundle; the default one when left out.")
@click.option("--peers", default="", metavar="NAME,...", help=f"Tools to run as well: {', '.join(PEERS)}.")
@click.option("--cores", default="1", show_default=True, metavar="N,...", help="Numbers of cores to run on.")
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(min=1))
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write the figures there too.")
@click.option("--against", type=click.Path(exists=True, path_type=Path), help="An earlier --json to compare with.")
@click.option("--tolerance", default=0.1, show_default=True, help="How much slower than those is no failure.")
def main(
    pictures: tuple[Path, ...],
    det: str,
    rec: str,
    peers: str,
    cores: str,
    rounds: int,
    json_path: Path | None,
    against: Path | None,
    tolerance: float,
) -> None:
    """Time PICTURES, one page each."""
    names = [name for name in peers.split(",") if name]
    if unknown := set(names) - set(PEERS):
        raise click.UsageError(f"No such peer: {', '.join(sorted(unknown))}. There are {', '.join(PEERS)}.")
    tools: dict[str, Callable[[int], object]] = {OURS: partial(run_ours, pictures, det, rec), REFERENCE: run_reference}
    tools |= {name: partial(run_peer, name, pictures) for name in names}
    figures = {count: measure(tools, int(count), rounds, len(pictures)) for count in cores.split(",")}
    for count, times in figures.items():
        click.echo(table(f"{count} core{'s' * (count != '1')}", times))
    if json_path:
        json_path.write_text(json.dumps({"pages": len(pictures), "cores": figures}) + "\n", encoding="utf-8")
    if against and (slower := slower_than(json.loads(against.read_text("utf-8")), figures, tolerance)):
        raise click.ClickException(" ".join(slower))


def measure(tools: dict[str, Callable[[int], object]], cores: int, rounds: int, pages: int) -> Times:
    """Seconds per page of each tool in each round, on ``cores`` cores."""
    times: Times = {name: {"seconds": [], "cpu": []} for name in tools}
    with pinned(cores):
        for number in range(rounds):
            for name, run in tools.items():
                began, used = time.perf_counter(), _cpu_of_children()
                run(cores)
                times[name]["seconds"].append((time.perf_counter() - began) / pages)
                times[name]["cpu"].append((_cpu_of_children() - used) / pages)
                click.echo(f"round {number + 1}, {cores}: {name} {times[name]['seconds'][-1]:.3f} s a page", err=True)
    return times


@contextmanager
def pinned(cores: int) -> Iterator[None]:
    """Processes started inside run on that many cores, where the system can be told so."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    allowed = os.sched_getaffinity(0)
    if cores > len(allowed):
        raise click.UsageError(f"There are {len(allowed)} cores here, not {cores}.")
    os.sched_setaffinity(0, sorted(allowed)[:cores])
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def run_ours(pictures: Sequence[Path], det: str, rec: str, cores: int) -> None:
    """The whole command, with a worker on each core."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "ocrbatch", "run", *pictures, "--out", Path(folder) / "results.parquet", "-q"]
        command += ["--det", det, "--rec", rec, "--workers", cores, "--threads", 1]
        subprocess.run(list(map(str, command)), check=True)


def run_peer(name: str, pictures: Sequence[Path], cores: int) -> None:
    """A peer in a process on each core, which share the pages out."""
    with ProcessPoolExecutor(cores, get_context("spawn"), _load, (name,)) as pool:
        list(pool.map(_read, pictures))


def run_reference(cores: int) -> None:
    """The same fixed work in a process on each core: products of matrices, and filters on pictures."""
    with ProcessPoolExecutor(cores, get_context("spawn")) as pool:
        list(pool.map(_work, range(cores)))


def table(title: str, times: Times) -> str:
    """A row for each tool: what a page takes, and how that compares to ocrbatch."""
    lines = [f"{title:<12}{'s a page':>10}{'cpu s':>10}{'ratio':>8}{'cpu ratio':>11}"]
    for name, values in times.items():
        cells = [statistics.median(values[kind]) for kind in ("seconds", "cpu")]
        ratios = [ratio(times, name, OURS, kind) for kind in ("seconds", "cpu")]
        lines.append(f"{name:<12}{cells[0]:>10.3f}{cells[1]:>10.3f}{ratios[0]:>8.2f}{ratios[1]:>11.2f}")
    return "\n".join(lines)


def ratio(times: Times, one: str, other: str, kind: str) -> float:
    """Median over the rounds of what ``one`` takes over what ``other`` takes."""
    return statistics.median(a / b for a, b in zip(times[one][kind], times[other][kind], strict=True))


def slower_than(before: dict[str, Any], figures: dict[str, Times], tolerance: float) -> list[str]:
    """A sentence for each number of cores on which ocrbatch takes more of the reference's time than it did. Both ratios
    have to have risen by more than ``tolerance``: the clock's alone says that the machine was busy. Prints them all."""
    found = []
    for count, now in figures.items():
        if count not in before["cores"]:
            continue
        changes = []
        for kind in ("seconds", "cpu"):
            was, is_ = (ratio(times, OURS, REFERENCE, kind) for times in (before["cores"][count], now))
            changes.append(is_ / was)
            click.echo(f"{count} cores, {kind}: {is_:.3f} of the reference, was {was:.3f} ({is_ / was - 1:+.0%})")
        if min(changes) > 1 + tolerance:
            found.append(f"On {count} cores a page takes {min(changes) - 1:.0%} longer than before.")
    return found


def _cpu_of_children() -> float:
    used = os.times()
    return used.children_user + used.children_system


def _load(name: str) -> None:
    cv2.setNumThreads(1)
    globals()["_peer"] = PEERS[name]()


def _read(picture: Path) -> None:
    globals()["_peer"].page(picture)


def _work(seed: int) -> float:
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
    cv2.setNumThreads(1)
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(512, 512)).astype(np.float32) / 512
    picture = rng.integers(0, 256, (1024, 1024), np.uint8)
    total = 0.0
    for _ in range(_REFERENCE_ROUNDS):
        for _ in range(8):
            matrix = np.tanh(matrix @ matrix + matrix)
        blurred = cv2.GaussianBlur(picture, (0, 0), 5)
        total += float(matrix.sum()) + float(cv2.resize(blurred, (700, 700), interpolation=cv2.INTER_CUBIC).mean())
    return total


if __name__ == "__main__":
    main()
