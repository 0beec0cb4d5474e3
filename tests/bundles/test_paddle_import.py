from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
from click.testing import CliRunner

from ocrbatch.bundles.network import build_networks, resolved
from ocrbatch.bundles.paddle import describe
from ocrbatch.bundles.paddle_recipes import MODELS, recipe_values
from ocrbatch.bundles.pdparams import read_checkpoint
from ocrbatch.bundles.store import open_bundle
from ocrbatch.charset import NAMED
from ocrbatch.cli.main import cli
from ocrbatch.config.schema import ModelSpec
from ocrbatch.errors import BundleError, ConfigError, ExitCode
from ocrbatch.nn.paddle import load_reference_state
from ocrbatch.plugin_system.host import Host

DATA = Path(__file__).parent / "data"
PARITY = Path(__file__).parents[1] / "parity"
TINY = "model:\n  task: rec\n  algorithm: {name: crnn, input: {widths: [100, 160]}}\n"
TINY += "  backbone: {name: mobilenet_v3, size: small, scale: 0.35}\n"


@pytest.fixture(scope="module")
def everything() -> Host:
    return Host.load(environ={})


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    (tmp_path / "tiny.yml").write_text(TINY)
    (tmp_path / "digits.txt").write_text("\n".join("0123456789") + "\n")
    return tmp_path / "tiny.yml"


def test_an_imported_model_reads_as_the_reference_does(recipe: Path, everything: Host, tmp_path: Path) -> None:
    out, charset = tmp_path / "tiny.ocrb", tmp_path / "digits.txt"
    command = ["models", "import-paddle", DATA / "tiny_crnn.protocol2.pdparams", "--out", out]
    command += ["--recipe", recipe, "--charset", charset, "--licence", "Apache-2.0"]
    result = CliRunner().invoke(cli, list(map(str, command)), catch_exceptions=False)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith(f"Wrote {out}: crnn on mobilenet_v3")

    bundle = open_bundle(out, everything)
    assert bundle.config.hidden == 8
    assert bundle.info.licence == "Apache-2.0"
    assert bundle.info.provenance["imported"]["file"] == "tiny_crnn.protocol2.pdparams"
    spec = importlib.util.spec_from_file_location("rule", PARITY / "fill_rule.py")
    assert spec
    assert spec.loader
    rule = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(rule)
    session = ort.InferenceSession(bundle.graph.onnx())
    expected = np.load(PARITY / "fixtures" / "tiny_crnn" / "outputs.npz")
    network = bundle.graph.keras_model().layers[-1]
    for name, shape in [("main", (2, 3, 32, 100)), ("wide", (1, 3, 32, 160))]:
        picture = rule.make_input(f"tiny_crnn/{name}", shape).transpose(0, 2, 3, 1)
        np.testing.assert_allclose(network.predict_on_batch(picture), expected[f"{name}/head"], atol=1e-5)
        pixels = np.rint((picture * 0.5 + 0.5) * 255).astype(np.uint8)  # its numbers lie between those of pixels
        [probabilities] = session.run(None, {"image": pixels})
        np.testing.assert_allclose(probabilities, expected[f"{name}/head"], atol=5e-4)


def test_a_malicious_checkpoint_is_refused_in_one_sentence(tmp_path: Path) -> None:
    file, out = tmp_path / "x.pdparams", tmp_path / "x.ocrb"
    file.write_bytes(b"\x80\x02cos\nsystem\nX\x02\x00\x00\x00id\x85R.")
    command = ["models", "import-paddle", file, "--out", out, "--recipe", "rec_mv3_none_none_ctc"]
    result = CliRunner().invoke(cli, list(map(str, command)))
    assert result.exit_code == ExitCode.INPUT
    assert result.stderr.count("\n") == 1
    assert "it wants to call os.system, which no checkpoint needs. Nothing of it was executed." in result.stderr
    assert not out.exists()


def test_a_checkpoint_of_another_architecture_is_explained(recipe: Path, tmp_path: Path) -> None:
    command = ["models", "import-paddle", DATA / "tiny_crnn.protocol4.pdparams", "--out", tmp_path / "x.ocrb"]
    command += ["--recipe", "rec_mv3_none_bilstm_ctc", "--charset", recipe.with_name("digits.txt")]
    result = CliRunner().invoke(cli, list(map(str, command)))
    assert result.exit_code == ExitCode.BUNDLE
    assert "another architecture: it lacks backbone.blocks.11" in result.stderr
    assert not (tmp_path / "x.ocrb").exists()


