from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import NodeProto, TensorProto, helper, numpy_helper

from ocrbatch.bundles.onnx_int8 import quantized
from ocrbatch.bundles.onnx_int8_first import quantize_first
from ocrbatch.bundles.onnx_int8_lstm import quantize_lstms
from ocrbatch.bundles.onnx_passes import remove_unused, repeat_bytes

RNG = np.random.default_rng(0)


def model_of(
    nodes: Sequence[NodeProto], rank: int, outputs: Sequence[str] = ("y",), **constants: Any
) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, [None] * 4)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * rank) for name in outputs],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)


def run(model: onnx.ModelProto, batch: np.ndarray) -> list[np.ndarray]:
    return ort.InferenceSession(model.SerializeToString()).run(None, {"image": batch})


def pixels(*shape: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def operators(model: onnx.ModelProto) -> list[str]:
    return [node.op_type for node in model.graph.node]


def enlarging(factor: int = 2, other_scale: float = 0.5, **changes: Any) -> onnx.ModelProto:
    kind: dict[str, Any] = {
        "mode": "nearest",
        "coordinate_transformation_mode": "asymmetric",
        "nearest_mode": "floor",
    } | changes
    nodes = [
        helper.make_node("DequantizeLinear", ["image", "scale", "zero"], ["a"]),
        helper.make_node("Resize", ["a", "", "factors"], ["b"], **kind),
        helper.make_node("QuantizeLinear", ["b", "other_scale", "zero"], ["c"]),
        helper.make_node("DequantizeLinear", ["c", "other_scale", "zero"], ["y"]),
    ]
    scales = {"scale": np.float32(0.5), "other_scale": np.float32(other_scale), "zero": np.uint8(3)}
    constants: dict[str, Any] = {name: np.array(value) for name, value in scales.items()}
    return model_of(nodes, 4, factors=np.array([1, 1, factor, factor], np.float32), **constants)


@pytest.mark.parametrize("factor", [2, 4, 8])
def test_bytes_are_repeated_without_going_to_float(factor: int) -> None:
    model, batch = enlarging(factor), pixels(2, 3, 5, 7)
    (before,) = run(model, batch)
    repeat_bytes(model.graph)
    onnx.checker.check_model(model, full_check=True)
    assert "Expand" in operators(model)
    assert "Resize" not in operators(model)
    np.testing.assert_array_equal(before, run(model, batch)[0])
    np.testing.assert_array_equal(before[:, :, ::factor, ::factor], (batch.astype(np.float32) - 3) / 2)


@pytest.mark.parametrize(
    "changed",
    [{"other_scale": 0.25}, {"mode": "linear"}, {"coordinate_transformation_mode": "half_pixel"}],
)
def test_other_enlargements_stay(changed: dict[str, Any]) -> None:
    model = enlarging(2, **changed)
    before = operators(model)
    repeat_bytes(model.graph)
    assert operators(model) == before


def test_an_enlargement_that_others_read_in_float_stays() -> None:
    model = enlarging()
    model.graph.output.append(helper.make_tensor_value_info("b", TensorProto.FLOAT, [None] * 4))
    repeat_bytes(model.graph)
    assert "Resize" in operators(model)


def reading(
    directions: int = 2, units: int = 6, features: int = 5, outputs: Sequence[str] = ("y",), **attributes: Any
) -> onnx.ModelProto:
    """An LSTM over the columns of pictures (N, 1, W, features), as Keras exports it: states (W, D, N, units)."""
    direction = "bidirectional" if directions == 2 else "forward"
    nodes = [
        helper.make_node("Cast", ["image"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["float", "small"], ["scaled"]),
        helper.make_node("Squeeze", ["scaled", "one"], ["lines"]),
        helper.make_node("Transpose", ["lines"], ["columns"], perm=[1, 0, 2]),
        helper.make_node("Shape", ["columns"], ["n"], start=1, end=2),
        helper.make_node("Concat", ["directions", "n", "units"], ["shape"], axis=0),
        helper.make_node("Expand", ["nothing", "shape"], ["start"]),
        helper.make_node(
            "LSTM",
            ["columns", "W", "R", "B", "", "start", "start"],
            ["y", "last"],
            direction=direction,
            hidden_size=units,
            **attributes,
        ),
    ]
    weights = {
        "W": RNG.normal(size=(directions, 4 * units, features)),
        "R": RNG.normal(size=(directions, 4 * units, units)),
        "B": RNG.normal(size=(directions, 8 * units)),
        "small": np.array(1 / 64),
        "nothing": np.zeros((1, 1, 1)),
    }
    sizes = {"one": [1], "directions": [directions], "units": [units]}
    constants = {name: np.array(value, np.float32) for name, value in weights.items()}
    return model_of(nodes, 4, outputs, **constants, **{name: np.array(value) for name, value in sizes.items()})


@pytest.mark.parametrize("directions", [1, 2])
def test_an_lstm_in_eight_bits_reads_about_the_same(directions: int) -> None:
    model, batch = reading(directions), pixels(3, 1, 40, 5)
    (exact,) = run(model, batch)
    quantize_lstms(model, [batch])
    assert "DynamicQuantizeLSTM" in operators(model)
    assert "LSTM" not in operators(model)
    (close,) = run(model, batch)
    assert close.shape == exact.shape == (40, directions, 3, 6)
    assert 1e-5 < np.abs(close - exact).mean() < 0.02


def test_neighbours_in_a_batch_change_nothing() -> None:
    model = reading()
    quantize_lstms(model, [pixels(1, 1, 40, 5) // 4])
    line = pixels(1, 1, 40, 5, seed=2) // 4
    wild, dark = np.full_like(line, 255), np.zeros_like(line)
    (alone,), (beside,) = run(model, line), run(model, np.concatenate([wild, line, dark]))
    np.testing.assert_array_equal(alone[:, :, 0], beside[:, :, 1])


def test_what_was_never_seen_is_clipped_to_what_was() -> None:
    model = reading()
    quantize_lstms(model, [np.full((1, 1, 8, 5), 100, np.uint8)])
    bright, brightest = (run(model, np.full((1, 1, 8, 5), value, np.uint8))[0] for value in (100, 255))
    np.testing.assert_array_equal(bright, brightest)


def test_sixteen_bits_hold_any_two_products() -> None:
    model = reading()
    quantize_lstms(model, [pixels(1, 1, 8, 5)])
    weights = [
        numpy_helper.to_array(tensor) for tensor in model.graph.initializer if tensor.data_type == TensorProto.INT8
    ]
    assert max(int(np.abs(weight.astype(int)).max()) for weight in weights) == 63
    assert 2 * 255 * 63 < 2**15


@pytest.mark.parametrize("changed", [{"outputs": ("y", "last")}, {"clip": 3.0}, {"activations": ["Tanh"] * 6}])
def test_lstms_of_other_kinds_stay(changed: dict[str, Any]) -> None:
    model = reading(**changed)
    quantize_lstms(model, [pixels(1, 1, 8, 5)])
    assert "LSTM" in operators(model)


def looking(channels: int = 1, mean: float = 0.5, **changes: Any) -> onnx.ModelProto:
    """Normalised pixels -> convolution -> ReLU -> bytes, and these as floats."""
    kind = {"strides": [2, 2], "pads": [1, 1, 1, 1], "kernel_shape": [3, 3]} | changes
    kernel = RNG.normal(size=(6, channels, 3, 3)).astype(np.float32) / 3
    nodes = [
        helper.make_node("Cast", ["image"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["float", "factor"], ["scaled"]),
        helper.make_node("Add", ["scaled", "offset"], ["normalized"]),
        helper.make_node("Transpose", ["normalized"], ["x"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["x", "kernel", "bias"], ["a"], **kind),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("QuantizeLinear", ["b", "scale", "zero"], ["c"]),
        helper.make_node("DequantizeLinear", ["c", "scale", "zero"], ["y"]),
    ]
    constants: dict[str, Any] = {
        "factor": np.full((1, 1, 1, channels), 2 / 255, np.float32),
        "offset": np.full((1, 1, 1, channels), -2 * mean, np.float32),
        "bias": RNG.normal(size=6).astype(np.float32) / 3,
        "scale": np.array(0.02, np.float32),
        "zero": np.array(0, np.uint8),
    }
    return model_of(nodes, 4, kernel=kernel[:, :, : kind["kernel_shape"][0], : kind["kernel_shape"][1]], **constants)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("mean", [0.5, 0.0, 0.9])
def test_the_first_convolution_on_bytes_sees_the_same(channels: int, mean: float) -> None:
    model, batch = looking(channels, mean), pixels(2, 8, 20, channels)
    (expected,) = run(model, batch)
    quantize_first(model.graph, np.full(channels, 127.0))
    remove_unused(model.graph)
    assert [name for name in operators(model) if name not in ("Reshape", "Transpose")] == [
        "QLinearConv",
        "DequantizeLinear",
    ]
    (found,) = run(model, batch)
    assert found.shape == expected.shape == (2, 6, 4, 10)
    assert np.abs(found - expected)[:, :, 1:, 1:].max() < 0.1
    assert np.abs(found - expected).mean() < 0.03


def test_what_rounding_takes_off_for_paper_is_given_back() -> None:
    model, paper = looking(), np.full((1, 8, 16, 1), 250, np.uint8)
    (expected,) = run(model, paper)
    quantize_first(model.graph, np.array([250.0]))
    (found,) = run(model, paper)
    assert np.abs(found - expected)[:, :, 1:, 1:].max() <= 0.0201


@pytest.mark.parametrize("channels", [1, 3])
def test_sixteen_bits_hold_products_of_neighbours_in_the_first_convolution(channels: int) -> None:
    model = looking(channels)
    quantize_first(model.graph, np.full(channels, 127.0))
    (conv,) = [node for node in model.graph.node if node.op_type == "QLinearConv"]
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    rows = np.abs(constants[conv.input[3]].astype(int)).transpose(0, 2, 3, 1).reshape(-1, 2)
    assert rows.sum(axis=1).max() * 255 < 2**15


@pytest.mark.parametrize(
    "changed",
    [{"strides": [1, 1]}, {"pads": [0, 0, 2, 2]}, {"dilations": [2, 2]}, {"kernel_shape": [1, 1], "pads": [0] * 4}],
    ids=["stride", "padding", "dilated", "1x1"],
)
def test_first_convolutions_of_other_kinds_stay(changed: dict[str, Any]) -> None:
    model = looking(**changed)
    before = model.SerializeToString()
    quantize_first(model.graph, np.array([127.0]))
    assert model.SerializeToString() == before


def test_a_first_convolution_whose_middle_is_no_level_stays() -> None:
    model = looking(mean=-0.1)
    quantize_first(model.graph, np.array([127.0]))
    assert "Conv" in operators(model)


def test_nothing_between_two_convolutions_goes_to_float() -> None:
    kernel = (RNG.normal(size=(4, 4, 3, 3)) / 6).astype(np.float32)
    shape: dict[str, Any] = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}
    nodes = [
        helper.make_node("Cast", ["image"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["float", "small"], ["scaled"]),
        helper.make_node("Transpose", ["scaled"], ["x"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["x", "kernel"], ["a"], **shape),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Conv", ["b", "kernel"], ["c"], strides=[2, 2], **shape),
        helper.make_node("Relu", ["c"], ["d"]),
        helper.make_node("Conv", ["d", "kernel"], ["e"], **shape),
        helper.make_node("Add", ["d", "e"], ["f"]),
        helper.make_node(
            "Resize",
            ["f", "", "factors"],
            ["g"],
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        ),
        helper.make_node("Concat", ["g", "g"], ["h"], axis=1),
        helper.make_node("Conv", ["h", "wide"], ["i"], **shape),
        helper.make_node("Add", ["i", "bias"], ["y"]),
    ]
    constants = {
        "kernel": kernel,
        "wide": np.concatenate([kernel, kernel], 1),
        "small": np.full(1, 1 / 128, np.float32),
    }
    constants |= {"factors": np.array([1, 1, 2, 2], np.float32), "bias": np.ones((1, 4, 1, 1), np.float32)}
    model, batch = model_of(nodes, 4, ("y",), **constants), pixels(1, 32, 64, 4)
    faster = onnx.load_from_string(quantized(model.SerializeToString(), [batch]))
    exact, close = run(model, batch)[0], run(faster, batch)[0]
    assert 0 < np.abs(exact - close).mean() < 0.04 * np.abs(exact).mean()
    made_by = {name: node.op_type for node in faster.graph.node for name in node.output}
    inner = [node for node in faster.graph.node if node.op_type in ("Add", "Concat")]
    assert [[made_by.get(name) for name in node.input] for node in inner] == [
        ["DequantizeLinear"] * 2,
        ["DequantizeLinear"] * 2,
        ["DequantizeLinear", None],
    ]
    assert "Resize" not in operators(faster)
