"""Every built-in algorithm, on a backbone it was made for, exports to a graph that does what the network does."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

from ocrbatch.bundles import network
from ocrbatch.bundles.export import difference
from ocrbatch.bundles.onnx_graph import graph_from_keras, native_output_hidden, operators
from ocrbatch.config.schema import ModelSpec
from ocrbatch.plugin_system.host import Host

SMALL = {"name": "mobilenet_v3", "size": "small", "scale": 0.35}
RESNET = {"name": "resnet_vd", "layers": 18}
MODELS = {
    "db": ({"name": "db", "fpn_channels": 16}, SMALL),
    "east": ({"name": "east"}, SMALL),
    "east on resnet": ({"name": "east"}, RESNET),
    "crnn": ({"name": "crnn", "hidden": 8}, SMALL),
    "crnn on resnet": ({"name": "crnn", "hidden": 8}, RESNET),
    "rosetta": ({"name": "rosetta"}, SMALL),
    "starnet": ({"name": "starnet", "hidden": 8}, SMALL),
    "rare": ({"name": "rare", "hidden": 8}, SMALL),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_graph_and_network_agree(name: str) -> None:
    with native_output_hidden():
        import keras
    host = Host.load(environ={})
    algorithm, backbone = MODELS[name]
    det = algorithm["name"] in ("db", "east")
    described: dict[str, Any] = {"task": "det" if det else "rec", "algorithm": algorithm, "backbone": backbone}
    spec = ModelSpec.model_validate(described if det else described | {"charset": "abcd 1234"})
    keras.utils.set_random_seed(5)
    networks = network.build_networks(spec, host)
    model = network.normalized(networks.inference, network.algorithm_config(spec, host).input)
    graph = graph_from_keras(model)
    session = ort.InferenceSession(graph)
    for shape in [(1, 64, 96, 3), (2, 96, 64, 3)] if det else [(1, 32, 100, 3), (3, 32, 100, 3)]:
        batch = np.random.default_rng(shape[0]).integers(0, 256, shape, np.uint8)
        outputs = model.predict_on_batch(batch)
        expected = outputs if isinstance(outputs, list | tuple) else [outputs]
        assert difference(expected, session.run(None, {"image": batch})) < 1e-3
    assert operators(graph)["BatchNormalization"] == 0
