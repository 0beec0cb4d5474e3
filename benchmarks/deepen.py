"""A run of a recognizer on the backbone ``plain`` with more convolutions, which at first change nothing.

    python benchmarks/deepen.py runs/rec runs/rec-deep --depths 1,2,3,3,1
    ocrbatch export runs/rec-deep --out rec-deep.ocrb
    ocrbatch train rec -c runs/rec-deep/config.yml --from rec-deep.ocrb --data lines --out runs/rec-2

So a network grows without losing what it has learnt (Net2DeeperNet, Chen et al., ICLR 2016). A new convolution passes
every channel on; its batch normalisation starts at the statistics that the channels have on the run's own pictures.
"""

from __future__ import annotations

import shutil
from copy import deepcopy
from pathlib import Path
from typing import Any

import click
import keras
import numpy as np
from numpy.typing import NDArray

from ocrbatch.bundles.network import algorithm_config, build_networks
from ocrbatch.bundles.samples import run_pictures
from ocrbatch.config.load import dump_yaml, load_yaml
from ocrbatch.config.train import TrainConfig
from ocrbatch.data.fit import fit_line, normalize
from ocrbatch.plugin_system.host import Host

BEST, CONFIG = "best.weights.h5", "config.yml"
PICTURES, WIDTH = 128, 320


@click.command()
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--depths", required=True, help="Convolutions in the five stages, as 1,2,3,3,1.")
def main(run: Path, out: Path, depths: str) -> None:
    """Write to the folder OUT the run RUN with a deeper network that reads the same."""
    host, values = Host.load(), load_yaml(run / CONFIG)
    old = TrainConfig.model_validate(deepcopy(values))
    values["model"]["backbone"]["rec"]["depths"] = [int(depth) for depth in depths.split(",")]
    new = TrainConfig.model_validate(values)
    before, after = (build_networks(config.model, host).training for config in (old, new))
    before.load_weights(run / BEST)
    backbone = after.get_layer("backbone")
    known = {layer.name: layer for layer in before.get_layer("backbone").layers}
    for mine, theirs in zip(after.layers, before.layers, strict=True):
        if mine is not backbone:
            mine.set_weights(theirs.get_weights())
    for layer in backbone.layers:
        if layer.name in known:
            layer.set_weights(known[layer.name].get_weights())
    pictures = _pictures(old, host)
    for layer in backbone.layers:  # in their order: each sees what the ones before it pass on
        if layer.name.endswith("-conv") and layer.name not in known:
            _pass_on(backbone, layer, pictures)
    shutil.copytree(run, out, ignore=shutil.ignore_patterns("last.*"))
    (out / CONFIG).write_text(dump_yaml(values), encoding="utf-8")
    after.save_weights(out / BEST)
    click.echo(f"Wrote {out}.")


def _pictures(config: TrainConfig, host: Host) -> NDArray[np.float32]:
    """Lines as the network gets them, float32 (N, height, WIDTH, channels)."""
    input = algorithm_config(config.model, host).input.model_copy(update={"widths": (WIDTH,)})
    lines = [fit_line(picture, input)[0] for picture in run_pictures(config, PICTURES)]
    return normalize(np.stack(lines), input)


def _pass_on(backbone: Any, conv: Any, pictures: NDArray[np.float32]) -> None:
    """Makes a convolution and its batch normalisation the identity on what comes in."""
    size, _, channels, _ = conv.kernel.shape
    kernel = np.zeros(conv.kernel.shape, np.float32)
    kernel[size // 2, size // 2] = np.eye(channels)
    conv.set_weights([kernel])
    incoming = keras.Model(backbone.input, conv.input)(pictures, training=False)
    flat = np.asarray(keras.ops.convert_to_numpy(incoming)).reshape(-1, channels)
    norm = backbone.get_layer(conv.name.removesuffix("conv") + "bn")
    mean, variance = flat.mean(axis=0), flat.var(axis=0)
    norm.set_weights([np.sqrt(variance + norm.epsilon), mean, mean, variance])


if __name__ == "__main__":
    main()
