from __future__ import annotations

import subprocess
import sys

import keras
import numpy as np
import onnxruntime
import pytest

from ocrbatch.charset import Charset
from ocrbatch.data.fit import normalize
from ocrbatch.errors import ConfigError
from ocrbatch_backbone_plain.config import PlainConfig
from ocrbatch_backbone_plain.model import build_plain
from ocrbatch_rec_crnn.codec import build_codec
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


def drawn(text: str) -> np.ndarray:
    """A line picture in which each character is a bar of its own brightness."""
    line = np.full((32, 64, 3), 255, np.uint8)
    for place, character in enumerate(text):
        line[4:28, 4 + 14 * place : 14 + 14 * place] = {"a": 0, "b": 90, "c": 170, " ": 255}[character]
    return line


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


def test_it_learns_to_read():
    keras.utils.set_random_seed(1)
    texts = ["abc", "a b", "cc", "b", "ba c", "aab"]
    training, codec, net = build_training(CONFIG, CHARSET), build_codec(CONFIG, CHARSET), networks()
    encoded = [codec.encode(drawn(text)) for text in texts]
    pictures = normalize(np.stack([picture for picture, _ in encoded]), CONFIG.input)
    targets = [training.targets(text) for text in texts]
    labels = np.concatenate(
        [np.stack([t["labels"] for t in targets]), np.stack([t["length"] for t in targets])[:, None]], axis=1
    )
    net.training.compile(
        keras.optimizers.Adam(0.02),
        lambda y, scores: training.loss({"labels": y[:, :-1], "length": y[:, -1]}, scores)["loss"],
    )
    history = net.training.fit(pictures, labels, batch_size=6, epochs=120, verbose=0).history["loss"]
    readings = codec.decode([net.inference.predict_on_batch(pictures)], [used for _, used in encoded])
    assert [reading.text for reading in readings] == texts
    assert history[-1] < history[0] / 10
    assert min(reading.score for reading in readings) > 0.5


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
