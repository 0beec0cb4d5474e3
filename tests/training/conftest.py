"""Small labelled folders drawn with OpenCV, and recipes small enough to train in seconds."""

from __future__ import annotations

import json
import resource
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest

DIGITS = "0123456789"


@pytest.fixture
def files_end_at() -> Callable[[int], AbstractContextManager[None]]:
    """Context in which no file of this process grows beyond so many bytes: writing fails as it does on a full disk."""

    @contextmanager
    def limited(size: int) -> Iterator[None]:
        before, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, most))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (before, most))

    return limited


@pytest.fixture(scope="session")
def digit_lines(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int, int], Path]:
    """Makes a folder with ``count`` pictures of two to five digits."""

    def make(count: int, seed: int) -> Path:
        folder = tmp_path_factory.mktemp(f"lines{seed}")
        rng = np.random.default_rng(seed)
        with (folder / "labels.jsonl").open("w") as labels:
            for number in range(count):
                text = "".join(rng.choice(list(DIGITS), rng.integers(2, 6)))
                picture = np.full((32, 20 + 18 * len(text), 3), rng.integers(200, 256), np.uint8)
                left, bottom = int(rng.integers(4, 14)), int(rng.integers(22, 28))
                cv2.putText(picture, text, (left, bottom), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (20, 20, 20), 2)
                cv2.imwrite(str(folder / f"{number}.png"), picture)
                labels.write(json.dumps({"image": f"{number}.png", "text": text}) + "\n")
        return folder

    return make


@pytest.fixture(scope="session")
def word_pages(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int, int], Path]:
    """Makes a folder with ``count`` pages of 160 x 160 pixels with a few words each."""

    def make(count: int, seed: int) -> Path:
        folder = tmp_path_factory.mktemp(f"pages{seed}")
        rng = np.random.default_rng(seed)
        with (folder / "labels.jsonl").open("w") as labels:
            for number in range(count):
                page, regions = _page(rng)
                cv2.imwrite(str(folder / f"{number}.png"), page)
                labels.write(json.dumps({"image": f"{number}.png", "regions": regions}) + "\n")
        return folder

    return make


def _page(rng: np.random.Generator) -> tuple[np.ndarray, list[dict[str, object]]]:
    page = np.full((160, 160, 3), rng.integers(200, 256), np.uint8)
    regions: list[dict[str, object]] = []
    for top in range(10, 140, 40):
        if rng.random() < 0.2:
            continue
        text = "".join(rng.choice(list(DIGITS), rng.integers(3, 7)))
        left = int(rng.integers(5, 40))
        (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.7, 2)
        cv2.putText(page, text, (left, top + height), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (20, 20, 20), 2)
        x0, y0, x1, y1 = left - 2, top - 3, left + width + 2, top + height + 3
        regions.append({"points": [[x0, y0], [x1, y0], [x1, y1], [x0, y1]], "text": text, "ignore": False})
    return page, regions
