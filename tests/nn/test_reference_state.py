from __future__ import annotations

import re

import keras
import numpy as np
import pytest

from ocrbatch.errors import BundleError
from ocrbatch.nn.attention import AttentionDecoder
from ocrbatch.nn.blocks import conv_norm
from ocrbatch.nn.paddle import load_reference_state, reference_slots
from ocrbatch.nn.sequence import bilstm


def model() -> keras.Model:
    image = keras.Input((4, 4, 2))
    inner = keras.Model(image, conv_norm(image, 3, 3, name="conv1"), name="backbone")
    picture = keras.Input((4, 4, 2))
    return keras.Model(picture, keras.layers.Dense(5, name="head-fc")(inner(picture)))


def state() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    norm = {f"backbone.conv1.bn.{leaf}": rng.uniform(0.5, 1, 3) for leaf in ("weight", "bias", "_mean", "_variance")}
    return {
        "backbone.conv1.conv.weight": rng.normal(size=(3, 2, 3, 3)),
        **norm,
        "head.fc.weight": rng.normal(size=(3, 5)),
        "head.fc.bias": rng.normal(size=5),
    }


def test_every_variable_gets_its_tensor():
    net, tensors = model(), state()
    load_reference_state(net, tensors)
    for slot in reference_slots(net):
        expected = slot.convert(*(tensors[name] for name in slot.tensors))
        np.testing.assert_allclose(keras.ops.convert_to_numpy(slot.variable), expected, rtol=1e-6)
    kernel = net.get_layer("backbone").get_layer("conv1-conv").kernel
    np.testing.assert_allclose(np.asarray(kernel)[0, 1], tensors["backbone.conv1.conv.weight"][:, :, 0, 1].T, rtol=1e-6)


def test_second_names_of_recurrent_tensors_are_ignored():
    load_reference_state(model(), state() | {"neck.encoder.lstm.weight_ih_l0_reverse": np.zeros(1)})


def test_rename_leads_to_other_names():
    tensors = {name.replace("backbone.conv1.", "stem."): array for name, array in state().items()}
    net = model()
    load_reference_state(net, tensors, lambda path: path.replace("backbone.conv1.", "stem."))
    assert np.asarray(net.get_layer("head-fc").bias).tolist() == pytest.approx(tensors["head.fc.bias"].tolist())


def test_missing_and_unknown_tensors_are_named():
    tensors = state()
    tensors["head.attention.weight"] = tensors.pop("head.fc.weight")
    with pytest.raises(BundleError, match=r"lacks head\.fc\.weight and has head\.attention\.weight"):
        load_reference_state(model(), tensors)


def test_other_shapes_are_named_and_nothing_is_set():
    net, tensors = model(), state()
    before = net.get_weights()
    tensors |= {"head.fc.bias": np.zeros(7), "backbone.conv1.conv.weight": np.zeros((3, 2, 9))}
    with pytest.raises(BundleError) as refusal:
        load_reference_state(net, tensors)
    assert "backbone.conv1.conv.weight is (3, 2, 9), the model needs (3, 2, 3, 3)" in str(refusal.value)
    assert "head.fc.bias is (7,), the model needs (5,)" in str(refusal.value)
    assert all((one == other).all() for one, other in zip(before, net.get_weights(), strict=True))


@pytest.mark.parametrize("wrong", ["weight_ih", "bias_hh"])
@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_recurrent_tensors_must_have_their_shapes(kind, wrong):
    sequence = keras.Input((5, 4))
    if kind == "lstm":
        made, name = bilstm(sequence, 3, 1), "neck.encoder.lstm.0.cell_fw"
    else:
        made, name = AttentionDecoder(3, 7, 2, name="head")(sequence), "head.attention_cell.rnn"
    net = keras.Model(sequence, made)
    tensors = {tensor: np.ones(slot.shape) for slot in reference_slots(net) for tensor in slot.tensors}
    load_reference_state(net, tensors)
    right, tensors[f"{name}.{wrong}"] = np.shape(tensors[f"{name}.{wrong}"]), np.ones(1)
    with pytest.raises(BundleError, match=re.escape(f"{name}.{wrong} is (1,), the model needs {right}")):
        load_reference_state(net, tensors)
