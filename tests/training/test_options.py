"""Fine-tuning, patience, logs and the dry run, with recognizers of a few hundred weights in this process."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import yaml
from click.testing import CliRunner
from PIL import Image

from ocrbatch.bundles import network
from ocrbatch.bundles.format import GRAPH, WEIGHTS, Agreement, BundleInfo
from ocrbatch.bundles.store import load_weights, open_bundle, stamp_plugins, write_bundle
from ocrbatch.charset import load_charset
from ocrbatch.cli.main import cli
from ocrbatch.cli.recipes import resolve_recipe
from ocrbatch.config.schema import ModelSpec
from ocrbatch.config.train import BackboneStart, TrainConfig
from ocrbatch.errors import ExitCode, InputError, TrainingError
from ocrbatch.plugin_system.host import Host
from ocrbatch.training.checkpoint import Progress
from ocrbatch.training.logs import TrainingLog, Window
from ocrbatch.training.preview import estimate_memory
from ocrbatch.training.samples import Batch
from ocrbatch.training.trainer import Outcome, train
from ocrbatch.training.transfer import transfer_backbone, transfer_weights

MakeFolder = Callable[[int, int], Path]

GRAY = {"color": "gray", "mean": [0.5], "std": [0.5]}
LINES = {**GRAY, "widths": [112]}
CRNN = {"name": "crnn", "hidden": 4, "layers": 1, "max_length": 5, "input": LINES}
MODEL: dict[str, Any] = {
    "task": "rec",
    "algorithm": {"name": "rosetta", "max_length": 5, "input": LINES},
    "backbone": {"name": "plain", "rec": {"widths": [4, 4, 4, 4, 4], "depths": [1, 1, 1, 1, 1]}},
    "charset": "0123456789",
}


class Notes:
    """A reporter that remembers."""

    def __init__(self) -> None:
        self.losses: list[float] = []
        self.metrics: list[dict[str, float]] = []

    def started(self, setup: object, progress: Progress) -> None:
        self.start = (setup, progress)

    def stepped(self, progress: Progress, loss: float, samples_per_second: float) -> None:  # noqa: ARG002
        self.losses.append(loss)

    def evaluated(self, progress: Progress, metrics: Mapping[str, float]) -> None:  # noqa: ARG002
        self.metrics.append(dict(metrics))


@pytest.fixture(scope="module")
def host() -> Host:
    return Host.load(allow=["engines", "backbone_plain", "rec_crnn", "rec_rosetta"], environ={})


def recipe(data: dict[str, Any], **settings: Any) -> TrainConfig:
    optimizer = {"schedule": {"kind": "constant", "warmup_steps": 0}, **settings.pop("optimizer", {})}
    base = {"steps": 4, "batch_size": 2, "eval_every": 2, "log_every": 1, "save_every": 2}
    values = {"model": MODEL, "data": {"workers": 0, **data}, "augment": []}
    return TrainConfig.model_validate({**values, "train": {**base, "optimizer": optimizer, **settings}})


def trained(config: TrainConfig, host: Host, out: Path, **options: Any) -> tuple[Outcome, Notes]:
    notes = Notes()
    return train(config, host, out, notes, **options), notes


def bundle(
    folder: Path, host: Host, seed: int, factor: float = 1.0, **model: Any
) -> tuple[Path, dict[str, np.ndarray]]:
    """A bundle with random weights (its graph is not looked at), and these by name."""
    spec = network.resolved(ModelSpec.model_validate({**MODEL, **model}), host)
    keras.utils.set_random_seed(seed)
    made = network.build_networks(spec, host).training
    rng = np.random.default_rng(seed)
    for variable in made.variables:
        variable.assign(factor * rng.uniform(0.5, 1.5, variable.shape))
    folder.mkdir()
    made.save_weights(folder / WEIGHTS)
    info = BundleInfo(
        name="tiny",
        spec=spec,
        outputs=("output_0",),
        parameters=made.count_params(),
        metrics={},
        agreement=Agreement(samples=1, difference=0.0, tolerance=1e-3),
        provenance={"datasets": [{"name": "earlier"}], "fonts": {"Old Sans": "OFL"}},
        created=datetime(2020, 1, 2, tzinfo=UTC),
        ocrbatch="0.0.1",
        files={},
        **stamp_plugins(spec, host),
    )
    target = folder / "tiny.ocrb"
    write_bundle(target, info, {GRAPH: b"none", WEIGHTS: (folder / WEIGHTS).read_bytes()})
    return target, values(made)


def values(made: keras.Model) -> dict[str, np.ndarray]:
    """Weights by name, without the numbers that Keras adds to names of layers within layers."""
    found: dict[str, np.ndarray] = {}
    for variable in made.variables:
        found[re.sub(r"_\d+/", "/", variable.path)] = np.array(keras.ops.convert_to_numpy(variable))
    return found


def test_shared_characters_keep_their_rows_and_new_ones_start_fresh(tmp_path: Path, host: Host) -> None:
    path, before = bundle(tmp_path / "b", host, 1, algorithm=CRNN, charset="abc12")
    spec = ModelSpec.model_validate({**MODEL, "algorithm": CRNN, "charset": "2xbay"})
    networks = network.build_networks(spec, host)
    fresh = values(networks.training)
    assert transfer_weights(path, networks, spec, host) == len(networks.training.variables)
    after = values(networks.training)
    for name in (name for name in after if name.startswith("head")):
        for new, old in ((0, 0), (1, 5), (3, 2), (4, 1)):  # blank, 2, b and a stood there before
            np.testing.assert_array_equal(after[name][..., new], before[name][..., old])
        for new in (2, 5):  # x and y are new
            np.testing.assert_array_equal(after[name][..., new], fresh[name][..., new])
    others = [name for name in after if not name.startswith("head") and "seed" not in name]
    assert len(others) > 10
    assert any("lstm" in name for name in others)
    assert all(np.array_equal(after[name], before[name]) for name in others)


def test_layers_as_wide_as_the_head_by_chance_are_left_alone(tmp_path: Path, host: Host) -> None:
    path, before = bundle(tmp_path / "b", host, 1, charset="abc")
    spec = ModelSpec.model_validate({**MODEL, "charset": "cba"})
    networks = network.build_networks(spec, host)
    transfer_weights(path, networks, spec, host)
    after = values(networks.training)
    assert after.keys() == before.keys()
    for name, value in after.items():
        expected = before[name][..., [0, 3, 2, 1]] if name.startswith("head") else before[name]
        np.testing.assert_array_equal(value, expected, err_msg=name)


def test_starting_from_a_bundle_takes_its_model_over(tmp_path: Path, host: Host) -> None:
    path, _ = bundle(tmp_path / "b", host, 1, algorithm=CRNN, charset="abc")
    options = {"recipe": None, "algo": None, "backbone": None, "charset": None, "val_data": (), "train_data": ("x",)}
    alike = resolve_recipe(host, "rec", {**options, "start_from": path, "assignments": ()}).model
    assert alike == open_bundle(path, host).spec
    assignments = ("model.algorithm.max_length=9", "model.algorithm.input.widths=[64]")
    changed = resolve_recipe(host, "rec", {**options, "start_from": path, "assignments": assignments, "charset": "en"})
    expected = {**alike.algorithm.options, "max_length": 9}
    expected["input"] = {**expected["input"], "widths": [64]}
    assert changed.model.algorithm.options == expected
    assert changed.model.backbone == alike.backbone
    assert changed.model.charset == load_charset("en").characters
    other = resolve_recipe(host, "rec", {**options, "start_from": path, "assignments": (), "algo": "rosetta"}).model
    assert (other.algorithm.name, other.algorithm.options["max_length"]) == ("rosetta", 25)


def test_another_network_is_refused_by_name(tmp_path: Path, host: Host) -> None:
    path, _ = bundle(tmp_path / "b", host, 1, algorithm=CRNN, charset="abc12")
    wider = {**CRNN, "hidden": 5}
    spec = ModelSpec.model_validate({**MODEL, "algorithm": wider, "charset": "abc12"})
    with pytest.raises(TrainingError, match=r"does not fit this recipe's network .*lstm"):
        transfer_weights(path, network.build_networks(spec, host), spec, host)


def test_a_backbone_alone_is_taken_over_by_another_algorithm(
    tmp_path: Path, host: Host, digit_lines: MakeFolder
) -> None:
    path, before = bundle(tmp_path / "b", host, 3, algorithm=CRNN, charset="abc")
    config = recipe({"train": [str(digit_lines(4, 33))]}, freeze=["backbone"], steps=1)
    config = config.model_copy(update={"backbone": BackboneStart(weights=str(path))})
    trained(config, host, tmp_path / "run")
    after = network.build_networks(config.model, host).training
    load_weights(after, (tmp_path / "run" / "last.weights.h5").read_bytes(), "run")
    taken = values(after.get_layer("backbone"))
    assert len(taken) > 10
    for name, value in taken.items():
        np.testing.assert_array_equal(value, before[name], err_msg=name)


def test_a_backbone_that_does_not_fit_is_refused_by_name_and_shapes(tmp_path: Path, host: Host) -> None:
    path, _ = bundle(tmp_path / "b", host, 3)
    wider = {"name": "plain", "rec": {"widths": [4, 4, 4, 4, 5], "depths": [1, 1, 1, 1, 1]}}
    networks = network.build_networks(ModelSpec.model_validate({**MODEL, "backbone": wider}), host)
    fresh = values(networks.training)
    with pytest.raises(TrainingError, match=r"backbone of .*'plain'.*, 4\) there, .*, 5\) here"):
        transfer_backbone(path, networks, host)
    for name, value in values(networks.training).items():
        np.testing.assert_array_equal(value, fresh[name], err_msg=name)


def test_the_command_starts_from_a_backbone_or_says_why_not(
    tmp_path: Path, host: Host, digit_lines: MakeFolder
) -> None:
    path, before = bundle(tmp_path / "b", host, 3, algorithm=CRNN, charset="abc")
    recipe_file, out = tmp_path / "recipe.yml", tmp_path / "run"
    recipe_file.write_text(yaml.safe_dump({"model": MODEL, "train": {"steps": 1, "freeze": ["backbone"]}}))
    command = ["train", "rec", "-c", recipe_file, "--data", digit_lines(4, 33), "--out", out, "-q"]
    command += ["--set", "data.workers=0", "--set", f"backbone.weights={path}"]
    wider = ["--set", "model.backbone.rec.widths=[4, 4, 4, 4, 5]"]
    for options in (wider, [*wider, "--dry-run"]):
        refused = CliRunner().invoke(cli, list(map(str, [*command, *options])))
        assert refused.exit_code == ExitCode.TRAINING
        assert re.search(r"does not fit this recipe's .*, 4\) there, .*, 5\) here", refused.output)
        assert not (out / "config.yml").exists(), "the folder must stay free for the next try"
    done = CliRunner().invoke(cli, list(map(str, command)))
    assert done.exit_code == ExitCode.OK, done.output
    assert yaml.safe_load((out / "config.yml").read_text())["backbone"] == {"weights": str(path)}
    origin = json.loads((out / "provenance.json").read_text())
    assert origin["backbone_from"]["name"] == "tiny"
    assert origin["fonts"] == {"Old Sans": "OFL"}
    after = network.build_networks(ModelSpec.model_validate(MODEL), host).training
    load_weights(after, (out / "last.weights.h5").read_bytes(), "run")
    for name, value in values(after.get_layer("backbone")).items():
        np.testing.assert_array_equal(value, before[name], err_msg=name)


def test_fine_tuning_with_frozen_backbone_a_replay_set_and_one_to_keep(
    tmp_path: Path, host: Host, digit_lines: MakeFolder
) -> None:
    path, before = bundle(tmp_path / "b", host, 2)
    old, new = str(digit_lines(4, 31)), str(digit_lines(6, 32))
    data = {
        "train": [new, {"path": old, "weight": 0.5}],
        "val": str(digit_lines(3, 37)),
        "keep": str(digit_lines(3, 38)),
    }
    config = recipe(data, freeze=["backbone"], optimizer={"backbone_rate": 0.5, "ema": 0.9, "clip_norm": 1.0})
    outcome, notes = trained(config, host, tmp_path / "run", start_from=path)
    assert outcome.finished
    for metrics in notes.metrics:
        assert {"score", "cer", "keep_score", "keep_cer"} <= metrics.keys()
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())["last"]["keep_cer"] > 0
    assert notes.start[0].batches_per_epoch == 4  # type: ignore[attr-defined]
    origin = json.loads((tmp_path / "run" / "provenance.json").read_text())
    assert origin["fonts"] == {"Old Sans": "OFL"}
    assert origin["started_from"]["datasets"] == [{"name": "earlier"}]
    assert origin["started_from"]["name"] == "tiny"
    tuned = network.build_networks(config.model, host).training
    load_weights(tuned, (tmp_path / "run" / "last.weights.h5").read_bytes(), "run")
    for name, value in values(tuned).items():
        assert np.array_equal(value, before[name]) == name.startswith("stage"), name


def test_a_resumed_training_leaves_out_what_it_left_out_before(
    tmp_path: Path, host: Host, digit_lines: MakeFolder
) -> None:
    data, listed, run = digit_lines(6, 39), tmp_path / "bad.txt", tmp_path / "run"
    (data / "0.png").write_bytes((data / "0.png").read_bytes()[:60])
    config = recipe({"train": [str(data)], "val": [str(digit_lines(2, 40))]})
    with pytest.raises(InputError, match=r"1 samples cannot.*0\.png"):
        trained(config, host, run)
    outcome, _ = trained(config, host, run, skip_list=listed, max_minutes=1e-9)
    assert (outcome.finished, outcome.progress.step) == (False, 1)
    listed.unlink()
    outcome, notes = trained(config, host, run, resume=True)
    assert (outcome.finished, outcome.progress.step) == (True, 4)
    assert notes.start[0].n_train == 5  # type: ignore[attr-defined]


def test_patience_ends_a_training_that_no_longer_improves(tmp_path: Path, host: Host, digit_lines: MakeFolder) -> None:
    config = recipe({"train": [str(digit_lines(4, 33))]}, steps=50, patience=2, optimizer={"learning_rate": 1e-9})
    outcome, notes = trained(config, host, tmp_path / "run")
    assert outcome.finished
    assert outcome.stopped_early
    assert outcome.progress.step == outcome.progress.best_step + 4
    assert len(notes.metrics) == 3
    assert (tmp_path / "run" / "last.ckpt.npz").exists()


def test_a_loss_that_is_not_finite_stops_with_the_files_of_its_batch(
    tmp_path: Path, host: Host, digit_lines: MakeFolder
) -> None:
    path, _ = bundle(tmp_path / "b", host, 3, np.nan)
    config = recipe({"train": [str(digit_lines(4, 34))]})
    with pytest.raises(TrainingError, match=r"not finite at step 1\..*learning_rate.*\d\.png"):
        trained(config, host, tmp_path / "run", start_from=path)
    with np.load(tmp_path / "run" / "last.ckpt.npz") as saved:
        assert json.loads(saved["state"].tobytes())["step"] == 0, "the checkpoint is from before"


def test_the_log_as_csv_and_for_tensorboard(tmp_path: Path, host: Host, digit_lines: MakeFolder) -> None:
    run = tmp_path / "run"
    config = recipe({"train": [str(digit_lines(4, 35))]}, tensorboard=True, optimizer={"learning_rate": 0.01})
    _, notes = trained(config, host, run)
    with (run / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == [1, 2, 3, 4]
    assert [float(row["loss"]) for row in rows] == pytest.approx(notes.losses, rel=1e-5)
    assert {float(row["learning_rate"]) for row in rows} == {0.01}
    assert all(0 <= float(row["waiting"]) <= 1 for row in rows)
    events = scalars(run / "tensorboard")
    assert [events["train/loss", step] for step in (1, 2, 3, 4)] == pytest.approx(notes.losses, rel=1e-5)
    assert events["eval/cer", 2] == pytest.approx(notes.metrics[0]["cer"])


def test_a_line_of_the_log_is_of_all_steps_since_the_line_before() -> None:
    window = Window()
    given = [Batch({}, ("a.png",)), Batch({}, ("b.png", "c.png"))]
    for loss, batch in zip((1.0, 4.0), window.waiting_for(iter(given)), strict=True):
        window.add(loss, len(batch.names))
    first = window.close()
    assert first.loss == 2.5
    assert 0 <= first.waiting <= 1
    window.add(7.0, 1)
    assert window.close().loss == 7.0


def test_what_came_after_the_checkpoint_is_taken_back(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("step,loss\n1,0.5\n2,0.4\n3,0.3\n")
    history = [{"step": step, "score": score} for step, score in ((1, 0.5), (2, 0.4), (3, 0.9))]
    noted = {"last": history[2], "best": history[2], "history": history}
    (tmp_path / "metrics.json").write_text(json.dumps(noted))
    with TrainingLog(tmp_path, Progress(2, 1.0, 0.5, 1), tensorboard=False):
        assert (tmp_path / "log.csv").read_text() == "step,loss\n1,0.5\n2,0.4\n"
        found = json.loads((tmp_path / "metrics.json").read_text())
    assert found == {"last": history[1], "best": history[0], "history": history[:2]}
    with TrainingLog(tmp_path, Progress(), tensorboard=False):
        assert json.loads((tmp_path / "metrics.json").read_text()) == {"history": []}


def scalars(folder: Path) -> dict[tuple[str, int], float]:
    """Values by name and step from TensorBoard's files: records of a length (8 bytes), its sum (4), data, its sum."""
    from tensorboardX.proto.event_pb2 import Event

    found = {}
    for path in folder.iterdir():
        content = path.read_bytes()
        while content:
            length = int.from_bytes(content[:8], "little")
            event = Event.FromString(content[12 : 12 + length])
            found.update({(value.tag, event.step): value.simple_value for value in event.summary.value})
            content = content[16 + length :]
    return found


