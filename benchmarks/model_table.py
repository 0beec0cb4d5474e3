"""The classic models in figures, as the table of docs/architectures.md.

    python benchmarks/model_table.py               # all fourteen, a row each as it is ready
    python benchmarks/model_table.py det_mv3_db    # one of them
    python benchmarks/model_table.py --runs 20     # times as medians of more runs

FLOPs are two for each multiplication of a weight with a value, from the shapes of all layers; the rest is not
counted. The difference is to the reference implementation, with the weights and pictures of tests/parity. Times are
those that the processor works for one image on one thread, so that what else runs beside counts little.
"""

from __future__ import annotations

import json
import math
import os
import runpy
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")

import click
import numpy as np

from ocrbatch.bundles import network
from ocrbatch.charset import load_charset
from ocrbatch.config.load import load_yaml
from ocrbatch.config.schema import ModelSpec
from ocrbatch.contracts import Networks
from ocrbatch.plugin_system.host import Host

ROOT = Path(__file__).parents[1]
PARITY = ROOT / "tests" / "parity"
PAGE = (640, 640)
RECIPES = {
    "ch_det_mv3_db": {
        "task": "det",
        "algorithm": {"name": "db", "fpn_channels": 96},
        "backbone": {"name": "mobilenet_v3", "squeeze_excite": False},
    },
    "ch_rec_mv3_small_crnn_lite": {
        "task": "rec",
        "algorithm": {"name": "crnn", "hidden": 48, "input": {"widths": [320]}},
        "backbone": {"name": "mobilenet_v3", "size": "small"},
    },
}
"""The ultra-light pair; the other models are those of configs/."""

COLUMNS = ("model", "input", "parameters", "FLOPs", ".pdparams", "graph", "difference", "Keras", "exported")


@click.command()
@click.argument("names", nargs=-1)
@click.option("--runs", default=5, show_default=True, type=click.IntRange(1), help="Times are medians of so many runs.")
def main(names: tuple[str, ...], runs: int) -> None:
    """Print the table of NAMES, or of all fourteen."""
    host = Host.load(environ={})
    known = sorted(path.name for path in (PARITY / "fixtures").iterdir() if path.name in RECIPES or recipe(path.name))
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise click.UsageError(f"unknown: {', '.join(unknown)}; known: {', '.join(known)}")
    _row(COLUMNS)
    _row(["---", "---", *["---:"] * (len(COLUMNS) - 2)])
    for name in names or known:
        _row(cells(name, host, runs))


def cells(name: str, host: Host, runs: int) -> list[str]:
    """The row of a model."""
    meta = json.loads((PARITY / "fixtures" / name / "meta.json").read_text())
    spec = describe(name, meta)
    networks = network.build_networks(spec, host)
    size = PAGE if spec.task == "det" else (32, network.algorithm_config(spec, host).input.widths[-1])
    flops = 2 * macs(networks.inference, size)  # first: what follows calls layers again elsewhere
    difference = largest_difference(name, networks)
    graph, keras_seconds, graph_seconds = exported(networks, spec, host, size, runs)
    return [
        f"`{name}`",
        f"{size[0]} x {size[1]}",
        f"{networks.training.count_params():,}",
        f"{flops / 1e9:,.2f} G",
        f"{meta['pdparams_bytes'] / 1e6:.1f} MB",
        f"{len(graph) / 1e6:.1f} MB",
        f"{difference:.0e}",
        f"{1000 * keras_seconds:,.0f} ms",
        f"{1000 * graph_seconds:,.0f} ms",
    ]


def recipe(name: str) -> Path | None:
    """The recipe of that name in configs/, if there is one."""
    return next((ROOT / "configs").glob(f"*/{name}.yml"), None)


def describe(name: str, meta: dict[str, Any]) -> ModelSpec:
    """The model of a recipe, or of the pair above with as many characters as the reference has."""
    path = recipe(name)
    if path is not None:
        values = load_yaml(path)
        charset = {"charset": load_charset(values["charset"]).characters} if "charset" in values else {}
        return ModelSpec.model_validate(values["model"] | charset)
    count = (meta.get("classes") or 0) - 1
    characters = {"charset": "".join(chr(0xE000 + number) for number in range(count))} if count > 0 else {}
    return ModelSpec.model_validate(RECIPES[name] | characters)


def macs(model: Any, size: tuple[int, int]) -> int:
    """Multiplications of weights with values for one image of ``size`` (height, width)."""
    import keras

    whole = keras.Model(model.inputs, [tensor for layer in _weighty(model) for tensor in _ends(layer)])
    shapes = iter(whole.compute_output_shape((1, *size, model.inputs[0].shape[-1])))
    return sum(_macs(layer, next(shapes), next(shapes)) for layer in _weighty(model))


