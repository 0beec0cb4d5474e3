from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest

from ocrbatch.bundles import export, network
from ocrbatch.bundles.export import HALF_TOLERANCE, INT8_TOLERANCE, _aligned, difference, export_run, share
from ocrbatch.bundles.format import GRAPH
from ocrbatch.bundles.onnx_graph import operators
from ocrbatch.bundles.samples import folder_pictures
from ocrbatch.bundles.store import damages, open_bundle, read_info
from ocrbatch.config.schema import DetectorInput, ImageInput, ModelSpec, RecognizerInput
from ocrbatch.errors import BundleError, InputError, OutputError
from ocrbatch.plugin_system.host import Host

TASKS = pytest.mark.parametrize("task", ["det", "rec"])


@TASKS
def test_the_bundle_reads_as_the_network_does(bundles: dict[str, Path], host: Host, task: str) -> None:
    bundle = open_bundle(bundles[task], host)
    session, model = ort.InferenceSession(bundle.graph.onnx()), bundle.graph.keras_model()
    for shape in [(1, 32, 64, 3), (3, 32, 128, 3), (2, 64, 96, 3) if task == "det" else (2, 32, 100, 3)]:
        batch = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
        [graph], keras = session.run(None, {"image": batch}), model.predict_on_batch(batch)
        assert difference([keras], [graph]) < 1e-5
        assert np.ptp(graph) > 1e-3


@TASKS
def test_the_graph_is_clean(bundles: dict[str, Path], host: Host, task: str) -> None:
    graph = open_bundle(bundles[task], host).graph.onnx()
    count, session = operators(graph), ort.InferenceSession(graph)
    assert count["Conv"] >= 5
    assert count["BatchNormalization"] == 0
    assert count["Transpose"] <= {"det": 2, "rec": 4}[task]
    assert [(i.name, i.type, i.shape[0], i.shape[3]) for i in session.get_inputs()] == [
        ("image", "tensor(uint8)", "batch", 3)
    ]
    assert [output.name for output in session.get_outputs()] == ["output_0"]


@TASKS
def test_the_bundle_says_what_it_is(bundles: dict[str, Path], host: Host, task: str) -> None:
    info = open_bundle(bundles[task], host).info
    assert info.metrics == {"score": 0.25}
    assert info.provenance == {"datasets": [{"name": "nowhere"}]}
    assert info.agreement.samples == 4
    assert info.agreement.difference < 1e-5
    spec = ModelSpec.model_validate(info.spec.model_dump())
    assert network.resolved(spec, host) == info.spec
    assert info.parameters == network.build_networks(spec, host).inference.count_params()
    assert damages(bundles[task]) == []


def test_a_run_without_metrics_and_licence_has_none(
    runs: dict[str, Path], pictures: Path, host: Host, tmp_path: Path
) -> None:
    run = tmp_path / "mean"
    shutil.copytree(runs["rec"], run, ignore=shutil.ignore_patterns("metrics.json"))
    info = export_run(run, tmp_path / "x.ocrb", host, samples=pictures, count=1)
    assert (info.metrics, info.licence) == ({}, None)


def test_the_last_weights_may_be_taken(runs: dict[str, Path], pictures: Path, host: Host, tmp_path: Path) -> None:
    run, bundle = tmp_path / "run", tmp_path / "x.ocrb"
    shutil.copytree(runs["rec"], run)
    with pytest.raises(InputError, match=r"last\.weights\.h5"):
        export_run(run, bundle, host, samples=pictures, count=1, which="last")
    (run / "best.weights.h5").rename(run / "last.weights.h5")
    info = export_run(run, bundle, host, samples=pictures, count=1, which="last")
    assert info.metrics == {"score": 0.125}
    assert open_bundle(bundle, host).weights() == (run / "last.weights.h5").read_bytes()


def test_a_graph_that_differs_is_not_written(runs: dict[str, Path], pictures: Path, host: Host, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"differ by up to \d.*tolerance of 1e-15. Nothing was written"):
        export_run(runs["rec"], tmp_path / "x.ocrb", host, samples=pictures, tolerance=1e-15)
    assert list(tmp_path.iterdir()) == []


@TASKS
def test_half_the_size_reads_almost_the_same(
    bundles: dict[str, Path], runs: dict[str, Path], pictures: Path, host: Host, tmp_path: Path, task: str
) -> None:
    full = open_bundle(bundles[task], host)
    info = export_run(runs[task], tmp_path / "x.ocrb", host, samples=pictures, half=True)
    assert 1e-7 < info.agreement.difference < 1e-2
    assert info.agreement.tolerance == HALF_TOLERANCE
    half = open_bundle(tmp_path / "x.ocrb", host)
    assert half.identity != full.identity
    assert info.files[GRAPH].size < full.info.files[GRAPH].size
    batch = np.random.default_rng(2).integers(0, 256, (2, 32, 96, 3), np.uint8)
    outputs = [ort.InferenceSession(bundle.graph.onnx()).run(None, {"image": batch}) for bundle in (full, half)]
    assert difference(*outputs) < 1e-2
    assert outputs[1][0].dtype == np.float32


