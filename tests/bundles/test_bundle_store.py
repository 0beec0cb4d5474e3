from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocrbatch.bundles import store
from ocrbatch.bundles.format import GRAPH, WEIGHTS, BundleInfo, parse, render
from ocrbatch.bundles.store import damages, default_bundle, open_bundle, read_checked, write_bundle
from ocrbatch.errors import BundleError, ConfigError, ExitCode
from ocrbatch.plugin_system.host import Host

FILES = {GRAPH: b"a graph", WEIGHTS: bytes(range(256))}

Make = Callable[[str], BundleInfo]
SHAPES = pytest.mark.parametrize("name", ["folder", "file.ocrb"])


@SHAPES
def test_a_bundle_opens_as_it_was_written(tmp_path: Path, make_info: Make, host: Host, name: str) -> None:
    written = write_bundle(tmp_path / name, make_info("rec"), FILES)
    bundle = open_bundle(tmp_path / name, host, kind="rec")
    assert bundle.info == written
    assert bundle.charset is not None
    assert bundle.charset.characters == "abc é€12"
    assert bundle.config.hidden == 6
    assert bundle.input.height == 32
    assert bundle.graph.onnx() == FILES[GRAPH]
    assert bundle.info.algorithm.distribution == "ocrbatch"
    assert damages(tmp_path / name) == []


@settings(max_examples=25)
@given(data=st.data())
@SHAPES
def test_verify_finds_every_changed_byte(
    tmp_path_factory: pytest.TempPathFactory, make_info: Make, host: Host, name: str, data: st.DataObject
) -> None:
    target = tmp_path_factory.mktemp("any") / name
    written = write_bundle(target, make_info("det"), FILES)
    member = data.draw(st.sampled_from(sorted(path.name for path in target.iterdir()))) if target.is_dir() else ""
    file = target / member if member else target
    content = bytearray(file.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    file.write_bytes(content)
    try:
        found = damages(target)
    except BundleError:
        return
    if not found:  # a byte of the zip file that says nothing about the content, such as a date
        assert target.suffix == ".ocrb"
        assert open_bundle(target, host).info == written
        assert {name: read_checked(target, written, name) for name in FILES} == FILES
    else:
        assert "damaged" in found[0] or "read" in found[0] or "incomplete" in found[0]


def test_identity_follows_options_and_files(tmp_path: Path, make_info: Make, host: Host) -> None:
    write_bundle(tmp_path / "a.ocrb", make_info("det"), FILES)
    write_bundle(tmp_path / "b", make_info("det"), FILES)
    write_bundle(tmp_path / "c", make_info("det"), {**FILES, GRAPH: b"another"})
    plain = open_bundle(tmp_path / "a.ocrb", host).identity
    assert plain == open_bundle(tmp_path / "b", host).identity
    assert plain != open_bundle(tmp_path / "c", host).identity
    assert plain != open_bundle(tmp_path / "b", host, options={"thresh": 0.2}).identity


def test_options_lie_over_those_of_the_bundle(tmp_path: Path, make_info: Make, host: Host) -> None:
    write_bundle(tmp_path / "d", make_info("det"), FILES)
    bundle = open_bundle(tmp_path / "d", host, options={"thresh": 0.25, "input": {"limit_side": 320}})
    assert (bundle.config.thresh, bundle.config.unclip_ratio, bundle.config.input.limit_side) == (0.25, 1.7, 320)
    assert bundle.config.input.mean == open_bundle(tmp_path / "d", host).config.input.mean
    array, _ = bundle.codec().encode(np.zeros((500, 900, 3), np.uint8))
    assert array.shape == (192, 320, 3)
    with pytest.raises(ConfigError, match="did you mean 'unclip_ratio'"):
        open_bundle(tmp_path / "d", host, options={"unclip_ration": 2.0})


def test_a_wrong_kind_is_refused(tmp_path: Path, make_info: Make, host: Host) -> None:
    write_bundle(tmp_path / "r", make_info("rec"), FILES)
    with pytest.raises(BundleError, match="is a recognizer: a detector is needed"):
        open_bundle(tmp_path / "r", host, kind="det")


def test_a_missing_plugin_is_named(tmp_path: Path, make_info: Make) -> None:
    write_bundle(tmp_path / "r", make_info("rec"), FILES)
    without = Host.load(disable=["rec_crnn"], environ={})
    with pytest.raises(BundleError, match=r"made with 'crnn' of ocrbatch .* not usable here.*disable-plugin"):
        open_bundle(tmp_path / "r", without)


def test_the_backbone_is_not_needed_to_run(tmp_path: Path, make_info: Make) -> None:
    write_bundle(tmp_path / "r", make_info("rec"), FILES)
    bundle = open_bundle(tmp_path / "r", Host.load(disable=["backbone_plain"], environ={}))
    assert bundle.codec().encode(np.zeros((32, 64, 3), np.uint8))[0].dtype == np.uint8


def test_options_that_the_installed_plugin_lacks_are_explained(tmp_path: Path, make_info: Make, host: Host) -> None:
    info = make_info("rec")
    spec = info.spec.model_dump(mode="json")
    spec["algorithm"]["invented"] = 1
    write_bundle(tmp_path / "r", info.model_copy(update={"spec": type(info.spec).model_validate(spec)}), FILES)
    with pytest.raises(BundleError, match=r"do not fit ocrbatch .*invented"):
        open_bundle(tmp_path / "r", host)


def test_a_training_run_is_told_from_a_bundle(tmp_path: Path, host: Host) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.yml").write_text("model: {}")
    with pytest.raises(BundleError, match="ocrbatch export"):
        open_bundle(tmp_path / "run", host)
    with pytest.raises(BundleError, match="is no bundle"):
        open_bundle(tmp_path, host)
    with pytest.raises(BundleError, match="There is no bundle at") as caught:
        open_bundle(tmp_path / "nowhere", host)
    assert caught.value.exit_code == ExitCode.BUNDLE


def test_a_missing_default_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: Host) -> None:
    monkeypatch.setattr(store, "_DEFAULTS", tmp_path)
    with pytest.raises(BundleError, match="no default detector: name a bundle with --det PATH"):
        open_bundle("det", host)


