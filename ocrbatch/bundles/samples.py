"""Real pictures to try an exported graph on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import PIL.Image
from PIL import ImageDraw, ImageFont

from ocrbatch.api import Task
from ocrbatch.config.train import TrainConfig
from ocrbatch.data.images import Reading, probe, read_page, stamp
from ocrbatch.data.labels import read_lines, read_pages
from ocrbatch.data.sources import list_sources
from ocrbatch.errors import InputError
from ocrbatch.types import Image

_TEXT = ("Invoice No.", "the quick brown fox", "TOTAL 12.50 EUR", "jumps over", "3 x @ 4.99", "Thank you!")


def folder_pictures(folder: Path, count: int) -> list[Image]:
    """``count`` pictures, RGB uint8 (H, W, 3), spread over a folder. Raises InputError when there is none."""
    return _pictures([Path(source.path) for source in list_sources([str(folder)])], count, str(folder))


def run_pictures(config: TrainConfig, count: int) -> list[Image]:
    """``count`` pictures spread over the data that a run was evaluated on. Raises InputError."""
    datasets = config.data.val or config.data.train
    try:
        paths = [image for dataset in datasets for image in _labelled(dataset.path, config.model.task)]
        return _pictures(paths, count, "the run's data")
    except InputError as error:
        raise InputError(
            f"The data of this run cannot be read here ({error}): name pictures with --samples."
        ) from error


def drawn_pictures(count: int) -> list[Image]:
    """``count`` pictures of text, RGB uint8 (H, W, 3), from one short line to a page of them, always the same."""
    pictures = []
    for number in range(count):
        size, lines = 24 + 4 * (number % 5), 1 + 4 * (number % 4)
        picture = PIL.Image.new("RGB", (40 + (5 + 9 * (number % 3)) * size, round(1.5 * size * lines) + 12), "ivory")
        draw, font = ImageDraw.Draw(picture), ImageFont.load_default(size)
        for line in range(lines):
            text = f"{_TEXT[(number + line) % len(_TEXT)]} {137 * number + 11 * line}"
            draw.text((12, 6 + round(1.5 * size * line)), text, "navy" if number % 2 else "black", font)
        pictures.append(np.asarray(picture))
    return pictures


def _labelled(path: str, task: Task) -> Sequence[Path]:
    labels = read_pages(path) if task == "det" else read_lines(path)
    return [label.image for label in labels]


def _pictures(paths: Sequence[Path], count: int, where: str) -> list[Image]:
    if not paths:
        raise InputError(f"There is no picture in {where}: the exported graph has to be tried on real ones.")
    step = max(1, len(paths) // count)
    return [read_page(probe(path, *stamp(path)), 0, Reading())[0] for path in paths[::step][:count]]