@TASKS
def test_convolutions_compute_in_eight_bits(
    bundles: dict[str, Path], runs: dict[str, Path], pictures: Path, host: Host, tmp_path: Path, task: str
) -> None:
    info = export_run(runs[task], tmp_path / "x.ocrb", host, samples=pictures, int8=True, half=True)
    assert 1e-5 < info.agreement.difference < 0.2
    assert info.agreement.tolerance == INT8_TOLERANCE
    full, int8 = open_bundle(bundles[task], host), open_bundle(tmp_path / "x.ocrb", host)
    count = operators(int8.graph.onnx())
    assert count["DequantizeLinear"] >= 2 * count["Conv"]
    assert count["QLinearConv"] == (task == "rec")  # the detector has a level of its own for each colour
    assert count["Conv"] + count["QLinearConv"] == operators(full.graph.onnx())["Conv"]
    batch = full.codec().encode(folder_pictures(pictures, 1)[0])[0][None]
    outputs = [ort.InferenceSession(bundle.graph.onnx()).run(None, {"image": batch}) for bundle in (full, int8)]
    assert 1e-5 < difference(*outputs) < 0.2


def test_the_first_convolution_reads_bytes(runs: dict[str, Path], pictures: Path, host: Host, tmp_path: Path) -> None:
    export_run(runs["rec"], tmp_path / "x.ocrb", host, samples=pictures, int8=True)
    graph = onnx.load_from_string(open_bundle(tmp_path / "x.ocrb", host).graph.onnx()).graph
    made_by = {name: node for node in graph.node for name in node.output}
    (first,) = [node for node in graph.node if node.op_type == "QLinearConv"]
    assert made_by[made_by[first.input[0]].input[0]].input[0] == "image"
    inputs = [[made_by[name].op_type for name in node.input[:2]] for node in graph.node if node.op_type == "Conv"]
    assert all(kinds == ["DequantizeLinear", "DequantizeLinear"] for kinds in inputs)


