"""Each check passes the generated plugins and catches mistakes made in them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest

from ocrbatch.plugin_system.catalogue import Row
from ocrbatch.plugin_system.host import Host
from ocrbatch.plugin_system.scaffold import KINDS, Short, write_package
from ocrbatch.testing import check_detector, check_postprocessor, check_recognizer, recognizers
from ocrbatch.testing import detectors as detectors

Build = Callable[..., Host]


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Build]:
    """Function that makes a host with one generated plugin ``sample``, after changing texts in its files."""

    def make(kind: Short, file: str = "", old: str = "", new: str = "") -> Host:
        folder = write_package(kind, "sample", tmp_path)
        package = folder / f"ocrbatch_{kind}_sample"
        if file:
            text = (package / file).read_text(encoding="utf-8")
            assert text.count(old) == 1
            (package / file).write_text(text.replace(old, new), encoding="utf-8")
        monkeypatch.syspath_prepend(str(folder))
        plugin = import_module(f"{package.name}.plugin")
        [descriptor] = getattr(plugin, KINDS[kind].hook)()
        return Host((Row(f"{kind}_sample", "sample", KINDS[kind], "sample", "1.0", "ok", "", descriptor),))

    yield make
    for name in [name for name in sys.modules if "_sample" in name]:
        del sys.modules[name]


@pytest.fixture
def without_subprocess(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves out the look at what modules import: it has tests of its own and takes a second."""
    monkeypatch.setattr(detectors, "expect_light", lambda *_: None)
    monkeypatch.setattr(recognizers, "expect_light", lambda *_: None)


DETECTOR_MISTAKES = {
    "leaves the page": (
        "codec.py",
        "geometry.clip_polygon(geometry.order_quad(corners), fit.width, fit.height)",
        "geometry.order_quad(corners)",
    ),
    "of one shape|differ in names, shapes": (
        "training.py",
        'return {"core": core, "mask": mask}',
        'return {"core": core, "mask": mask} if polygons else {"core": core}',
    ),
    "is not finite|NaN or infinity": (
        "training.py",
        '"loss": entropy + dice,',
        '"loss": (entropy + dice) / ops.max(core) * ops.max(core),',
    ),
    "must be a scalar": ("training.py", '"loss": entropy + dice,', '"loss": entropy + dice + outputs,'),
    "not just 'image'": ("model.py", 'name="image"', 'name="picture"'),
    "weights that training never sees": (
        "model.py",
        "Networks(training=network, inference=network)",
        "Networks(training=network, inference=keras.Model(image, layers.Conv2D(1, 1)(core)))",
    ),
    "for divisor 32": (
        "codec.py",
        "return fit_page(page, self.config.input)",
        "picture, fit = fit_page(page, self.config.input)\n        return picture[:-1], fit",
    ),
    "decode() gives|a score is 2.0": ("codec.py", "Detection(points, score)", "Detection(points, 2.0)"),
}


def test_a_good_detector_passes(build: Build) -> None:
    check_detector(build("det"), "sample", channels=8)


@pytest.mark.parametrize("message", DETECTOR_MISTAKES)
@pytest.mark.usefixtures("without_subprocess")
def test_mistakes_of_detectors_are_found(build: Build, message: str) -> None:
    host = build("det", *DETECTOR_MISTAKES[message])
    with pytest.raises(
        AssertionError, match="|".join(part.replace("(", r"\(").replace(")", r"\)") for part in message.split("|"))
    ):
        check_detector(host, "sample", channels=8)


@pytest.mark.parametrize(("file", "why"), [("codec.py", "ocrbatch run"), ("training.py", "data workers")])
def test_keras_in_codec_or_targets_is_found(
    build: Build, file: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = build("det", file, "import cv2\n", "import cv2\nimport keras\n")
    (tmp_path / "keras.py").write_text("")  # an empty one is faster to import, and as forbidden
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(AssertionError, match=f"imports keras: .*{why}"):
        check_detector(host, "sample", channels=8)


RECOGNIZER_MISTAKES = {
    "instead of raising KeyError": (
        "training.py",
        "return CtcTraining(charset, config.max_length)",
        'return CtcTraining(Charset(charset.characters + "\\u0434"), config.max_length)',
    ),
    "not on the ladder": (
        "codec.py",
        "return CtcCodec(config.input, charset)",
        "return CtcCodec(config.input.model_copy(update={'widths': (99,)}), charset)",
    ),
    "from get_config": (
        "model.py",
        'x = layers.Dense(config.channels, name="encoder_in")(sequence)',
        'x = layers.Dense(config.channels, name="encoder_in")(sequence)\n'
        "    class Double(layers.Layer):\n"
        "        def __init__(self, factor=1.0, **kwargs):\n"
        "            super().__init__(**kwargs)\n"
        "            self.factor = factor\n"
        "        def call(self, inputs):\n"
        "            return inputs * self.factor\n"
        "    x = Double(2.0)(x)",
    ),
}


def test_a_good_recognizer_passes(build: Build) -> None:
    check_recognizer(build("rec"), "sample", channels=8, depth=1)


@pytest.mark.parametrize("message", RECOGNIZER_MISTAKES)
@pytest.mark.usefixtures("without_subprocess")
def test_mistakes_of_recognizers_are_found(build: Build, message: str) -> None:
    host = build("rec", *RECOGNIZER_MISTAKES[message])
    with pytest.raises(AssertionError, match=message):
        check_recognizer(host, "sample", channels=8, depth=1)


RETURN = "return tuple(self._tidy(region) for region in regions)"
POSTPROCESSOR_MISTAKES = {
    "reject regions with kept=False": f"{RETURN[:-1]} if region.text)",
    "returns a list": "return [self._tidy(region) for region in regions]",
    "changes its input": (
        "for region in regions:\n            region.points.setflags(write=True)\n            region.points[0] += 1\n"
        f"        {RETURN}"
    ),
    "several regions have the order": "return tuple(replace(region, order=3) for region in regions)",
    "leaves the page": "return tuple(replace(region, points=region.points + width) for region in regions)",
    "answers differently": (
        "import random\n        return tuple(replace(region, rec_score=random.random()) for region in regions)"
    ),
}


def test_a_good_postprocessor_passes(build: Build) -> None:
    check_postprocessor(build("post"), "sample")


@pytest.mark.parametrize("message", POSTPROCESSOR_MISTAKES)
def test_mistakes_of_postprocessors_are_found(build: Build, message: str) -> None:
    host = build("post", "step.py", RETURN, POSTPROCESSOR_MISTAKES[message])
    with pytest.raises(AssertionError, match=message):
        check_postprocessor(host, "sample")
