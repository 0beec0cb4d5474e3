from __future__ import annotations

import functools
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest

from ocrbatch.bundles import network
from ocrbatch.bundles.export import export_run
from ocrbatch.bundles.format import Agreement, BundleInfo
from ocrbatch.bundles.onnx_graph import native_output_hidden
from ocrbatch.bundles.store import stamp_plugins
from ocrbatch.config.load import dump_yaml
from ocrbatch.config.schema import ModelSpec
from ocrbatch.config.train import TrainConfig
from ocrbatch.plugin_system.host import Host

STAGES = {"widths": [4, 4, 8, 8, 8], "depths": [1, 1, 1, 1, 1]}
SPECS = {
    "det": {
        "task": "det",
        "algorithm": {"name": "db", "fpn_channels": 8, "head_channels": 4, "unclip_ratio": 1.7},
        "backbone": {"name": "plain", "det": STAGES},
    },
    "rec": {
        "task": "rec",
        "algorithm": {"name": "crnn", "hidden": 6, "layers": 1},
        "backbone": {"name": "plain", "rec": STAGES},
        "charset": "abc é€12",
    },
}


@pytest.fixture(scope="session")
def host() -> Host:
    return Host.load(allow=["engines", "backbone_plain", "det_db", "rec_crnn"], environ={})


@pytest.fixture(scope="session")
def make_info(host: Host) -> Callable[[str], BundleInfo]:
    @functools.cache
    def make(task: str) -> BundleInfo:
        spec = network.resolved(ModelSpec.model_validate(SPECS[task]), host)
        return BundleInfo(
            name="tiny",
            spec=spec,
            outputs=("output_0",),
            parameters=17,
            metrics={"score": 0.5},
            agreement=Agreement(samples=2, difference=1e-7, tolerance=1e-3),
            provenance={"fonts": ["Ünïcode Sans"]},
            created=datetime(2020, 1, 2, tzinfo=UTC),
            ocrbatch="0.0.1",
            files={},
            **stamp_plugins(spec, host),
        )

    return make


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four pictures of text, of different sizes."""
    folder = tmp_path_factory.mktemp("pictures")
    for number in range(4):
        picture = np.full((36 + 20 * number, 90 + 40 * number, 3), 230, np.uint8)
        cv2.putText(picture, "abc 12", (4, 28), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (20, 20, 60), 2)
        cv2.imwrite(str(folder / f"{number}.png"), picture)
    return folder


@pytest.fixture(scope="session")
def runs(host: Host, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A training run of each task, as the trainer leaves it, with batch norms that have seen something."""
    with native_output_hidden():
        import keras
    rng = np.random.default_rng(7)
    made = {}
    for task, spec in SPECS.items():
        run = tmp_path_factory.mktemp(task) / "run"
        run.mkdir()
        config = TrainConfig.model_validate({"model": spec, "data": {"train": "nowhere"}})
        (run / "config.yml").write_text(dump_yaml(config.model_dump(mode="json")), encoding="utf-8")
        keras.utils.set_random_seed(1)
        training = network.build_networks(config.model, host).training
        for variable in training.variables:
            if variable.path.endswith("moving_mean"):
                variable.assign(rng.normal(0, 0.3, variable.shape))
            elif variable.path.endswith(("moving_variance", "gamma")):
                variable.assign(rng.uniform(0.5, 1.5, variable.shape))
        training.save_weights(run / "best.weights.h5")
        (run / "metrics.json").write_text(json.dumps({"best": {"score": 0.25}, "last": {"score": 0.125}}))
        (run / "provenance.json").write_text(json.dumps({"datasets": [{"name": "nowhere"}]}))
        made[task] = run
    return made


@pytest.fixture(scope="session")
def bundles(
    runs: dict[str, Path], pictures: Path, host: Host, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """An exported bundle of each task: the detector as a file, the recognizer as a folder."""
    folder = tmp_path_factory.mktemp("bundles")
    made = {"det": folder / "det.ocrb", "rec": folder / "rec"}
    for task, out in made.items():
        export_run(runs[task], out, host, samples=pictures)
    return made