def _weighty(model: Any) -> Iterator[Any]:
    """Layers with kernels, models within the model among them."""
    return (layer for layer in model.layers if any(len(weight.shape) > 1 for weight in layer.weights))


def _ends(layer: Any) -> tuple[Any, Any]:
    """The layer's first input and first output in the last place where it was called."""
    import keras

    node = layer._inbound_nodes[-1]
    return keras.tree.flatten(node.input_tensors)[0], keras.tree.flatten(node.outputs)[0]


def _macs(layer: Any, before: tuple[int, ...], after: tuple[int, ...]) -> int:
    """Each kernel is applied at every place of the output; where maps grow, at every place of its own input."""
    import keras

    if isinstance(layer, keras.Model):
        return macs(layer, (before[1], before[2]))
    kernels = [weight for weight in layer.weights if len(weight.shape) > 1]
    n_before, n_after = math.prod(before[1:-1]), math.prod(after[1:-1])
    if len(after) == 4 and n_after > n_before:
        return _growing([tuple(kernel.shape) for kernel in kernels], n_before)
    places = {"attention_cell-i2h": n_before, "attention_cell-score": n_before * n_after}
    return sum(math.prod(kernel.shape) * places.get(kernel.path.split("/")[-2], n_after) for kernel in kernels)


def _growing(kernels: Sequence[tuple[int, ...]], places: int) -> int:
    """Transposed convolutions one after the other, strides of 2."""
    return sum(math.prod(kernel) * places * 4**level for level, kernel in enumerate(kernels))


def largest_difference(name: str, networks: Networks) -> float:
    """Largest absolute difference of probabilities to the reference's, with its weights and on its picture.

    Behind a rectifier the networks start from the reference's rectified picture: its own rounding is magnified there.
    """
    import keras

    from ocrbatch.nn.paddle import load_reference_state

    rule: dict[str, Callable[..., Any]] = runpy.run_path(str(PARITY / "fill_rule.py"))
    folder = PARITY / "fixtures" / name
    meta, saved = json.loads((folder / "meta.json").read_text()), np.load(folder / "outputs.npz")
    first = meta["fixtures"][0]
    outputs = {key.partition("/")[2]: saved[key] for key in saved.files if key.startswith(f"{first['fixture']}/")}
    load_reference_state(networks.training, rule["fill_state"](folder / "state.json"))
    picture, start = rule["make_input"](first["input_tag"], first["input_shape"]), networks.inference.inputs[0]
    if "rectified" in outputs:
        picture, start = outputs["rectified"], networks.inference.get_layer("transform-rectified").output
    (got, *_) = keras.tree.flatten(
        keras.Model(start, networks.inference.outputs).predict_on_batch(picture.transpose(0, 2, 3, 1))
    )
    if got.ndim == 4:
        want = next(outputs[key] for key in ("maps", "f_score") if key in outputs).transpose(0, 2, 3, 1)
    else:
        want = outputs["head"] if "head" in outputs else _softmax(outputs["logits"])
        shown = meta["slices"].get(f"{first['fixture']}/logits", [[1, 0, None, 1]])[0]
        got = got[:, slice(*shown[1:])][:, : want.shape[1]]
    return float(np.abs(got - want).max())


def _softmax(scores: np.ndarray) -> np.ndarray:
    shifted = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


def exported(
    networks: Networks, spec: ModelSpec, host: Host, size: tuple[int, int], runs: int
) -> tuple[bytes, float, float]:
    """The exported graph, and the seconds that the Keras network and the graph take for one image."""
    import onnxruntime as ort

    from ocrbatch.bundles.onnx_graph import graph_from_keras

    pixels = network.algorithm_config(spec, host).input
    model = network.normalized(networks.inference, pixels)
    graph = graph_from_keras(model)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    image = np.random.default_rng(0).integers(0, 256, (1, *size, pixels.channels), np.uint8)
    return (
        graph,
        _median(lambda: model.predict_on_batch(image), runs),
        _median(lambda: session.run(None, {"image": image}), runs),
    )


def _median(call: Callable[[], Any], runs: int) -> float:
    """Seconds of processor time, after a run to warm up."""
    call()
    seconds = []
    for _ in range(runs):
        start = time.process_time()
        call()
        seconds.append(time.process_time() - start)
    return statistics.median(seconds)


def _row(cells: Any) -> None:
    click.echo("| " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
