"""Every file in configs/ must be right: its keys, the options of its plugins, and the network that it describes."""

from __future__ import annotations

import math
import re
import runpy
from pathlib import Path

import numpy as np
import pytest

from ocrbatch.bundles.network import algorithm_config, build_networks, training_for
from ocrbatch.cli.recipes import resolve_recipe
from ocrbatch.config.load import load_yaml
from ocrbatch.config.run import RunConfig
from ocrbatch.config.train import TrainConfig
from ocrbatch.config.values import validate
from ocrbatch.plugin_system.host import Host

CONFIGS = Path(__file__).parents[2] / "configs"
TRAINING = sorted([*CONFIGS.glob("det/*"), *CONFIGS.glob("rec/*")])
RUNS = sorted(CONFIGS.glob("run/*"))


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


@pytest.fixture(scope="module")
def host() -> Host:
    return Host.load()


def resolve(path: Path, host: Host) -> TrainConfig:
    nothing = dict.fromkeys(("recipe", "algo", "backbone", "charset", "train_data", "val_data", "start_from"))
    options = nothing | {"recipe": path, "train_data": ("data",), "assignments": ()}
    return resolve_recipe(host, path.parent.name, options)


def test_only_recipes_lie_in_configs() -> None:
    files = {path for path in CONFIGS.rglob("*") if path.is_file()}
    assert files == {*TRAINING, *RUNS}
    assert {path.suffix for path in files} == {".yml"}


@pytest.mark.parametrize("path", TRAINING, ids=name_of)
def test_training_recipe(path: Path, host: Host) -> None:
    config = resolve(path, host)
    assert config.model.task == path.parent.name
    assert f"ocrbatch train {path.parent.name} -c {path.stem} --data" in path.read_text(encoding="utf-8")
    networks = build_networks(config.model, host)
    assert len(networks.inference.inputs) == 1
    millions, _, size = said(path)
    assert millions == pytest.approx(networks.training.count_params() / 1e6, abs=0.051)
    assert size == pytest.approx(4 * networks.training.count_params() / 1e6, rel=0.03)


def said(path: Path) -> tuple[float, float, float]:
    """What the first lines of a recipe say: millions of parameters, GFLOPs, MB of weights."""
    text = " ".join(line.lstrip("# ") for line in path.read_text(encoding="utf-8").splitlines()[:4])
    form = r"([\d.]+) million parameters, ([\d.]+) ([GM])FLOPs at \d+ x \d+[;,] ([\d.]+) MB of weights"
    found = re.search(form, text)
    assert found, text
    return float(found[1]), float(found[2]) / {"G": 1, "M": 1000}[found[3]], float(found[4])


@pytest.mark.slow
@pytest.mark.parametrize("path", TRAINING, ids=name_of)
def test_flops_of_a_recipe_are_those_of_its_network(path: Path, host: Host) -> None:
    table = runpy.run_path(str(CONFIGS.parent / "benchmarks" / "model_table.py"))
    network = build_networks(resolve(path, host).model, host).inference
    size = re.search(r"FLOPs at (\d+) x\s(?:# )?(\d+)", path.read_text(encoding="utf-8"))
    assert size
    counted = 2 * table["macs"](network, (int(size[1]), int(size[2]))) / 1e9
    assert said(path)[1] == pytest.approx(counted, rel=0.04)


def test_the_light_chinese_recipe_takes_a_step(host: Host) -> None:
    assert math.isfinite(loss_of_a_step(resolve(CONFIGS / "rec" / "rec_chinese_lite_train.yml", host), host))


@pytest.mark.slow
@pytest.mark.parametrize("path", TRAINING, ids=name_of)
def test_every_training_recipe_takes_a_step(path: Path, host: Host) -> None:
    assert math.isfinite(loss_of_a_step(resolve(path, host), host))


def loss_of_a_step(config: TrainConfig, host: Host) -> float:
    """The loss of the recipe's first step, on a batch of two small pictures, after which some weights have changed."""
    from ocrbatch.training.learner import build_learner
    from ocrbatch.training.samples import Batch

    networks, training = build_networks(config.model, host), training_for(config.model, host)
    pixels = algorithm_config(config.model, host).input
    if config.model.task == "rec":
        size, target = (pixels.height, pixels.widths[0]), training.targets((config.model.charset or "")[:3])
    else:
        outline = np.array([[16, 16], [112, 16], [112, 48], [16, 48]], np.float32)
        size, target = (128, 128), training.targets((128, 128), [outline], [False])
    image = np.random.default_rng(0).integers(0, 256, (*size, pixels.channels), np.uint8)
    arrays = {name: np.stack([array, array]) for name, array in {"image": image, **target}.items()}
    learner = build_learner(networks.training, training.loss, pixels, config.train)
    before = [np.asarray(weight) for weight in learner.network.get_weights()]
    loss = learner.step(Batch(arrays, ("one", "other")))
    after = learner.network.get_weights()
    assert any(not np.array_equal(one, other) for one, other in zip(before, after, strict=True))
    return loss


@pytest.mark.parametrize("path", RUNS, ids=name_of)
def test_run_recipe(path: Path, host: Host) -> None:
    config = validate(RunConfig, load_yaml(path), str(path))
    for step in config.post:
        host.config(host.postprocessor(step.name), step.options)
    host.config(host.engine(config.engine.name), config.engine.options)


def test_the_default_run_recipe_says_what_happens_without_one(host: Host) -> None:
    config = validate(RunConfig, load_yaml(CONFIGS / "run" / "default.yml"), "")
    plain = RunConfig()

    def written_out(run: RunConfig) -> dict[str, object]:
        steps = [host.config(host.postprocessor(step.name), step.options) for step in run.post]
        return run.model_dump(exclude={"post"}) | {"post": [step.model_dump() for step in steps]}

    assert written_out(config) == written_out(plain)
