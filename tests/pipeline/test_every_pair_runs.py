"""Any detector with any recognizer: untrained bundles, exported and run on a sample page by the command.

Their statistics and last layers are set so that detectors box about a tenth of the page, and each recognizer mostly
reads the first character of its own charset: what comes out still depends on the page, but what is read is known.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from click.testing import CliRunner

from ocrbatch.bundles import network
from ocrbatch.bundles.export import TOLERANCE, write_model
from ocrbatch.bundles.format import WEIGHTS
from ocrbatch.bundles.onnx_graph import native_output_hidden
from ocrbatch.bundles.samples import drawn_pictures
from ocrbatch.cli.main import cli
from ocrbatch.config.schema import ModelSpec
from ocrbatch.contracts import Networks
from ocrbatch.data.fit import normalize
from ocrbatch.plugin_system.host import Host

PAGE = Path(__file__).parents[2] / "docs" / "samples" / "receipt.jpg"
MOBILE, RESNET = "mobilenet_v3", "resnet_vd"
BACKBONES = {
    ("det", MOBILE): {"size": "small", "scale": 0.35},
    ("rec", MOBILE): {"size": "small", "scale": 0.35},
    ("det", RESNET): {"layers": 50},
    ("rec", RESNET): {"layers": 34},
}
SURE = 0.9  # where text begins: the default filter wants scores that are not low
SMALL_PAGE = {"limit_side": 320}
DETECTORS: dict[str, dict[str, Any]] = {
    "db": {"fpn_channels": 16, "thresh": SURE, "box_thresh": 0.0, "max_candidates": 20, "input": SMALL_PAGE},
    "east": {"max_candidates": 60, "input": SMALL_PAGE},
}
RECOGNIZERS: dict[str, tuple[str, dict[str, Any]]] = {
    "crnn": ("ab", {"hidden": 4, "input": {"widths": [64, 128]}}),
    "rosetta": ("cdé", {"input": {"widths": [96]}}),
    "starnet": ("efgh", {"hidden": 4, "input": {"widths": [80]}}),
    "rare": ("中文 12", {"hidden": 4, "max_length": 6, "input": {"widths": [112]}}),
}
Bundles = Callable[[str, str, str], Path]


def pairs() -> list[Any]:
    """All 4 x 8; those with a ResNet take minutes to export."""
    return [
        pytest.param(det, det_on, rec, rec_on, marks=[pytest.mark.slow] if RESNET in (det_on, rec_on) else [])
        for det in DETECTORS
        for det_on in (MOBILE, RESNET)
        for rec in RECOGNIZERS
        for rec_on in (MOBILE, RESNET)
    ]


@pytest.mark.parametrize(("det", "det_on", "rec", "rec_on"), pairs())
def test_a_page_is_read_by_every_pair(
    bundle: Bundles, tmp_path: Path, det: str, det_on: str, rec: str, rec_on: str
) -> None:
    models = ["--det", str(bundle("det", det, det_on)), "--rec", str(bundle("rec", rec, rec_on))]
    out = tmp_path / "rows.jsonl"
    result = CliRunner().invoke(cli, ["run", str(PAGE), *models, "--workers", "1", "--out", str(out)])
    assert result.exit_code == 0, result.stderr
    (row,) = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert row["status"] == "ok"
    assert len(row["regions"]) > 1
    (first, *_), _ = RECOGNIZERS[rec]
    read = {character for region in row["regions"] for character in region["text"]}
    assert first in read
    assert read - {first} <= ({" "} if rec == "rare" else set())  # its lines of more than six letters are cut at gaps


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundles:
    """Makes a bundle of a task, an algorithm and a backbone, each once; fails where graph and network differ."""
    folder, host = tmp_path_factory.mktemp("bundles"), Host.load(environ={})

    @cache
    def make(task: str, name: str, backbone: str) -> Path:
        charset, options = RECOGNIZERS.get(name) or (None, DETECTORS.get(name, {}))
        described = {
            "task": task,
            "algorithm": {"name": name, **options},
            "backbone": {"name": backbone, **BACKBONES[task, backbone]},
            "charset": charset,
        }
        target = folder / f"{name}-{backbone}"
        _export(target, host, ModelSpec.model_validate(described))
        return target

    return make


def _export(target: Path, host: Host, spec: ModelSpec) -> None:
    with native_output_hidden():
        import keras
    keras.utils.set_random_seed(3)
    networks = network.build_networks(spec, host)
    codec, pixels = network.codec_for(spec, host), network.algorithm_config(spec, host).input
    pictures = [np.asarray(PIL.Image.open(PAGE).convert("RGB"))] if spec.task == "det" else drawn_pictures(4)
    batch = normalize(np.stack([codec.encode(picture)[0] for picture in pictures[:1]]), pixels)
    _settle(networks.training, batch)
    {"db": _find_with_db, "east": _find_with_east}.get(spec.algorithm.name, _read_the_first)(networks, batch)
    weights = target.with_name(f"{target.name}-{WEIGHTS}")
    networks.training.save_weights(weights)
    info = write_model(networks, spec, host, target, pictures, weights=weights.read_bytes())
    assert info.agreement.difference <= TOLERANCE


def _settle(network: Any, batch: np.ndarray) -> None:
    """Gives batch normalisations the statistics of a picture, so that values neither fade nor grow."""
    for norm in _norms(network):
        norm.momentum = 0.0
    others = [np.zeros((1, *tensor.shape[1:]), np.int32) for tensor in network.inputs[1:]]
    network([batch, *others] if others else batch, training=True)


def _norms(network: Any) -> Iterator[Any]:
    import keras

    for layer in network.layers:
        if isinstance(layer, keras.Model):
            yield from _norms(layer)
        elif isinstance(layer, keras.layers.BatchNormalization):
            yield layer


def _find_with_db(networks: Networks, batch: np.ndarray) -> None:
    """A tenth of the pixels becomes text."""
    probability = np.asarray(networks.inference.predict_on_batch(batch))
    bias = networks.training.get_layer("head-binarize-conv3").bias
    bias.assign(bias - _logit(np.quantile(probability, 0.9)) + _logit(SURE))


def _find_with_east(networks: Networks, batch: np.ndarray) -> None:
    """A tenth of the cells proposes a box of about 48 x 16 pixels around itself."""
    norm, shape = (networks.training.get_layer(f"head-{part}_conv-bn") for part in ("score", "geo"))
    score, _ = networks.inference.predict_on_batch(batch)
    norm.beta.assign(norm.beta + _logit(0.8) - _logit(np.quantile(score, 0.9)))
    offsets = [24, 8, -24, 8, -24, -8, 24, -8]
    shape.gamma.assign(np.full(8, 0.005))
    shape.beta.assign([_logit((offset + 800) / 1600) for offset in offsets])


def _read_the_first(networks: Networks, batch: np.ndarray) -> None:  # noqa: ARG001
    kernel, bias = networks.training.trainable_variables[-2:]
    kernel.assign(kernel * 0.3)
    bias.assign(4.0 * (np.arange(bias.shape[0]) == 1))


def _logit(probability: float) -> float:
    return math.log(probability / (1 - probability))
