"""A tiny real training: DB overfits a handful of drawn pages and reads their boxes back."""

from __future__ import annotations

import cv2
import keras
import numpy as np
import pytest
from keras import layers

from ocrbatch import geometry
from ocrbatch.data.fit import normalize
from ocrbatch.types import Image, Polygon
from ocrbatch_det_db.codec import DBCodec
from ocrbatch_det_db.config import DBConfig
from ocrbatch_det_db.model import build
from ocrbatch_det_db.training import DBTraining

SIZE = 128


def tiny_backbone() -> keras.Model:
    image = keras.Input((None, None, 3))
    x, outputs = image, []
    for index, width in enumerate((8, 16, 24, 32, 32)):
        x = layers.Conv2D(width, 3, strides=2, padding="same", use_bias=False, name=f"conv{index}")(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
        if index:
            outputs.append(x)
    return keras.Model(image, outputs)


def draw_page(rng: np.random.Generator) -> tuple[Image, list[Polygon]]:
    """A page with one line of text in each of five bands."""
    page = np.full((SIZE, SIZE, 3), rng.integers(190, 255), np.uint8)
    quads = []
    for top in range(6, SIZE - 24, 30):
        word = "".join(rng.choice(list("abcdehiklmnorstu"), rng.integers(3, 9)))
        (width, height), base = cv2.getTextSize(word, cv2.FONT_HERSHEY_SIMPLEX, 0.6, 2)
        left = int(rng.integers(2, max(3, SIZE - width - 2)))
        cv2.putText(page, word, (left, top + height), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (20, 20, 20), 2)
        quads.append(geometry.rect_corners([[left + width / 2, top + (height + base) / 2, width, height + base, 0]])[0])
    return page, quads


@pytest.fixture(scope="module")
def pages() -> list[tuple[Image, list[Polygon]]]:
    rng = np.random.default_rng(3)
    return [draw_page(rng) for _ in range(4)]


def hmean(codec: DBCodec, model: keras.Model, pages: list[tuple[Image, list[Polygon]]]) -> float:
    """Harmonic mean of precision and recall at an overlap of one half; each box is matched at most once."""
    hits = found = wanted = 0
    for page, quads in pages:
        inputs, fit = codec.encode(page)
        probability = model(normalize(inputs[None], DBConfig().input), training=False)
        detections = codec.decode([np.asarray(probability)[0]], fit)
        overlaps = np.array([[geometry.iou(quad, one.points) > 0.5 for one in detections] for quad in quads])
        hits += int(overlaps.any(axis=0).sum()) if overlaps.size else 0
        found, wanted = found + len(detections), wanted + len(quads)
    return 2 * hits / (found + wanted)


def test_db_overfits_a_handful_of_pages(pages: list[tuple[Image, list[Polygon]]]) -> None:
    keras.utils.set_random_seed(1)
    config = DBConfig(fpn_channels=32, shrink_ratio=0.6, unclip_ratio=None)
    networks, training, codec = build(config, tiny_backbone()), DBTraining(config), DBCodec(config)
    images = normalize(np.stack([codec.encode(page)[0] for page, _ in pages]), config.input)
    maps = [training.targets((SIZE, SIZE), quads, [False] * len(quads)) for _, quads in pages]
    stacked = np.stack([np.stack(list(each.values()), axis=-1) for each in maps]).astype(np.float32)
    names = list(maps[0])

    def loss(truth: object, outputs: object) -> object:
        return training.loss({name: truth[..., i] for i, name in enumerate(names)}, outputs)["loss"]  # type: ignore[index]

    networks.training.compile(optimizer=keras.optimizers.Adam(5e-3), loss=loss)
    history = networks.training.fit(images, stacked, batch_size=4, epochs=100, verbose=0).history["loss"]
    assert history[-1] < history[0] / 4
    assert hmean(codec, networks.inference, pages) >= 0.95
