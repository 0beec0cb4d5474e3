from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocrbatch.charset import Charset
from ocrbatch.config.schema import RecognizerInput
from ocrbatch.data.ctc_decode import CtcCodec, character_spans, greedy_decode

AB = Charset("ab ")


def spikes(path: str, sure: float = 0.9) -> np.ndarray:
    """Probabilities (T, 4) whose best path is ``path``; ``-`` is the blank."""
    classes = np.array(["-ab ".index(c) for c in path])
    probabilities = np.full((len(path), 4), (1 - sure) / 3, np.float32)
    probabilities[np.arange(len(path)), classes] = sure
    return probabilities


def read_one(probabilities, used=1.0):
    [reading] = greedy_decode(probabilities[None], [used], AB)
    return reading


@pytest.mark.parametrize(
    ("path", "text"),
    [("----", ""), ("a", "a"), ("aab-", "ab"), ("a-a", "aa"), ("-a b-", "a b"), ("bbbb", "b"), ("  -a", " a")],
)
def test_runs_become_characters_and_blanks_vanish(path, text):
    assert read_one(spikes(path)).text == text


def test_score_is_the_mean_of_the_peaks():
    probabilities = spikes("-aab", 0.8)
    probabilities[2] = [0, 1.0, 0, 0]
    assert read_one(probabilities).score == pytest.approx((1.0 + 0.8) / 2)
    assert read_one(spikes("--")).score == 0


def test_spans_are_fractions_of_the_line_not_of_its_padding():
    reading = read_one(spikes("-a-b----"), 0.5)
    np.testing.assert_allclose(reading.spans, [[0.125, 0.625], [0.625, 1.0]], atol=1e-6)
    assert reading.spans.dtype == np.float32


def test_spans_fill_the_line_in_order():
    spans = character_spans(np.array([0.1, 0.4, 0.5, 0.95]))
    assert spans.min() >= 0
    assert spans.max() <= 1
    np.testing.assert_allclose(spans[1:, 0], spans[:-1, 1])
    assert character_spans(np.array([0.3])).tolist() == [[0, 1]]


def test_codec_reads_a_batch():
    codec = CtcCodec(RecognizerInput(widths=(64,)), AB)
    fitted, used = codec.encode(np.zeros((32, 32, 3), np.uint8))
    assert (fitted.shape, used) == ((32, 64, 3), 0.5)
    readings = codec.decode([np.stack([spikes("a-b-"), spikes("----")])], [0.5, 1.0])
    assert [reading.text for reading in readings] == ["ab", ""]
    assert [len(reading.spans) for reading in readings] == [2, 0]


@given(st.lists(st.tuples(st.lists(st.sampled_from("-ab "), min_size=6, max_size=6), st.floats(0.2, 1)), max_size=5))
def test_neighbours_in_a_batch_change_nothing(lines):
    rng = np.random.default_rng(len(lines))
    arrays = [spikes("".join(path), 0.9) * rng.uniform(0.5, 1, (6, 1)) for path, _ in lines]
    used = [fraction for _, fraction in lines]
    batch = greedy_decode(np.reshape(arrays, (len(arrays), 6, len(AB) + 1)), used, AB)
    assert len(batch) == len(lines)
    for together, array, fraction in zip(batch, arrays, used, strict=True):
        alone = read_one(array, fraction)
        assert (together.text, together.score) == (alone.text, alone.score)
        np.testing.assert_array_equal(together.spans, alone.spans)
