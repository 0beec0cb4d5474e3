"""From a ``keras.Model`` to a small, clean ONNX graph."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import onnx
import onnxruntime as ort

from ocrbatch.bundles.onnx_nodes import nodes_within
from ocrbatch.bundles.onnx_passes import simplify, store_half
from ocrbatch.errors import BundleError

_AXES = ("batch", "height", "width", "channels")


def graph_from_keras(model: Any) -> bytes:
    """The exported graph of a model with one input uint8 (N, H, W, C), batch norms folded, axes named.

    Outputs are called ``output_0``, ``output_1``, ... in the model's order. Needs the TensorFlow backend. Raises
    BundleError when the model cannot be expressed in ONNX.
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        raise BundleError("Exporting a graph needs the TensorFlow backend: set KERAS_BACKEND=tensorflow.")
    signature = [keras.InputSpec(shape=model.inputs[0].shape, dtype="uint8", name="image")]
    with tempfile.TemporaryDirectory(prefix="ocrbatch-") as folder:
        path = Path(folder) / "raw.onnx"
        try:
            with native_output_hidden():
                model.export(path, format="onnx", input_signature=signature, verbose=False)
            graph = folded(path)
            simplify(graph.graph)
            return _cleaned(graph)
        except Exception as error:  # converters raise anything
            raise BundleError(f"The network cannot be exported as ONNX: {error}") from error


def folded(path: Path) -> onnx.ModelProto:
    """The graph with constants folded, batch norms merged into convolutions and useless transposes gone.

    ONNX Runtime's basic level writes standard operators only, so the result runs on any machine.
    """
    target = path.with_suffix(".folded.onnx")
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(target)
    options.log_severity_level = 3
    ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return onnx.load(str(target))


def halved(content: bytes) -> bytes:
    """A graph with its weights stored as float16: half the size. It computes in float32 as before."""
    model = onnx.load_from_string(content)
    store_half(model.graph)
    onnx.checker.check_model(model)
    stored: bytes = model.SerializeToString()
    return stored


def operators(content: bytes) -> Counter[str]:
    """How often each operator stands in an ONNX graph, loops and branches included."""
    return Counter(node.op_type for node in nodes_within(onnx.load_from_string(content).graph))


def output_names(content: bytes) -> tuple[str, ...]:
    """Names of a graph's outputs, in order."""
    return tuple(output.name for output in onnx.load_from_string(content).graph.output)


@contextmanager
def native_output_hidden() -> Iterator[None]:
    """Sends what libraries write to the process's own stdout and stderr to nowhere: TensorFlow's log lines cannot be
    silenced otherwise."""
    with Path(os.devnull).open("wb") as nowhere, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        saved = [(number, os.dup(number)) for number in (1, 2)]
        try:
            for number, _ in saved:
                os.dup2(nowhere.fileno(), number)
            yield
        finally:
            for number, copy in saved:
                os.dup2(copy, number)
                os.close(copy)


def _cleaned(model: onnx.ModelProto) -> bytes:
    """``model`` with readable names and without the traces of the conversion."""
    graph = model.graph
    renamed = {output.name: f"output_{number}" for number, output in enumerate(graph.output)}
    for node in nodes_within(graph):
        node.output[:] = [renamed.get(name, name) for name in node.output]
        node.input[:] = [renamed.get(name, name) for name in node.input]
        node.ClearField("name")
        node.ClearField("doc_string")
    for output in graph.output:
        output.name = renamed[output.name]
    del graph.value_info[:]
    for number, axis in enumerate(graph.input[0].type.tensor_type.shape.dim):
        if not axis.HasField("dim_value"):
            axis.dim_param = _AXES[number]
    for output in graph.output:
        for number, axis in enumerate(output.type.tensor_type.shape.dim):
            if not axis.HasField("dim_value"):
                axis.dim_param = "batch" if number == 0 else f"{output.name}_axis_{number}"
    used = {node.domain for node in nodes_within(graph)}
    opsets = [opset for opset in model.opset_import if opset.domain in used]
    del model.opset_import[:], model.metadata_props[:]
    model.opset_import.extend(opsets)
    model.producer_name, model.producer_version, graph.name, graph.doc_string = "ocrbatch", "", "ocrbatch", ""
    onnx.checker.check_model(model)
    return model.SerializeToString()
