"""What executes the default models fastest: engines x models x shapes x threads, as a table for docs/performance.md.

    python benchmarks/engines.py --threads 1,2 --rounds 7

Each engine executes the same network: ONNX Runtime and OpenVINO the exported graph, LiteRT a conversion of the Keras
network for one shape, TensorFlow the Keras network as one compiled function. They take turns within each round. ``ms``
is by the clock, ``cpu ms`` what all threads used, which a busy machine changes less; figures are medians over the
rounds, ``ratio`` is that of cpu ms to ONNX Runtime's, ``difference`` the largest one to its outputs. An engine that is
not installed, or cannot execute a model, is left out with a word on stderr.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import click
import numpy as np
from numpy.typing import NDArray

from ocrbatch.bundles.export import difference
from ocrbatch.bundles.onnx_graph import native_output_hidden
from ocrbatch.bundles.store import Bundle, open_bundle
from ocrbatch.plugin_system.host import Host

Batch = NDArray[np.uint8]
Run = Callable[[Batch], list[NDArray[Any]]]

SHAPES = {"det": [(1, 640, 640), (1, 1600, 1152)], "rec": [(1, 32, 320), (16, 32, 320)]}
"""Batch, height and width."""

COLUMNS = ("model", "batch", "threads", "engine", "ms", "cpu ms", "ratio", "difference")


@click.command()
@click.option("--det", default="det", help="Detector bundle; the default one when left out.")
@click.option("--rec", default="rec", help="Recognizer bundle; the default one when left out.")
@click.option("--engines", "names", default="onnxruntime,openvino,litert,tensorflow", show_default=True)
@click.option("--threads", default="1,2", show_default=True, metavar="N,...")
@click.option("--rounds", default=7, show_default=True, type=click.IntRange(1))
def main(det: str, rec: str, names: str, threads: str, rounds: int) -> None:
    """Print the table."""
    host = Host.load()
    if "tensorflow" in names.split(","):
        _start_tensorflow(int(threads.split(",")[0]))
    for cells in (COLUMNS, ["---"] * len(COLUMNS)):
        click.echo(f"| {' | '.join(cells)} |")
    for kind, path in (("det", det), ("rec", rec)):
        bundle = open_bundle(path, host, kind=kind)
        for shape in SHAPES[kind]:
            batch = np.random.default_rng(0).integers(0, 256, (*shape, bundle.input.channels), np.uint8)
            for count in map(int, threads.split(",")):
                runs = _opened(names.split(","), bundle, batch, count)
                for row in _rows(runs, batch, rounds):
                    click.echo(f"| {kind} | {' x '.join(map(str, shape))} | {count} | {' | '.join(row)} |")


def onnxruntime(bundle: Bundle, batch: Batch, threads: int) -> Run:  # noqa: ARG001
    """As ``ocrbatch run`` does."""
    engine = bundle.host.engine("onnxruntime")
    session = bundle.host.resolve(engine.factory)(bundle.host.config(engine, {}, "engine")).open(bundle.graph, threads)
    return lambda values: list(session(values))


def openvino(bundle: Bundle, batch: Batch, threads: int) -> Run:  # noqa: ARG001
    """The exported graph, compiled for latency."""
    import openvino as ov

    core = ov.Core()
    options = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"}
    request = core.compile_model(core.read_model(bundle.graph.onnx()), "CPU", options).create_infer_request()
    return lambda values: [np.array(output) for output in request.infer([values]).values()]


def litert(bundle: Bundle, batch: Batch, threads: int) -> Run:
    """The Keras network converted for one shape, with XNNPACK."""
    import tensorflow as tf
    from ai_edge_litert.interpreter import Interpreter

    model = bundle.graph.keras_model()
    function = tf.function(lambda image: model(image, training=False))
    concrete = function.get_concrete_function(tf.TensorSpec(batch.shape, tf.uint8))
    with native_output_hidden():
        content = tf.lite.TFLiteConverter.from_concrete_functions([concrete], model).convert()
    interpreter = Interpreter(model_content=content, num_threads=threads)
    interpreter.allocate_tensors()
    entry, exits = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()

    def run(values: Batch) -> list[NDArray[Any]]:
        interpreter.set_tensor(entry, values)
        interpreter.invoke()
        return [interpreter.get_tensor(output["index"]) for output in exits]

    return run


def tensorflow(bundle: Bundle, batch: Batch, threads: int) -> Run:  # noqa: ARG001
    """The Keras network as one function; TensorFlow takes its number of threads only once, when it starts."""
    import tensorflow as tf

    if tf.config.threading.get_intra_op_parallelism_threads() != threads:
        raise RuntimeError("TensorFlow was started with another number of threads: measure that alone")
    model = bundle.graph.keras_model()
    function = tf.function(lambda image: model(image, training=False))
    return lambda values: [np.asarray(output) for output in tf.nest.flatten(function(values))]


ENGINES: dict[str, Callable[[Bundle, Batch, int], Run]] = {
    "onnxruntime": onnxruntime,
    "openvino": openvino,
    "litert": litert,
    "tensorflow": tensorflow,
}


def _opened(names: list[str], bundle: Bundle, batch: Batch, threads: int) -> dict[str, Run]:
    """Engines that can execute the model, warmed up."""
    runs = {}
    for name in names:
        try:
            run = ENGINES[name](bundle, batch, threads)
            run(batch)
        except Exception as error:  # whatever an engine may raise: the others go on
            reason = (str(error) or repr(error)).splitlines()[0]
            click.echo(f"{name} cannot execute {bundle.kind}, {threads} threads: {reason}", err=True)
        else:
            runs[name] = run
    return runs


def _start_tensorflow(threads: int) -> None:
    """Before anything else uses it: afterwards it keeps the number of threads that it has."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def _rows(runs: dict[str, Run], batch: Batch, rounds: int) -> list[list[str]]:
    outputs = {name: run(batch) for name, run in runs.items()}
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            began, used = time.perf_counter(), time.process_time()
            run(batch)
            times[name].append((1000 * (time.perf_counter() - began), 1000 * (time.process_time() - used)))
    medians = {name: np.median(values, axis=0).tolist() for name, values in times.items()}
    first = next(iter(runs))
    rows = []
    for name, (clock, cpu) in medians.items():
        away = "" if name == first else f"{difference(outputs[first], outputs[name]):.0e}"
        rows.append([name, f"{clock:.1f}", f"{cpu:.1f}", f"{cpu / medians[first][1]:.2f}", away])
    return rows


if __name__ == "__main__":
    main()
