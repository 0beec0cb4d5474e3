"""Real pictures to try an exported graph on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from ocrbatch.api import Task
from ocrbatch.config.train import TrainConfig
from ocrbatch.data.images import Reading, probe, read_page, stamp
from ocrbatch.data.labels import read_lines, read_pages
from ocrbatch.data.sources import list_sources
from ocrbatch.errors import InputError
from ocrbatch.types import Image


def sample_pictures(config: TrainConfig, folder: Path | None, count: int) -> Iterator[Image]:
    """``count`` pictures, RGB uint8 (H, W, 3), spread over ``folder``, or over the data that a run was evaluated on.

    Raises InputError when there is none, or when one cannot be read.
    """
    paths = _below(folder) if folder is not None else _labelled(config)
    if not paths:
        raise InputError(f"There is no picture below {folder}: the exported graph has to be tried on real ones.")
    step = max(1, len(paths) // count)
    for path in paths[::step][:count]:
        yield read_page(probe(path, *stamp(path)), 0, Reading())[0]


def _below(folder: Path) -> list[Path]:
    if not folder.exists():
        raise InputError(f"There is no folder {folder}.")
    return [Path(source.path) for source in list_sources([str(folder)])]


def _labelled(config: TrainConfig) -> list[Path]:
    datasets = config.data.val or config.data.train
    try:
        return [image for dataset in datasets for image in _images(dataset.path, config.model.task)]
    except InputError as error:
        raise InputError(
            f"The data of this run cannot be read here ({error}): name pictures with --samples."
        ) from error


def _images(path: str, task: Task) -> Sequence[Path]:
    labels = read_pages(path) if task == "det" else read_lines(path)
    return [label.image for label in labels]
