"""Seconds per page of ocrbatch and its peers: the same pages, one process, one thread, models loaded beforehand.

    python benchmarks/speed.py PICTURES... --peers tesseract,rapidocr --rounds 3

The tools take turns within each round, so that a busy machine slows all of them alike; a figure is the median over
rounds, and the ratio tells how many times as long as ocrbatch a tool takes.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import click
from peers import PEERS

from ocrbatch import Chain


@click.command()
@click.argument("pictures", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--det", default="det", help="Detector bundle; the default one when left out.")
@click.option("--rec", default="rec", help="Recognizer bundle; the default one when left out.")
@click.option("--peers", default="", metavar="NAME,...", help=f"Tools to run as well: {', '.join(PEERS)}.")
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(min=1))
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write the figures there too.")
def main(pictures: tuple[Path, ...], det: str, rec: str, peers: str, rounds: int, json_path: Path | None) -> None:
    """Time PICTURES, one page each."""
    names = [name for name in peers.split(",") if name]
    if unknown := set(names) - set(PEERS):
        raise click.UsageError(f"No such peer: {', '.join(sorted(unknown))}. There are {', '.join(PEERS)}.")
    readers: dict[str, Callable[[Path], object]] = {"ocrbatch": Chain.load(det, rec, threads=1).read}
    readers |= {name: PEERS[name]().page for name in names}
    for read in readers.values():
        read(pictures[0])  # warm up
    seconds: dict[str, list[float]] = {name: [] for name in readers}
    for number in range(rounds):
        for name, read in readers.items():
            seconds[name].append(_time(read, pictures))
            click.echo(f"round {number + 1}: {name} {seconds[name][-1]:.3f} s a page", err=True)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    click.echo(f"{'':<12}{'s a page':>10}{'pages/s':>10}{'ratio':>8}")
    for name, median in medians.items():
        click.echo(f"{name:<12}{median:>10.3f}{1 / median:>10.2f}{median / medians['ocrbatch']:>8.2f}")
    if json_path:
        json_path.write_text(json.dumps({"pages": len(pictures), "seconds_per_page": seconds}) + "\n", encoding="utf-8")


def _time(read: Callable[[Path], object], pictures: tuple[Path, ...]) -> float:
    """Mean seconds a page."""
    start = time.perf_counter()
    for picture in pictures:
        read(picture)
    return (time.perf_counter() - start) / len(pictures)


if __name__ == "__main__":
    main()