def test_an_int8_graph_is_judged_by_the_share_of_its_outputs_that_moves(
    runs: dict[str, Path], pictures: Path, host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    half_in_doubt = np.array([[0.5, 0.5], [1.0, 0.0]]), np.array([[1.0, 0.0], [1.0, 0.0]])
    assert share([half_in_doubt[0]], [half_in_doubt[1]]) == pytest.approx(0.5)
    assert share([half_in_doubt[0]], [half_in_doubt[0]]) == 0
    assert share([half_in_doubt[0]], [half_in_doubt[1][:1]]) == float("inf")
    monkeypatch.setattr(export, "share", lambda *_: 0.11)
    with pytest.raises(BundleError, match=r"up to 0\.11, more than the tolerance of 0\.1"):
        export_run(runs["rec"], tmp_path / "x.ocrb", host, samples=pictures, int8=True)


def test_a_conversion_that_differs_is_not_hidden_by_the_rounding(
    runs: dict[str, Path], pictures: Path, host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "difference", lambda *_: 0.01)
    with pytest.raises(BundleError, match=r"tolerance of 0\.001"):
        export_run(runs["rec"], tmp_path / "x.ocrb", host, samples=pictures, half=True)


def test_precision_of_the_training_does_not_leak(
    runs: dict[str, Path], pictures: Path, host: Host, tmp_path: Path
) -> None:
    import keras

    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        info = export_run(runs["rec"], tmp_path / "x.ocrb", host, samples=pictures)
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
    finally:
        keras.config.set_dtype_policy("float32")
    assert info.agreement.difference < 1e-5


@pytest.mark.parametrize("missing", ["config.yml", "best.weights.h5"])
def test_an_unfinished_run_is_named(
    runs: dict[str, Path], pictures: Path, host: Host, tmp_path: Path, missing: str
) -> None:
    for name in {"config.yml", "best.weights.h5"} - {missing}:
        (tmp_path / name).write_bytes((runs["rec"] / name).read_bytes())
    with pytest.raises(InputError, match=missing):
        export_run(tmp_path, tmp_path / "x.ocrb", host, samples=pictures)


def test_a_run_that_was_saved_but_never_evaluated_has_last_weights(
    runs: dict[str, Path], pictures: Path, host: Host, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(runs["rec"], run)
    (run / "best.weights.h5").rename(run / "last.weights.h5")
    with pytest.raises(InputError, match=r"no best weights yet .*: take the last ones with --weights last, or go on"):
        export_run(run, tmp_path / "x.ocrb", host, samples=pictures, count=1)


@pytest.mark.parametrize("name", ["metrics.json", "provenance.json"])
@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff"])
def test_damaged_notes_are_named_with_what_to_do(
    runs: dict[str, Path], pictures: Path, host: Host, tmp_path: Path, name: str, content: bytes
) -> None:
    run = tmp_path / "run"
    shutil.copytree(runs["rec"], run)
    (run / name).write_bytes(content)
    with pytest.raises(InputError, match=rf"{name} is damaged: put back a copy of it, or delete it"):
        export_run(run, tmp_path / "x.ocrb", host, samples=pictures, count=1)
    assert not (tmp_path / "x.ocrb").exists()


def test_damaged_weights_are_named(runs: dict[str, Path], pictures: Path, host: Host, tmp_path: Path) -> None:
    run, whole = tmp_path / "run", (runs["rec"] / "best.weights.h5").read_bytes()
    shutil.copytree(runs["rec"], run)
    for content in (b"", b"text", whole[:2000], whole.replace(b"TREE", b"tree")):
        (run / "best.weights.h5").write_bytes(content)
        with pytest.raises(BundleError, match=r"The weights of .*best\.weights\.h5 are damaged: put back a copy"):
            export_run(run, tmp_path / "x.ocrb", host, samples=pictures, count=1)


def test_metrics_without_those_of_the_weights_are_not_theirs(
    runs: dict[str, Path], pictures: Path, host: Host, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(runs["rec"], run)
    (run / "metrics.json").write_text('{"history": []}')
    assert export_run(run, tmp_path / "x.ocrb", host, samples=pictures, count=1).metrics == {}


def test_weights_of_another_network_are_named(
    runs: dict[str, Path], pictures: Path, host: Host, tmp_path: Path
) -> None:
    (tmp_path / "config.yml").write_bytes((runs["rec"] / "config.yml").read_bytes())
    (tmp_path / "best.weights.h5").write_bytes((runs["det"] / "best.weights.h5").read_bytes())
    with pytest.raises(BundleError, match="do not fit the network"):
        export_run(tmp_path, tmp_path / "x.ocrb", host, samples=pictures)


def test_data_that_moved_away_asks_for_samples(runs: dict[str, Path], host: Host, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="name pictures with --samples"):
        export_run(runs["rec"], tmp_path / "x.ocrb", host)
    with pytest.raises(InputError, match="no picture in"):
        export_run(runs["rec"], tmp_path / "x.ocrb", host, samples=tmp_path)


def test_an_existing_bundle_is_kept(bundles: dict[str, Path], runs: dict[str, Path], host: Host) -> None:
    with pytest.raises(OutputError, match="--overwrite"):
        export_run(runs["det"], bundles["det"], host)


def test_the_command_is_silent_but_for_its_result(runs: dict[str, Path], pictures: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ocrbatch", "export", runs["rec"]]
    command += ["--out", tmp_path / "x.ocrb", "--samples", pictures, "--count", "2", "--licence", "CC-BY-4.0"]
    environment = {**os.environ, "OCRBATCH_LOAD_PLUGINS": "engines backbone_plain rec_crnn"}
    done = subprocess.run(list(map(str, command)), env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Wrote {tmp_path / 'x.ocrb'}: crnn on plain")
    assert len(done.stdout.splitlines()) == 1
    assert read_info(tmp_path / "x.ocrb").licence == "CC-BY-4.0"


@pytest.mark.slow
def test_another_backend_exports_in_a_process_of_its_own(
    runs: dict[str, Path], pictures: Path, host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import keras

    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    info = export_run(runs["rec"], tmp_path / "x.ocrb", host, samples=pictures, half=True, licence="MIT")
    assert open_bundle(tmp_path / "x.ocrb", host).info == info
    assert info.licence == "MIT"
    assert info.agreement.tolerance == HALF_TOLERANCE
    with pytest.raises(BundleError, match="Nothing was written"):
        export_run(runs["rec"], tmp_path / "y.ocrb", host, samples=pictures, tolerance=1e-15)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ([0.5], [0.5], 0.0),
        ([0.5], [0.6], 0.1),
        ([200.0], [201.0], 0.005),
        ([0.5], [np.nan], np.inf),
        ([0.5], [0.5, 0.5], np.inf),
        ([], [], 0.0),
    ],
)
def test_difference_is_relative_above_one(one: Any, other: Any, expected: float) -> None:
    assert difference([np.array(one)], [np.array(other)]) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("input", "aligned"),
    [
        (RecognizerInput(widths=(64, 100, 320)), True),
        (RecognizerInput(widths=(64, 90, 320)), False),
        (RecognizerInput(height=31, widths=(64,)), False),
        (DetectorInput(divisor=32), True),
        (DetectorInput(divisor=2), False),
    ],
)
def test_columns_are_read_in_groups_only_where_every_width_has_whole_ones(input: ImageInput, aligned: bool) -> None:
    assert _aligned(input) is aligned
