"""Which share of the processor's time of a run its two networks take, and which everything around them.

    python benchmarks/network_share.py PAGES... --rounds 5

One worker reads the files as `ocrbatch run` lets it, four to a unit, with one thread; starting, the driver and writing
the last file are left out. Times are of the processor. The smallest round counts: other work only adds to it.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from ocrbatch.config.run import RunConfig
from ocrbatch.contracts import Session
from ocrbatch.data.sources import list_sources
from ocrbatch.pipeline.process import Processor, build_processor
from ocrbatch.pipeline.units import Span, Unit
from ocrbatch.plugin_system.host import Host


@dataclass
class Timed:
    """A session that adds up the processor's time of its network."""

    session: Session
    seconds: float = 0.0

    def __call__(self, batch: NDArray[np.uint8]) -> tuple[NDArray[Any], ...]:
        start = time.process_time()
        outputs = self.session(batch)
        self.seconds += time.process_time() - start
        return outputs


@click.command()
@click.argument("pages", nargs=-1, required=True)
@click.option("--rounds", default=5, show_default=True, type=click.IntRange(1))
def main(pages: tuple[str, ...], rounds: int) -> None:
    """Print milliseconds a page, and the share, of both networks and of the rest."""
    config = RunConfig()
    processor = build_processor(config, Host.load(), 1, None)
    networks, processor = timed(processor)
    files, step = list(list_sources(pages)), config.unit_pages
    units = [Unit(tuple(map(Span, files[at : at + step])), most=1) for at in range(0, len(files), step)]
    processor(units[0], lambda _: None)  # what happens once happens now
    gc.freeze()  # as workers do
    measured = [one_round(processor, networks, units) for _ in range(rounds)]
    n_pages = sum(len(unit.spans) for unit in units)
    whole, det, rec = min(measured)
    for name, seconds in (("detector", det), ("recognizer", rec), ("the rest", whole - det - rec), ("all", whole)):
        click.echo(f"{name:12}{1000 * seconds / n_pages:8.1f} ms a page{100 * seconds / whole:8.1f} %")


def timed(processor: Processor) -> tuple[tuple[Timed, Timed], Processor]:
    """The sessions of a processor, timed, and the processor with them."""
    chain = processor.chain
    if chain.detector is None or chain.recognizer is None:
        raise click.UsageError("both networks are needed")
    det, rec = Timed(chain.detector.session), Timed(chain.recognizer.session)
    detector, recognizer = replace(chain.detector, session=det), replace(chain.recognizer, session=rec)
    return (det, rec), replace(processor, chain=replace(chain, detector=detector, recognizer=recognizer))


def one_round(processor: Processor, networks: tuple[Timed, Timed], units: Sequence[Unit]) -> tuple[float, float, float]:
    """Seconds of all, of the detector's network and of the recognizer's."""
    before = [network.seconds for network in networks]
    start = time.process_time()
    for unit in units:
        processor(unit, lambda _: None)
    whole = time.process_time() - start
    det, rec = (network.seconds - old for network, old in zip(networks, before, strict=True))
    return whole, det, rec


if __name__ == "__main__":
    main()