def test_a_default_bundle_is_found_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_info: Make, host: Host
) -> None:
    monkeypatch.setattr(store, "_DEFAULTS", tmp_path)
    write_bundle(tmp_path / "rec", make_info("rec"), FILES)
    assert default_bundle("rec") == tmp_path / "rec"
    assert open_bundle("rec", host).path == tmp_path / "rec"


def test_a_file_that_bundle_json_does_not_list_is_not_read(tmp_path: Path, make_info: Make) -> None:
    info = write_bundle(tmp_path / "r", make_info("rec"), {GRAPH: b"a"})
    (tmp_path / "r" / "model.weights.h5").write_bytes(b"smuggled")
    with pytest.raises(BundleError, match=r"holds no model\.weights\.h5"):
        read_checked(tmp_path / "r", info, "model.weights.h5")


def test_weights_of_another_network_are_refused(bundles: dict[str, Path], host: Host, tmp_path: Path) -> None:
    changed = tmp_path / "changed"
    shutil.copytree(bundles["rec"], changed)
    info = parse((changed / "bundle.json").read_bytes(), "here")
    spec = info.spec.model_dump(mode="json")
    spec["algorithm"]["hidden"] = 7
    info = info.model_copy(update={"spec": type(info.spec).model_validate(spec)})
    (changed / "bundle.json").write_bytes(render(info))
    with pytest.raises(BundleError, match="do not fit the network"):
        open_bundle(changed, host).graph.keras_model()


def test_opening_and_decoding_import_no_keras(bundles: dict[str, Path]) -> None:
    program = (
        "import sys; from ocrbatch.plugin_system.host import Host; from ocrbatch.bundles.store import open_bundle\n"
        "host = Host.load()\n"
        "for path in sys.argv[1:]:\n"
        "    bundle = open_bundle(path, host); bundle.codec()\n"
        "    host.resolve(host.engine('onnxruntime').factory)(\n"
        "        host.config(host.engine('onnxruntime'), {})).open(bundle.graph, 1)\n"
        "print(sorted({'keras', 'tensorflow', 'onnx'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", program, *map(str, bundles.values())]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