def test_the_charset_must_fit(recipe: Path, everything: Host, tmp_path: Path) -> None:
    state, _ = read_checkpoint(DATA / "tiny_crnn.protocol4.pdparams")
    with pytest.raises(BundleError, match=r"knows 10 characters, the charset 'en' has 36.*--charset FILE"):
        describe(state, str(recipe), None, (), everything)
    (tmp_path / "nine.txt").write_text("\n".join("123456789"))
    assert describe(state, str(recipe), str(tmp_path / "nine.txt"), (), everything).charset == "123456789 "


def test_assignments_win_over_the_recipe(recipe: Path, everything: Host) -> None:
    state, _ = read_checkpoint(DATA / "tiny_crnn.protocol4.pdparams")
    assignments = ["algorithm.input.widths=[320]", "algorithm.hidden=9"]
    spec = describe(state, str(recipe), str(recipe.with_name("digits.txt")), assignments, everything)
    assert spec.algorithm.options["input"] == {"widths": [320]}
    assert spec.algorithm.options["hidden"] == 9


def test_options_are_seen_in_the_shapes(everything: Host) -> None:
    state = {
        "neck.encoder.lstm.0.cell_fw.weight_hh": np.zeros((4 * 48, 48)),
        "transform.loc_net.loc_conv0.conv.weight": np.zeros((64, 3, 3, 3)),
        "head.fc.bias": np.zeros(37),
    }
    spec = describe(state, "rec_r34_vd_tps_bilstm_ctc", None, (), everything)
    assert (spec.algorithm.options["hidden"], spec.algorithm.options["localization"]) == (48, "large")
    assert spec.charset == NAMED["en"]
    detector = describe({"neck.in2_conv.weight": np.zeros((96, 16, 1, 1))}, "ch_det_mv3_db", None, (), everything)
    assert detector.algorithm.options == {"fpn_channels": 96}
    assert detector.backbone.options == {"squeeze_excite": False}


CHINESE = "ch_rec_mv3_small_crnn_lite"
CHECKPOINTS = [*(name for name in MODELS if name != "rec_chinese_lite_train"), CHINESE]
QUICK = ("det_r50_vd_east", "rec_mv3_tps_bilstm_att")


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_what_a_recipe_leaves_open_is_seen_in_every_classic_checkpoint(
    everything: Host, tmp_path: Path, name: str
) -> None:
    spec = described(name, zeros(name), everything, tmp_path)
    parts = json.loads((PARITY / "fixtures" / name / "meta.json").read_text())["architecture"]
    options, neck, transform = spec.algorithm.options, parts["Neck"], parts["Transform"]
    widths = {"EASTFPN": {"small": 64, "large": 128}.get(neck.get("model_name"))}
    assert options.get("channels") == widths.get(neck["name"])
    assert options.get("fpn_channels") == neck.get("out_channels")
    assert options.get("hidden") == neck.get("hidden_size")
    assert options.get("localization") == (transform or {}).get("model_name")
    assert options.get("points") == (transform or {}).get("num_fiducial")
    assert spec.backbone.options.get("layers") == parts["Backbone"].get("layers")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in CHECKPOINTS]
)
def test_every_classic_checkpoint_loads_by_the_name_of_its_recipe(everything: Host, tmp_path: Path, name: str) -> None:
    state = zeros(name)
    load_reference_state(build_networks(described(name, state, everything, tmp_path), everything).training, state)


def zeros(name: str) -> dict[str, np.ndarray]:
    """A checkpoint of a classic model that holds zeros."""
    entries = json.loads((PARITY / "fixtures" / name / "state.json").read_text())
    return {entry["name"]: np.zeros(entry["shape"], np.float32) for entry in entries}


def described(name: str, state: dict[str, np.ndarray], host: Host, folder: Path) -> ModelSpec:
    if name != CHINESE:
        return describe(state, name, None, (), host)
    (folder / "dictionary.txt").write_text("\n".join(chr(0x4E00 + number) for number in range(6623)), encoding="utf-8")
    return describe(state, "rec_chinese_lite_train", str(folder / "dictionary.txt"), (), host)


def test_an_unknown_recipe_gets_a_suggestion() -> None:
    with pytest.raises(ConfigError, match="did you mean 'det_mv3_db'"):
        recipe_values("det_mv3_bd")


@pytest.mark.parametrize("name", ["det_mv3_db", "rec_mv3_none_none_ctc"])
def test_named_recipes_build(everything: Host, name: str) -> None:
    state = {"head.fc.bias": np.zeros(37), "x.mid_se.conv1.weight": np.zeros(1)}
    spec = resolved(describe(state, name, None, (), everything), everything)
    assert build_networks(spec, everything).inference.count_params() > 500_000
