"""What every engine must do, on a small network with two outputs."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from ocrbatch.contracts import Session
from ocrbatch.errors import BundleError, ConfigError
from ocrbatch.plugin_system.catalogue import Kind
from ocrbatch.plugin_system.host import Host

ENGINES = ["onnxruntime", "keras"]


@dataclass(frozen=True)
class TinyGraph:
    content: bytes
    model: Any

    def onnx(self) -> bytes:
        return self.content

    def keras_model(self) -> Any:
        return self.model


@pytest.fixture(scope="module")
def host() -> Host:
    return Host.load(allow=["engines"], environ={})


@pytest.fixture(scope="module")
def graph() -> TinyGraph:
    """Lines (N, 16, W, 3): a convolution, a map of scores, and a recurrent layer over the columns."""
    from ocrbatch.bundles.network import normalized
    from ocrbatch.bundles.onnx_graph import graph_from_keras, native_output_hidden
    from ocrbatch.config.schema import ImageInput

    with native_output_hidden():
        import keras
    from keras import layers

    keras.utils.set_random_seed(3)
    image = keras.Input((16, None, 3), name="image")
    x = layers.Conv2D(6, (16, 4), strides=(16, 4), activation="relu")(image)
    scores = layers.Conv2D(2, 1, activation="sigmoid")(x)
    steps = layers.Bidirectional(layers.LSTM(4, return_sequences=True))(layers.Reshape((-1, 6))(x))
    network = keras.Model(image, [scores, layers.Softmax()(steps)])
    model = normalized(network, ImageInput())
    return TinyGraph(graph_from_keras(model), model)


@pytest.fixture(scope="module", params=ENGINES)
def session(request: pytest.FixtureRequest, host: Host, graph: TinyGraph) -> Session:
    return open_with(host, request.param, graph)


def open_with(host: Host, name: str, graph: TinyGraph, **options: Any) -> Session:
    engine = host.engine(name)
    return host.resolve(engine.factory)(host.config(engine, options)).open(graph, threads=1)


def batch_of(size: int, width: int) -> np.ndarray:
    return np.random.default_rng(width).integers(0, 256, (size, 16, width, 3), np.uint8)


def test_both_are_listed(host: Host) -> None:
    assert host.names(Kind.ENGINE) == sorted(ENGINES)


def test_outputs_are_float_arrays_in_order(session: Session) -> None:
    outputs = session(batch_of(2, 24))
    assert isinstance(outputs, tuple)
    assert [(type(o), o.dtype, o.shape) for o in outputs] == [
        (np.ndarray, np.float32, (2, 1, 6, 2)),
        (np.ndarray, np.float32, (2, 6, 8)),
    ]


@pytest.mark.parametrize("width", [16, 40, 100])
def test_shapes_are_free(session: Session, width: int) -> None:
    assert [output.shape[:1] for output in session(batch_of(3, width))] == [(3,), (3,)]


def test_a_line_does_not_depend_on_its_neighbours(session: Session) -> None:
    batch = batch_of(5, 48)
    together = session(batch)
    for number in range(5):
        alone = session(batch[number : number + 1])
        for one, all_ in zip(alone, together, strict=True):
            np.testing.assert_allclose(one[0], all_[number], atol=1e-6)


def test_pixels_count(session: Session) -> None:
    batch = batch_of(1, 48)
    assert not np.allclose(session(batch)[0], session(255 - batch)[0], atol=1e-3)


@pytest.mark.parametrize("width", [20, 64])
def test_engines_agree(host: Host, graph: TinyGraph, width: int) -> None:
    batch = batch_of(2, width)
    one, other = (open_with(host, name, graph)(batch) for name in ENGINES)
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


@pytest.mark.parametrize("options", [{"optimization": "none"}, {"arena": False}, {"memory_pattern": True}])
def test_options_of_onnxruntime_change_no_result(host: Host, graph: TinyGraph, options: dict[str, Any]) -> None:
    batch = batch_of(2, 32)
    for a, b in zip(open_with(host, "onnxruntime", graph, **options)(batch), graph.model(batch), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_a_provider_that_is_not_there_is_named(host: Host, graph: TinyGraph) -> None:
    with pytest.raises(ConfigError, match=r"no execution provider 'MoonExecutionProvider'.*CPUExecutionProvider"):
        open_with(host, "onnxruntime", graph, providers=["MoonExecutionProvider"])


@pytest.mark.parametrize("content", [b"", b"no graph"])
def test_a_graph_that_is_none_is_refused(host: Host, graph: TinyGraph, content: bytes) -> None:
    with pytest.raises(BundleError, match="cannot load the exported graph"):
        open_with(host, "onnxruntime", replace(graph, content=content))


def test_onnxruntime_needs_no_keras() -> None:
    program = "import sys, ocrbatch.engines.onnxruntime; print(sorted({'keras', 'tensorflow'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_the_hook_module_imports_nothing_heavy() -> None:
    program = (
        "import sys, ocrbatch.engines.plugin as plugin; assert len(plugin.ocrbatch_engines()) == 2\n"
        "print(sorted({'keras', 'numpy', 'onnxruntime', 'pydantic'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "[]\n"
