"""``ocrbatch export``: from a training run to a bundle."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from ocrbatch.cli.arguments import FiniteRange
from ocrbatch.cli.options import pass_host

if TYPE_CHECKING:
    from ocrbatch.bundles.format import BundleInfo
    from ocrbatch.plugin_system.host import Host

LICENCE_HELP = "Licence of the weights, which the bundle then states, such as Apache-2.0."


def stated(_: click.Context, __: click.Parameter, licence: str | None) -> str | None:
    """``--licence`` without spaces around it."""
    return licence and licence.strip()


@click.command("export")
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help="Bundle to write: a single file if the name ends in .ocrb, else a folder.",
)
@click.option(
    "--samples",
    type=click.Path(exists=True, path_type=Path),
    help="Folder of pictures to compare the network and the exported graph on; default: the run's own data.",
)
@click.option("--count", type=click.IntRange(1), help="Pictures to compare on. Default: 16; int8 64.")
@click.option(
    "--tolerance",
    type=FiniteRange(0, min_open=True),
    help="Largest difference allowed between outputs, relative above 1; for int8 the share of all. Default: 0.001; "
    "--half 0.05; int8 0.1.",
)
@click.option("--half", is_flag=True, help="Store the graph's weights as float16: half the size, as fast, rounded.")
@click.option(
    "--quantize",
    type=click.Choice(["int8"]),
    help="Compute convolutions and LSTMs in 8 bits, calibrated on the pictures: faster on most CPUs.",
)
@click.option(
    "--weights",
    type=click.Choice(["best", "last"]),
    default="best",
    show_default=True,
    help="Those with the best score on the validation data, or the newest.",
)
@click.option("--licence", callback=stated, help=LICENCE_HELP)
@click.option("--overwrite", is_flag=True, help="Replace an existing bundle.")
@pass_host
def command(
    host: Host,
    run: Path,
    out: Path,
    samples: Path | None,
    count: int | None,
    tolerance: float | None,
    half: bool,
    quantize: str | None,
    weights: Literal["best", "last"],
    licence: str | None,
    overwrite: bool,
) -> None:
    """Make a bundle from the weights of the training run RUN.

    The exported graph must give what the network gives on real pictures, or nothing is written.
    """
    use_tensorflow()
    from ocrbatch.bundles.export import export_run

    info = export_run(
        run,
        out,
        host,
        samples=samples,
        count=count,
        tolerance=tolerance,
        half=half,
        int8=quantize == "int8",
        licence=licence,
        which=weights,
        overwrite=overwrite,
    )
    click.echo(summary(out, info))


def use_tensorflow() -> None:
    """Chooses the only backend that exports, before keras is imported; weights fit all of them."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def summary(out: Path, info: BundleInfo) -> str:
    """One sentence or two on a bundle that was written."""
    from ocrbatch.bundles.format import GRAPH

    return (
        f"Wrote {out}: {info.spec.algorithm.name} on {info.spec.backbone.name}, {info.parameters:,} parameters, "
        f"graph {info.files[GRAPH].size / 1e6:.2f} MB. Largest difference to the network over "
        f"{info.agreement.samples} pictures: {info.agreement.difference:.2g}."
    )
