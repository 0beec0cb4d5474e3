from __future__ import annotations

import subprocess
import sys

import keras
import numpy as np
import onnxruntime
import pytest

from ocrbatch.charset import Charset
from ocrbatch.errors import ConfigError
from ocrbatch_backbone_plain.config import PlainConfig
from ocrbatch_backbone_plain.model import build_plain
from ocrbatch_rec_crnn.config import CrnnConfig
from ocrbatch_rec_crnn.model import build_crnn
from ocrbatch_rec_crnn.training import build_training

CONFIG = CrnnConfig(
    input={"color": "gray", "mean": (0.5,), "std": (0.5,), "widths": (64, 96)}, hidden=8, layers=1, max_length=8
)
CHARSET = Charset("abc ")


def networks(config: CrnnConfig = CONFIG):
    stages = {"widths": (8, 8, 16, 16, 16), "depths": (1, 1, 1, 1, 1)}
    backbone = build_plain(PlainConfig(rec=stages), task="rec", channels=config.input.channels)
    return build_crnn(config, backbone, len(CHARSET))


def test_targets_are_classes_from_1_padded_with_the_blank():
    targets = build_training(CONFIG, CHARSET).targets("ba c")
    assert targets["labels"].tolist() == [2, 1, 4, 3, 0, 0, 0, 0]
    assert targets["length"] == 4


def test_targets_refuse_what_the_network_cannot_learn():
    training = build_training(CONFIG, CHARSET)
    with pytest.raises(KeyError, match="x"):
        training.targets("x")
    with pytest.raises(ValueError, match="max_length allows 8"):
        training.targets("a" * 9)


@pytest.mark.parametrize(("text", "steps"), [("", 0), ("abc", 3), ("aab", 4), ("aaaa", 7), ("cafe\u0301e\u0301", 6)])
def test_steps_needed_count_blanks_between_equal_neighbours(text, steps):
    assert build_training(CONFIG, CHARSET).steps_needed(text) == steps


def test_another_height_is_refused():
    with pytest.raises(ConfigError, match=r"input\.height is 48"):
        networks(CrnnConfig(input={"color": "gray", "mean": (0.5,), "std": (0.5,), "height": 48}))


def test_backbone_that_keeps_rows_is_refused():
    picture = keras.Input((32, None, 1))
    backbone = keras.Model(picture, keras.layers.AveragePooling2D((16, 4))(picture))
    with pytest.raises(ConfigError, match="height of 1, but it leaves 2"):
        build_crnn(CONFIG, backbone, len(CHARSET))


def test_exported_graph_reads_any_batch_and_width_like_keras(tmp_path):
    net, path = networks().inference, tmp_path / "m.onnx"
    net.export(
        path,
        format="onnx",
        verbose=False,
        input_signature=[keras.InputSpec(shape=(None, 32, None, 1), dtype="float32")],
    )
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for batch, width in ((1, 64), (3, 100)):
        picture = np.random.default_rng(width).normal(size=(batch, 32, width, 1)).astype(np.float32)
        (got,) = session.run(None, {session.get_inputs()[0].name: picture})
        assert got.shape == (batch, width // 4, len(CHARSET) + 1)
        np.testing.assert_allclose(got, net.predict_on_batch(picture), atol=1e-5)


def test_codec_and_targets_import_no_keras():
    code = (
        "import sys; from ocrbatch.charset import Charset; from ocrbatch_rec_crnn.config import CrnnConfig\n"
        "from ocrbatch_rec_crnn import codec, training\n"
        "training.build_training(CrnnConfig(), Charset('ab')).targets('ab')\n"
        "assert not {'keras', 'tensorflow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
