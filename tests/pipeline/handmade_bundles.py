"""Bundles whose graphs are written by hand, so that a test of the whole command needs no training and no keras."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from ocrbatch.bundles import network
from ocrbatch.bundles.format import GRAPH, WEIGHTS, Agreement, BundleInfo
from ocrbatch.bundles.store import stamp_plugins, write_bundle
from ocrbatch.config.schema import ModelSpec
from ocrbatch.plugin_system.host import Host

CHARACTERS = "ab 12"
TEXT = "ab 12"


def detector(target: Path, host: Host) -> Path:
    """A ``db`` detector for which dark is text."""
    nodes = [
        helper.make_node("Cast", ["image"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["pixels", "last"], ["grey"], keepdims=1),
        helper.make_node("Sub", ["white", "grey"], ["dark"]),
        helper.make_node("Div", ["dark", "white"], ["output_0"]),
    ]
    constants = {"last": np.array([3], np.int64), "white": np.array(255, np.float32)}
    return _write(target, host, {"name": "db", "min_size": 2}, _graph(nodes, constants, 4), None)


def recognizer(target: Path, host: Host) -> Path:
    """A ``crnn`` recognizer that reads TEXT on every line."""
    steps = np.zeros((1, len(TEXT), len(CHARACTERS) + 1), np.float32)
    steps[0, range(len(TEXT)), [CHARACTERS.index(character) + 1 for character in TEXT]] = 0.9
    nodes = [
        helper.make_node("Cast", ["image"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["pixels", "picture"], ["grey"], keepdims=0),
        helper.make_node("Mul", ["grey", "zero"], ["nothing"]),
        helper.make_node("Unsqueeze", ["nothing", "behind"], ["batch"]),
        helper.make_node("Add", ["batch", "steps"], ["output_0"]),
    ]
    constants = {
        "picture": np.array([1, 2, 3], np.int64),
        "zero": np.array(0, np.float32),
        "behind": np.array([1, 2], np.int64),
        "steps": steps,
    }
    return _write(target, host, {"name": "crnn"}, _graph(nodes, constants, 3), CHARACTERS)


def _graph(nodes: list[Any], constants: dict[str, np.ndarray], rank: int) -> bytes:
    image = helper.make_tensor_value_info("image", TensorProto.UINT8, ["batch", "height", "width", "channels"])
    output = helper.make_tensor_value_info("output_0", TensorProto.FLOAT, [f"axis_{n}" for n in range(rank)])
    tensors = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "handmade", [image], [output], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content


def _write(target: Path, host: Host, algorithm: dict[str, Any], graph: bytes, charset: str | None) -> Path:
    values = {
        "task": "rec" if charset else "det",
        "algorithm": algorithm,
        "backbone": {"name": "plain"},
        "charset": charset,
    }
    spec = network.resolved(ModelSpec.model_validate(values), host)
    info = BundleInfo(
        name=target.stem,
        spec=spec,
        outputs=("output_0",),
        parameters=0,
        metrics={},
        agreement=Agreement(samples=1, difference=0.0, tolerance=1e-3),
        provenance={},
        created=datetime(2020, 1, 2, tzinfo=UTC),
        ocrbatch="0.0.1",
        files={},
        **stamp_plugins(spec, host),
    )
    write_bundle(target, info, {GRAPH: graph, WEIGHTS: b"none"})
    return target
