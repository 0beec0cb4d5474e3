"""One detector with any recognizer: tiny untrained bundles, exported and run on a sample page by the command.

Each recognizer's head is biased towards the first character of its own charset, so what it reads is known.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from ocrbatch.bundles import network
from ocrbatch.bundles.export import write_model
from ocrbatch.bundles.format import WEIGHTS
from ocrbatch.bundles.onnx_graph import native_output_hidden
from ocrbatch.cli.main import cli
from ocrbatch.config.schema import ModelSpec
from ocrbatch.plugin_system.host import Host

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[2] / "docs" / "samples" / "receipt.jpg"
STAGES = {"widths": [4, 4, 4, 4, 4], "depths": [1, 1, 1, 1, 1]}
BACKBONE = {"name": "plain", "det": STAGES, "rec": STAGES}
SMALL_PAGE = {"limit_side": 320}
DETECTORS: dict[str, dict[str, Any]] = {
    "db": {"fpn_channels": 16, "box_thresh": 0.0, "thresh": 0.01, "input": SMALL_PAGE},
}
RECOGNIZERS: dict[str, tuple[str, dict[str, Any]]] = {
    "crnn": ("ab", {"hidden": 4, "input": {"widths": [64, 128]}}),
    "rosetta": ("cdé", {"input": {"widths": [96]}}),
    "starnet": ("efgh", {"hidden": 4, "input": {"widths": [80]}}),
    "rare": ("中文 12", {"hidden": 4, "max_length": 6, "input": {"widths": [112]}}),
}


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a bundle of each algorithm."""
    folder, host = tmp_path_factory.mktemp("bundles"), Host.load(environ={})
    for name, options in DETECTORS.items():
        _export(folder / name, host, {"task": "det", "algorithm": {"name": name, **options}})
    for name, (charset, options) in RECOGNIZERS.items():
        _export(folder / name, host, {"task": "rec", "algorithm": {"name": name, **options}, "charset": charset})
    return folder


def _export(target: Path, host: Host, model: dict[str, Any]) -> None:
    with native_output_hidden():
        import keras
    keras.utils.set_random_seed(3)
    spec = ModelSpec.model_validate({**model, "backbone": BACKBONE})
    networks = network.build_networks(spec, host)
    if spec.charset:
        bias = networks.training.trainable_variables[-1]
        bias.assign(12 * (np.arange(bias.shape[0]) == 1))
    weights = target.with_name(f"{target.name}-{WEIGHTS}")
    networks.training.save_weights(weights)
    picture = np.random.default_rng(0).integers(0, 256, (32, 64, 3), np.uint8)
    write_model(networks, spec, host, target, [picture], weights=weights.read_bytes())


@pytest.mark.parametrize("rec", RECOGNIZERS)
@pytest.mark.parametrize("det", DETECTORS)
def test_a_page_is_read_with_every_recognizer(bundles: Path, tmp_path: Path, det: str, rec: str) -> None:
    shutil.copy(PAGE, tmp_path / "page.jpg")
    models = ["--det", str(bundles / det), "--rec", str(bundles / rec)]
    out = tmp_path / "rows.jsonl"
    result = CliRunner().invoke(cli, ["run", str(tmp_path / "page.jpg"), *models, "--workers", "1", "--out", str(out)])
    assert result.exit_code == 0, result.stderr
    (row,) = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert row["status"] == "ok"
    (first, *_), _ = RECOGNIZERS[rec]
    assert row["regions"], "nothing was handed to the recognizer"
    assert {character for region in row["regions"] for character in region["text"]} == {first}
