"""The loss of EAST against plain numpy, and a tiny real training on rotated rectangles that reads its boxes back."""

from __future__ import annotations

from typing import Any, Literal

import cv2
import keras
import numpy as np
import pytest
from keras import layers, ops
from numpy.typing import NDArray

from ocrbatch import geometry
from ocrbatch.data.fit import normalize
from ocrbatch.types import Image, Polygon
from ocrbatch_det_east.codec import EastCodec
from ocrbatch_det_east.config import EastConfig
from ocrbatch_det_east.model import build
from ocrbatch_det_east.training import EastTraining

SIZE = 128
Kind = Literal["quad", "rbox"]
Page = tuple[Image, list[Polygon]]


def maps_of(kind: Kind, shape: tuple[int, ...] = (2, 6, 8)) -> tuple[dict[str, NDArray[Any]], NDArray[np.float32]]:
    rng = np.random.default_rng(1)
    channels = 8 if kind == "quad" else 5
    geometry_map, predicted = rng.uniform(0.5, 3, (2, *shape, channels)).astype(np.float32)
    maps = {
        "score": (rng.random(shape) < 0.2).astype(np.uint8),
        "mask": (rng.random(shape) < 0.9).astype(np.uint8),
        "geometry": geometry_map,
        "side": rng.uniform(1, 40, shape).astype(np.float32),
    }
    score = rng.uniform(0.1, 0.9, (*shape, 1)).astype(np.float32)
    return maps, np.concatenate([score, predicted], axis=-1)


def losses_of(kind: Kind, maps: dict[str, NDArray[Any]], outputs: NDArray[np.float32]) -> dict[str, float]:
    got = EastTraining(EastConfig(geometry=kind)).loss(maps, ops.convert_to_tensor(outputs))
    return {name: float(value) for name, value in got.items()}


def dice(maps: dict[str, NDArray[Any]], outputs: NDArray[np.float32]) -> float:
    inside = maps["mask"] > 0
    truth, score = maps["score"][inside].astype(float), outputs[..., 0][inside]
    return float(1 - 2 * (truth * score).sum() / (truth.sum() + score.sum()))


def test_quad_loss_against_plain_numpy() -> None:
    maps, outputs = maps_of("quad")
    error = np.abs(outputs[..., 1:] - maps["geometry"]).astype(float)
    corners = np.where(error < 1, 0.5 * error**2, error - 0.5).sum(axis=-1) / (8 * maps["side"])
    mean = corners[(maps["score"] * maps["mask"]) > 0].mean()
    expected = {"loss": dice(maps, outputs) + mean, "score": dice(maps, outputs), "geometry": mean}
    assert losses_of("quad", maps, outputs) == pytest.approx(expected, rel=1e-4)


def test_rbox_loss_against_plain_numpy() -> None:
    maps, outputs = maps_of("rbox")
    a, b = maps["geometry"].astype(float), outputs[..., 1:].astype(float)
    common = np.minimum(a, b)
    area = [(d[..., 0] + d[..., 2]) * (d[..., 1] + d[..., 3]) for d in (common, a, b)]
    distance = -np.log((area[0] + 1) / (area[1] + area[2] - area[0] + 1))
    mean = (distance + 10 * (1 - np.cos(a[..., 4] - b[..., 4])))[(maps["score"] * maps["mask"]) > 0].mean()
    expected = {"loss": dice(maps, outputs) + mean, "score": dice(maps, outputs), "geometry": mean}
    assert losses_of("rbox", maps, outputs) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("kind", ["quad", "rbox"])
def test_loss_without_text_is_finite(kind: Kind) -> None:
    maps, outputs = maps_of(kind)
    assert np.isfinite(list(losses_of(kind, {**maps, "score": maps["score"] * 0}, outputs).values())).all()
    assert np.isfinite(
        list(losses_of(kind, {name: each * 0 + (name == "side") for name, each in maps.items()}, outputs).values())
    ).all()


def tiny_backbone() -> keras.Model:
    image = keras.Input((None, None, 3))
    x, outputs = image, []
    for index, width in enumerate((8, 16, 24, 32, 32)):
        x = layers.Conv2D(width, 3, strides=2, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
        if index:
            outputs.append(x)
    return keras.Model(image, outputs)


def draw_page(rng: np.random.Generator) -> Page:
    """A page with a tilted word in each of three bands."""
    page, quads = np.full((SIZE, SIZE, 3), 235, np.uint8), []
    for y in (24, 64, 104):
        width, height, tilt = rng.uniform(50, 90), rng.uniform(18, 26), rng.uniform(-0.1, 0.1)
        quad = geometry.rect_corners([[rng.uniform(52, 76), y, width, height, tilt]])[0]
        cv2.fillPoly(page, [quad.round().astype(int)], (40, 60, 80))
        quads.append(quad)
    return page, quads


def hmean(codec: EastCodec, model: keras.Model, pages: list[Page]) -> float:
    hits = found = wanted = 0
    for page, quads in pages:
        inputs, fit = codec.encode(page)
        outputs = model(normalize(inputs[None], EastConfig().input), training=False)
        detections = codec.decode([np.asarray(output)[0] for output in outputs], fit)
        hits += sum(any(geometry.iou(quad, one.points) > 0.5 for one in detections) for quad in quads)
        found, wanted = found + len(detections), wanted + len(quads)
    return 2 * hits / (found + wanted)


def test_east_overfits_a_handful_of_pages_by_rotated_rectangles() -> None:
    keras.utils.set_random_seed(1)
    rng = np.random.default_rng(3)
    pages = [draw_page(rng) for _ in range(4)]
    config = EastConfig(channels=16, geometry="rbox", reach=128)
    networks, training, codec = build(config, tiny_backbone()), EastTraining(config), EastCodec(config)
    images = normalize(np.stack([page for page, _ in pages])[..., ::-1], config.input)
    maps = [training.targets((SIZE, SIZE), quads, [False] * len(quads)) for _, quads in pages]
    names = ("score", "mask", "side")
    stacked = np.stack(
        [np.dstack([*(each[name] for name in names), each["geometry"]]).astype(np.float32) for each in maps]
    )

    def loss(truth: Any, outputs: Any) -> Any:
        named = {name: truth[..., index] for index, name in enumerate(names)}
        return training.loss({**named, "geometry": truth[..., 3:]}, outputs)["loss"]

    networks.training.compile(optimizer=keras.optimizers.Adam(1e-2), loss=loss)
    history = networks.training.fit(images, stacked, batch_size=4, epochs=100, verbose=0).history["loss"]
    assert history[-1] < history[0] / 4
    assert hmean(codec, networks.inference, pages) >= 0.95
