"""What an option of the optimizer says is what happens to the weights."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, ops

from ocrbatch.config.schema import ImageInput
from ocrbatch.config.train import OptimizerConfig, Schedule, TrainSettings
from ocrbatch.errors import ConfigError, TrainingError
from ocrbatch.training.checkpoint import (
    Progress,
    load_checkpoint,
    save_checkpoint,
    save_weights_atomically,
    write_atomically,
)
from ocrbatch.training.learner import Learner, averaged_weights, build_learner
from ocrbatch.training.optimizer import build_schedule
from ocrbatch.training.samples import Batch

GRAY = ImageInput(color="gray", mean=(0.5,), std=(0.5,))
AT_ONCE = Schedule(kind="constant", warmup_steps=0)


@pytest.fixture(autouse=True)
def single_precision() -> Iterator[None]:
    yield
    keras.config.set_dtype_policy("float32")


def network() -> keras.Model:
    """Four numbers through a backbone with batch normalisation and a head."""
    keras.utils.set_random_seed(3)
    inside = keras.Input((4, 1, 1))
    hidden = layers.BatchNormalization(name="stage0.bn")(layers.Dense(5, name="stage0.fc")(layers.Flatten()(inside)))
    backbone = keras.Model(inside, layers.Dense(3, name="stage1.fc")(hidden), name="backbone")
    image = keras.Input((4, 1, 1), name="image")
    return keras.Model(image, layers.Dense(2, name="head.fc")(backbone(image)))


def squared(targets: Mapping[str, Any], outputs: Any) -> Mapping[str, Any]:
    return {"loss": ops.mean(ops.square(ops.cast(outputs, "float32") - targets["wanted"]))}


def learner(precision: str = "float32", freeze: tuple[str, ...] = (), **optimizer: Any) -> Learner:
    keras.config.set_dtype_policy(precision)
    config = OptimizerConfig(**{"schedule": AT_ONCE, "clip_norm": None, **optimizer})
    return build_learner(network(), squared, GRAY, TrainSettings(steps=100, freeze=freeze, optimizer=config))


def batch(step: int) -> Batch:
    rng = np.random.default_rng(step)
    image = rng.integers(0, 256, (6, 4, 1, 1), dtype=np.uint8)
    return Batch({"image": image, "wanted": rng.normal(3, 1, (6, 2)).astype(np.float32)}, ("a.png",))


def values(model: Learner) -> dict[str, np.ndarray]:
    return {variable.path: ops.convert_to_numpy(variable).copy() for variable in model.network.variables}


def test_warm_up_then_cosine() -> None:
    rate = build_schedule(Schedule(kind="cosine", warmup_steps=10, final_ratio=0.1), 2.0, 100)
    assert float(rate(0)) == pytest.approx(0.2)
    assert float(rate(50)) == pytest.approx(2.0 * (0.9 * 0.5 + 0.1))
    assert float(rate(100)) == pytest.approx(0.2)


def test_piecewise_divides_by_ten() -> None:
    rate = build_schedule(Schedule(kind="piecewise", warmup_steps=0, milestones=(0.5, 0.75)), 1.0, 100)
    assert [float(rate(step)) for step in (49, 51, 74, 76)] == pytest.approx([1, 0.1, 0.1, 0.01])


def test_gradients_are_clipped_to_a_norm() -> None:
    model = learner(name="sgd", learning_rate=1.0, clip_norm=0.01)
    before = [ops.convert_to_numpy(v).copy() for v in model.network.trainable_variables]
    model.step(batch(0))
    moved = [ops.convert_to_numpy(v).copy() - b for v, b in zip(model.network.trainable_variables, before, strict=True)]
    norm = float(np.sqrt(sum(np.square(m).sum() for m in moved)))
    assert norm == pytest.approx(0.01 * 1.9, rel=1e-3)  # the first Nesterov step is 1 + momentum gradients long


def test_frozen_parts_stay_as_they_are() -> None:
    model = learner(freeze=("backbone",), name="sgd")
    before = values(model)
    for step in range(3):
        model.step(batch(step))
    changed = {name for name, value in values(model).items() if not np.array_equal(value, before[name])}
    assert changed == {"head.fc/kernel", "head.fc/bias"}


def test_a_stage_of_the_backbone_can_be_frozen() -> None:
    model = learner(freeze=("backbone.stage0",))
    before = values(model)
    model.step(batch(0))
    changed = {name.split("/")[0] for name, value in values(model).items() if not np.array_equal(value, before[name])}
    assert changed == {"stage1.fc", "head.fc"}


@pytest.mark.parametrize(
    ("parts", "words"),
    [(("bakbone",), "did you mean 'backbone'"), (("backbone", "head"), "nothing to train")],
)
def test_parts_that_cannot_be_frozen(parts: tuple[str, ...], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        learner(freeze=parts)


@pytest.mark.parametrize("name", ["adam", "adamw", "sgd"])
def test_the_backbone_learns_at_its_own_rate(name: str) -> None:
    moved = {}
    for rate in (1.0, 0.1):
        model = learner(name=name, learning_rate=0.01, backbone_rate=rate)
        before = values(model)
        model.step(batch(0))
        moved[rate] = {
            v.path: ops.convert_to_numpy(v).copy() - before[v.path] for v in model.network.trainable_variables
        }
    for path, step in moved[1.0].items():
        expected = step if path.startswith("head") else 0.1 * step
        np.testing.assert_allclose(moved[0.1][path], expected, atol=2e-6, err_msg=path)
    assert max(np.abs(step).max() for step in moved[1.0].values()) > 1e-4


def test_averaged_weights_forget_their_beginnings() -> None:
    model = learner(learning_rate=0.05, ema=0.7)
    expected: dict[str, np.ndarray] = {}
    for step in range(40):
        model.step(batch(step))
        momentum = min(0.7, (1 + step) / (10 + step)) if step else 0.0
        for variable in model.network.trainable_variables:
            now, path = ops.convert_to_numpy(variable).copy(), variable.path
            expected[path] = momentum * expected.get(path, now) + (1 - momentum) * now
    stepped = values(model)
    with averaged_weights(model):
        averaged = values(model)
    for path, value in expected.items():
        np.testing.assert_allclose(averaged[path], value, rtol=1e-4, atol=1e-5, err_msg=path)
    assert any(np.abs(averaged[path] - stepped[path]).max() > 1e-3 for path in expected)
    assert all(np.array_equal(value, stepped[path]) for path, value in values(model).items())


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_keeps_single_precision_weights_and_resumes(precision: str, tmp_path: Path) -> None:
    model = learner(precision, learning_rate=0.05, ema=0.9)
    losses = [model.step(batch(step)) for step in range(6)]
    model.reset_metrics()
    assert np.isfinite(losses).all()
    assert {variable.dtype for variable in model.network.variables} == {"float32"}
    assert model.network.layers[-1].compute_dtype == precision.removeprefix("mixed_")
    with averaged_weights(model):
        averaged = values(model)
    assert any(not np.array_equal(averaged[path], value) for path, value in values(model).items())
    save_checkpoint(tmp_path / "ckpt.npz", model, Progress(6, 1.5, 0.5, 3))
    later = learner(precision, learning_rate=0.05, ema=0.9)
    assert load_checkpoint(tmp_path / "ckpt.npz", later) == Progress(6, 1.5, 0.5, 3)
    assert later.step(batch(6)) == model.step(batch(6))
    assert all(np.array_equal(value, values(later)[path]) for path, value in values(model).items())


def test_a_checkpoint_of_another_recipe_is_refused(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "ckpt.npz", learner(), Progress())
    with pytest.raises(TrainingError, match="another network or optimizer"):
        load_checkpoint(tmp_path / "ckpt.npz", learner(ema=0.9))


def test_a_damaged_checkpoint_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "ckpt.npz"
    save_checkpoint(path, learner(), Progress(6, 1.5, 0.5, 3))
    whole = path.read_bytes()
    encrypted = whole.replace(b"PK\x01\x02-\x03-\0\0", b"PK\x01\x02-\x03-\0\1")
    packed = whole.replace(b"PK\x01\x02-\x03-\0\0\0\0\0", b"PK\x01\x02-\x03-\0\0\0\x63\0")
    pickled = b"\x80\x04N."
    other = len(whole) // 2
    flipped = whole[:other] + bytes([whole[other] ^ 255]) + whole[other + 1 :]
    for content in (b"", whole[:10], whole[:1000], whole[:-30], b"text", pickled, flipped, encrypted, packed):
        assert content != whole
        path.write_bytes(content)
        with pytest.raises(TrainingError, match=r"Cannot read the checkpoint .*ckpt\.npz \(it is damaged\): put back"):
            load_checkpoint(path, learner())
    path.unlink()
    with pytest.raises(TrainingError, match=r"There is no checkpoint .*ckpt\.npz: start again without --resume"):
        load_checkpoint(path, learner())


def test_a_folder_that_is_gone_is_named_when_the_training_is_saved(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    with pytest.raises(TrainingError, match=r"Cannot save the training as .*ckpt\.npz .*--resume"):
        save_checkpoint(gone / "ckpt.npz", learner(), Progress())
    with pytest.raises(TrainingError, match=r"Cannot save the training as .*best\.weights\.h5 .*--resume"):
        save_weights_atomically(learner().network, gone / "best.weights.h5")
    with pytest.raises(TrainingError, match=r"Cannot save the training as .*config\.yml .*--resume"):
        write_atomically(gone / "config.yml", "steps: 1\n")


SAVERS: dict[str, Callable[[Path], None]] = {
    "ckpt.npz": lambda path: save_checkpoint(path, learner(), Progress()),
    "best.weights.h5": lambda path: save_weights_atomically(learner().network, path),
    "config.yml": lambda path: write_atomically(path, "steps: 1\n"),
}


@pytest.mark.parametrize("name", SAVERS)
def test_files_are_on_the_disk_before_they_take_their_place(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / name
    path.write_text("the former one")
    flushed: list[int] = []

    def fsync(number: int) -> None:
        flushed.append(os.fstat(number).st_ino)
        assert path.read_text() == "the former one"

    monkeypatch.setattr(os, "fsync", fsync)
    SAVERS[name](path)
    assert flushed == [path.stat().st_ino]
    assert path.read_bytes() != b"the former one"
    assert [file.name for file in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", SAVERS)
def test_a_full_disk_leaves_the_former_file(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / name).write_text("the former one")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TrainingError, match="No space left on device"):
        SAVERS[name](tmp_path / name)
    assert [file.name for file in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "the former one"


@pytest.mark.parametrize("name", SAVERS)
def test_a_disk_that_fills_while_it_is_written_to_leaves_the_former_file(
    name: str, tmp_path: Path, files_end_at: Callable[[int], AbstractContextManager[None]]
) -> None:
    (tmp_path / name).write_text("the former one")
    with files_end_at(5), pytest.raises(TrainingError, match=rf"Cannot save .*{name} \(File too large\): make room"):
        SAVERS[name](tmp_path / name)
    assert [file.name for file in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "the former one"
