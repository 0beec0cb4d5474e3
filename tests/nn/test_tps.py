from __future__ import annotations

import keras
import numpy as np
import onnxruntime
import pytest

from ocrbatch.nn.tps import GridSample, RestingPoints, SplineGrid, base_points, rectify, resting_points, spline_matrix


def centres(height: int, width: int) -> np.ndarray:
    """Pixel centres (height * width, 2) as x, y in -1..1."""
    x, y = ((2 * np.arange(side) + 1 - side) / side for side in (width, height))
    return np.stack(np.meshgrid(x, y), axis=2).reshape(-1, 2)


@pytest.mark.parametrize("move", [np.eye(2), np.array([[0.9, 0.2], [-0.1, 0.7]])])
def test_spline_through_affinely_moved_points_is_that_affine_map(move):
    shift = np.array([0.05, -0.1])
    points = np.vstack([base_points(20) @ move + shift, np.zeros((3, 2))])
    np.testing.assert_allclose(spline_matrix(8, 20, 20) @ points, centres(8, 20) @ move + shift, atol=1e-5)


def test_spline_carries_each_base_point_to_its_target():
    rng = np.random.default_rng(5)
    targets = base_points(6) + rng.normal(scale=0.1, size=(6, 2))
    grid = (spline_matrix(301, 301, 6) @ np.vstack([targets, np.zeros((3, 2))])).reshape(301, 301, 2)
    corners = grid[[0, 0, -1, -1], [0, -1, 0, -1]]
    np.testing.assert_allclose(corners, targets[[0, 2, 3, 5]], atol=0.02)


def test_resting_points_follow_a_shear_between_the_middle_and_the_edges():
    points = resting_points(20)
    assert points[[0, 9, 10, 19]].tolist() == [[-1, 0], [1, -1], [-1, 1], [1, 0]]
    bias = keras.ops.convert_to_numpy(RestingPoints()((40,), "float32"))
    np.testing.assert_allclose(bias.reshape(20, 2), points, atol=1e-6)


def test_sampling_at_pixel_centres_gives_the_pixels():
    image = np.random.default_rng(0).normal(size=(2, 5, 7, 3)).astype(np.float32)
    x, y = np.meshgrid(np.linspace(-1, 1, 7), np.linspace(-1, 1, 5))
    grid = np.broadcast_to(np.stack([x, y], axis=2), (2, 5, 7, 2)).astype(np.float32)
    np.testing.assert_allclose(GridSample()(image, grid), image, atol=1e-5)


def test_sampling_is_bilinear_and_zero_outside():
    image = np.array([[0, 1], [2, 3]], np.float32).reshape(1, 2, 2, 1)
    places = [(0, 0), (-1, 0), (0, -1), (1, 1), (-3, 0), (0, 5), (2, 1)]
    got = np.array(GridSample()(image, np.array(places, np.float32).reshape(1, 1, 7, 2))).ravel()
    np.testing.assert_allclose(got, [1.5, 1, 0.5, 3, 0, 0, 1.5], atol=1e-6)


def test_layers_survive_serialisation():
    layer = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(SplineGrid(4, 9, name="g")))
    assert (layer.height, layer.width, layer.name) == (4, 9, "g")


def test_exported_rectifier_equals_keras(tmp_path):
    image = keras.Input((16, 40, 1), name="image")
    model = keras.Model(image, rectify(image, points=6, size="small"))
    picture = np.random.default_rng(1).normal(size=(3, 16, 40, 1)).astype(np.float32)
    expected = np.asarray(model(picture))
    assert expected.shape == picture.shape
    assert np.abs(expected - picture).max() > 0.1
    path = tmp_path / "m.onnx"
    signature = [keras.InputSpec(shape=(None, 16, 40, 1), dtype="float32")]
    model.export(path, format="onnx", verbose=False, input_signature=signature)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (got,) = session.run(None, {session.get_inputs()[0].name: picture})
    np.testing.assert_allclose(got, expected, atol=1e-4)