def test_tensorboard_is_asked_for_before_anything_is_written(
    tmp_path: Path, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ocrbatch.training.logs.find_spec", lambda _: None)
    with pytest.raises(TrainingError, match=r"ocrbatch\[tensorboard\]"):
        trained(recipe({"train": ["nowhere"]}, tensorboard=True), host, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("task", ["rec", "det"])
def test_a_dry_run_estimates_memory_and_draws_the_first_batch(
    task: str, tmp_path: Path, digit_lines: MakeFolder, word_pages: MakeFolder
) -> None:
    data = digit_lines(6, 36) if task == "rec" else word_pages(3, 36)
    options = ["--charset", "en"] if task == "rec" else ["--set", "train.crop_size=160"]
    options += ["--set", "train.freeze=[backbone]", "--set", "train.batch_size=2", "--backbone", "plain"]
    done = CliRunner().invoke(
        cli, ["train", task, *options, "--data", str(data), "--out", str(tmp_path / "new"), "--dry-run"]
    )
    assert done.exit_code == ExitCode.OK, done.output
    for part in ("learning_rate", "Total params", "First batch: image uint8", "Memory of a step", "Drew the first"):
        assert part in done.output, done.output
    for line in ("name: plain  # --backbone", "batch_size: 2  # --set", "1.0}]  # --data", "ema: null  # default"):
        assert line in done.output, done.output
    with Image.open(tmp_path / "new" / "dry_run.png") as picture:
        assert np.asarray(picture).std() > 5
        assert picture.height > 64
    assert not (tmp_path / "new" / "config.yml").exists()


def test_the_memory_estimate_counts_layers_weights_and_slots() -> None:
    image = keras.Input((None, None, 1), name="image")
    inside = keras.Input((None, None, 1))
    nested = keras.Model(inside, keras.layers.Conv2D(2, 3, padding="same", use_bias=False)(inside), name="backbone")
    made = keras.Model(image, keras.layers.Conv2D(1, 1, strides=2, use_bias=False)(nested(image)))
    settings = recipe({"train": ["x"]}, optimizer={"ema": 0.9}).train
    memory = estimate_memory(made, {"image": np.zeros((3, 8, 10, 1), np.uint8)}, settings)
    assert memory == {"weights": 4 * (20 + 4 * 20), "activations": 4 * (3 * 8 * 10 * 2 + 3 * 4 * 5)}
