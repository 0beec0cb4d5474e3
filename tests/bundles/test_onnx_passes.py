from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import NodeProto, TensorProto, helper, numpy_helper

from ocrbatch.bundles.onnx_nodes import new_constant
from ocrbatch.bundles.onnx_passes import remove_unused, simplify, store_half


def model_of(nodes: Sequence[NodeProto], outputs: Sequence[str] = ("y",), **constants: np.ndarray) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None] * 4)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * 4) for name in outputs],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)


def run(model: onnx.ModelProto, shape: tuple[int, ...]) -> list[np.ndarray]:
    picture = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    return ort.InferenceSession(model.SerializeToString()).run(None, {"x": picture})


def simplified(model: onnx.ModelProto, shape: tuple[int, ...]) -> list[str]:
    """Operators after simplifying, which must not change any output."""
    before = run(model, shape)
    simplify(model.graph)
    onnx.checker.check_model(model, full_check=True)
    for one, other in zip(before, run(model, shape), strict=True):
        np.testing.assert_array_equal(one, other)
    return [node.op_type for node in model.graph.node]


def enlarging(factor: int, repeats: list[int], mode: str = "DCR") -> onnx.ModelProto:
    tile = helper.make_node("Tile", ["x", "repeats"], ["t"])
    deal = helper.make_node("DepthToSpace", ["t"], ["y"], blocksize=factor, mode=mode)
    return model_of([tile, deal], repeats=np.array(repeats, np.int64))


@pytest.mark.parametrize("factor", [2, 4, 8])
def test_pixels_are_repeated_by_one_resize(factor: int) -> None:
    assert simplified(enlarging(factor, [1, factor**2, 1, 1]), (2, 3, 4, 5)) == ["Resize"]


@pytest.mark.parametrize(
    ("repeats", "mode"), [([1, 4, 1, 1], "CRD"), ([1, 8, 1, 1], "DCR"), ([1, 4, 2, 1], "DCR"), ([2, 4, 1, 1], "DCR")]
)
def test_other_repetitions_are_left_alone(repeats: list[int], mode: str) -> None:
    assert simplified(enlarging(2, repeats, mode), (1, 3, 4, 5)) == ["Tile", "DepthToSpace"]


def test_copies_that_others_read_are_left_alone() -> None:
    model = enlarging(2, [1, 4, 1, 1])
    model.graph.output.append(helper.make_tensor_value_info("t", TensorProto.FLOAT, [None] * 4))
    assert simplified(model, (1, 3, 4, 5)) == ["Tile", "DepthToSpace"]


def normalizing(scale: np.ndarray, shift: np.ndarray, perm: Sequence[int] = (0, 3, 1, 2)) -> onnx.ModelProto:
    nodes = [
        helper.make_node("Mul", ["x", "scale"], ["a"]),
        helper.make_node("Add", ["a", "shift"], ["b"]),
        helper.make_node("Transpose", ["b"], ["c"], perm=perm),
        helper.make_node("Relu", ["c"], ["y"]),
    ]
    return model_of(nodes, scale=scale.astype(np.float32), shift=shift.astype(np.float32))


@pytest.mark.parametrize("shape", [(3,), (1, 3), (1, 1, 1, 3)])
def test_planes_are_normalized_after_transposing(shape: tuple[int, ...]) -> None:
    model = normalizing(np.array([1.0, 2.0, 3.0]).reshape(shape), np.array([0.5, -1.0, 7.0]))
    assert simplified(model, (2, 5, 7, 3)) == ["Transpose", "Mul", "Add", "Relu"]


def test_arithmetic_that_differs_by_place_is_left_alone() -> None:
    model = normalizing(np.ones((7, 3)), np.ones(3))
    assert simplified(model, (2, 5, 7, 3)) == ["Mul", "Transpose", "Add", "Relu"]


def test_other_transposes_are_left_alone() -> None:
    model = normalizing(np.ones(3), np.ones(3), perm=(0, 2, 1, 3))
    assert simplified(model, (2, 5, 7, 3)) == ["Mul", "Add", "Transpose", "Relu"]


def test_what_nothing_reads_goes() -> None:
    nodes = [
        helper.make_node("Relu", ["x"], ["y"]),
        helper.make_node("Neg", ["x"], ["a"]),
        helper.make_node("Add", ["a", "gone"], ["b"]),
    ]
    model = model_of(nodes, gone=np.ones(1, np.float32))
    remove_unused(model.graph)
    assert [node.op_type for node in model.graph.node] == ["Relu"]
    assert not model.graph.initializer


def test_constants_made_between_removals_have_names_of_their_own() -> None:
    graph = model_of([helper.make_node("Neg", ["x"], ["unread"])], gone=np.ones(1, np.float32)).graph
    first = new_constant(graph, np.ones(1))
    graph.node.append(helper.make_node("Add", ["x", first], ["y"]))
    remove_unused(graph)
    assert [tensor.name for tensor in graph.initializer] == [first]
    assert first != new_constant(graph, np.ones(1))


def test_what_a_loop_reads_stays() -> None:
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go_on"], ["goes_on"]),
            helper.make_node("Add", ["state", "outside"], ["next"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("number", TensorProto.INT64, []),
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("state", TensorProto.FLOAT, [None] * 4),
        ],
        [
            helper.make_tensor_value_info("goes_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("next", TensorProto.FLOAT, [None] * 4),
        ],
    )
    nodes = [
        helper.make_node("Neg", ["x"], ["outside"]),
        helper.make_node("Loop", ["times", "", "x"], ["y"], body=body),
    ]
    model = model_of(nodes, times=np.array(3))
    assert simplified(model, (1, 2, 2, 1)) == ["Neg", "Loop"]


def adding(values: np.ndarray) -> onnx.ModelProto:
    return model_of([helper.make_node("Add", ["x", "weights"], ["y"])], weights=values)


def test_large_constants_are_stored_as_half_and_used_as_float() -> None:
    values = np.random.default_rng(3).normal(size=(1, 1, 20, 20)).astype(np.float32)
    model = adding(values)
    store_half(model.graph)
    onnx.checker.check_model(model, full_check=True)
    [stored] = model.graph.initializer
    assert stored.data_type == TensorProto.FLOAT16
    np.testing.assert_array_equal(
        run(model, (1, 1, 20, 20))[0], run(adding(values.astype(np.float16).astype(np.float32)), (1, 1, 20, 20))[0]
    )


@pytest.mark.parametrize("values", [np.ones((1, 1, 5, 5)), np.full((1, 1, 20, 20), 1e5)])
def test_small_constants_and_those_too_large_for_half_stay(values: np.ndarray) -> None:
    model = adding(values.astype(np.float32))
    store_half(model.graph)
    assert model == adding(values.astype(np.float32))
