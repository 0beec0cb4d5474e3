"""The tools of ``benchmarks/`` that made the default weights: means of runs, rare letters, deeper networks."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from click.testing import CliRunner, Result

from ocrbatch.bundles.network import build_networks
from ocrbatch.config.load import dump_yaml, load_yaml
from ocrbatch.config.train import TrainConfig
from ocrbatch.plugin_system.host import Host

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def run_tool(name: str, *arguments: str | Path) -> Result:
    main = runpy.run_path(str(BENCHMARKS / f"{name}.py"))["main"]
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def make_run(folder: Path, kernel: float, bias: float, charset: str = "ab€") -> Path:
    """A folder as a training leaves it, with one layer over the charset and CTC's blank."""
    folder.mkdir()
    (folder / "config.yml").write_text(dump_yaml({"model": {"charset": charset}}), encoding="utf-8")
    (folder / "metrics.json").write_text('{"best": {"score": 0.9}}')
    with h5py.File(folder / "best.weights.h5", "w") as file:
        layer = file.create_group("layers/head")
        layer["0"] = np.full((5, len(charset) + 1), kernel, np.float32)
        layer["1"] = np.full(len(charset) + 1, bias, np.float32)
        layer["seed"] = np.array([7, 8], np.uint32)
    return folder


def weights(run: Path) -> tuple[float, float, list[int]]:
    with h5py.File(run / "best.weights.h5") as file:
        layer = file["layers/head"]
        return float(layer["0"][0, 0]), float(layer["1"][0]), layer["seed"][...].tolist()


def test_the_mean_of_runs_weighs_them_as_asked(tmp_path: Path) -> None:
    one, two = make_run(tmp_path / "one", 1, 4), make_run(tmp_path / "two", 3, 0)
    assert run_tool("mean_weights", tmp_path / "even", one, two).exit_code == 0
    assert weights(tmp_path / "even") == (2, 2, [7, 8])
    assert run_tool("mean_weights", tmp_path / "more", f"{one}:3", f"{two}:1").exit_code == 0
    assert weights(tmp_path / "more") == (1.5, 3, [7, 8])
    assert (tmp_path / "more" / "config.yml").is_file()
    assert weights(one) == (1, 4, [7, 8])


def test_other_weights_do_not_take_over_the_scores(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", 1, 4)
    assert run_tool("mean_weights", tmp_path / "mean", run, run).exit_code == 0
    assert run_tool("rare_letters", run, tmp_path / "rare").exit_code == 0
    assert [path.parent.name for path in tmp_path.glob("*/metrics.json")] == ["run"]


@pytest.mark.parametrize(
    ("weight", "told"),
    [
        (":0", "above 0"),
        (":-1", "above 0"),
        (":nan", "above 0"),
        (":x", "no best.weights.h5"),
        ("x", "no best.weights"),
    ],
)
def test_a_mean_that_cannot_be_taken_is_refused_in_a_sentence(tmp_path: Path, weight: str, told: str) -> None:
    run = make_run(tmp_path / "run", 1, 1)
    result = run_tool("mean_weights", tmp_path / "out", run, f"{run}{weight}")
    assert result.exit_code == 2
    assert told in result.output
    assert not (tmp_path / "out").exists()


def test_runs_of_different_networks_have_no_mean(tmp_path: Path) -> None:
    one, two = make_run(tmp_path / "one", 1, 1), make_run(tmp_path / "two", 1, 1, charset="abc€")
    result = run_tool("mean_weights", tmp_path / "out", one, two)
    assert result.exit_code == 1
    assert "different networks" in result.output
    assert not (tmp_path / "out").exists()


def test_a_mean_is_not_written_over_anything(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", 1, 1)
    result = run_tool("mean_weights", run, run)
    assert result.exit_code == 1
    assert "exists already" in result.output
    assert weights(run) == (1, 1, [7, 8])


def test_only_letters_beyond_ascii_are_lowered(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", 1, 2)
    assert run_tool("rare_letters", run, tmp_path / "out", "--doubt", "0.5").exit_code == 0
    with h5py.File(tmp_path / "out" / "best.weights.h5") as file:
        assert file["layers/head/1"][...].tolist() == [2, 2, 2, 1.5]  # the blank, a, b, €
        assert (file["layers/head/0"][...] == 1).all()


def test_a_run_without_one_bias_over_its_classes_is_refused(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", 1, 2, charset="abcd")
    (run / "config.yml").write_text(dump_yaml({"model": {"charset": "ab"}}), encoding="utf-8")
    result = run_tool("rare_letters", run, tmp_path / "out")
    assert result.exit_code == 1
    assert "is it a CTC recognizer?" in result.output


def test_a_deeper_network_reads_the_same(tmp_path: Path, digit_lines: Callable[[int, int], Path]) -> None:
    data = {"train": [{"path": str(digit_lines(12, 5))}]}
    input = {"height": 32, "widths": [128]}
    algorithm = {"name": "crnn", "hidden": 4, "layers": 1, "max_length": 8, "input": input}
    backbone = {"name": "plain", "rec": {"widths": [4, 6, 6, 8, 8], "depths": [1, 1, 1, 1, 1]}}
    model = {"task": "rec", "charset": "0123456789", "algorithm": algorithm, "backbone": backbone}
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.yml").write_text(dump_yaml({"model": model, "data": data}), encoding="utf-8")
    plain = network(run)
    plain.save_weights(run / "best.weights.h5")
    result = run_tool("deepen", run, tmp_path / "deep", "--depths", "1,2,3,1,1")
    assert result.exit_code == 0, result.output
    deep = network(tmp_path / "deep")
    deep.load_weights(tmp_path / "deep" / "best.weights.h5")
    assert deep.count_params() > plain.count_params()
    lines = np.random.default_rng(0).uniform(-1, 1, (2, 32, 128, 3)).astype(np.float32)
    assert np.abs(np.asarray(plain(lines)) - np.asarray(deep(lines))).max() < 1e-4


def network(run: Path) -> Any:
    return build_networks(TrainConfig.model_validate(load_yaml(run / "config.yml")).model, Host.load()).training
