from __future__ import annotations

import keras
import numpy as np

from ocrbatch.nn.attention import AttentionDecoder, ShiftRight

SEQUENCE = np.random.default_rng(2).normal(size=(3, 9, 6)).astype(np.float32)


def sharp_decoder() -> AttentionDecoder:
    """One whose choices are far apart."""
    keras.utils.set_random_seed(4)
    decoder = AttentionDecoder(hidden=5, classes=7, steps=4)
    decoder.build(SEQUENCE.shape)
    decoder.generator.kernel.assign(decoder.generator.kernel * 20)
    return decoder


def as_numpy(tensors) -> list[np.ndarray]:
    return [keras.ops.convert_to_numpy(tensor) for tensor in tensors]


def test_weights_say_where_each_step_looked():
    scores, weights = as_numpy(sharp_decoder()(SEQUENCE))
    assert (scores.shape, weights.shape) == ((3, 4, 7), (3, 4, 9))
    np.testing.assert_allclose(weights.sum(axis=2), 1, atol=1e-5)


def test_taught_with_its_own_choices_it_does_what_it_does_alone():
    decoder = sharp_decoder()
    scores, weights = as_numpy(decoder(SEQUENCE))
    choices = scores.argmax(axis=2)
    assert len(np.unique(choices)) > 1
    previous = np.concatenate([np.zeros((3, 1), int), choices[:, :-1]], axis=1)
    for alone, taught in zip((scores, weights), as_numpy(decoder(SEQUENCE, previous)), strict=True):
        np.testing.assert_allclose(taught, alone, atol=1e-5)
    other = as_numpy(decoder(SEQUENCE, (previous + 1) % 7))[0]
    assert np.abs(other - scores).max() > 0.1


def test_teacher_feeds_the_label_before():
    shifted = keras.ops.convert_to_numpy(ShiftRight()(np.array([[3, 4, 9], [5, 9, 9]])))
    assert shifted.tolist() == [[0, 3, 4], [0, 5, 9]]


def test_decoder_survives_serialisation():
    decoder = sharp_decoder()
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(decoder))
    again.set_weights(decoder.get_weights())
    np.testing.assert_allclose(as_numpy(again(SEQUENCE))[0], as_numpy(decoder(SEQUENCE))[0], atol=1e-6)
