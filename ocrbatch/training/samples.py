"""From labels to batches: what data workers do. Numpy and OpenCV only; a batch is a pure function of (seed, step)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ocrbatch.config.schema import DetectorInput, RecognizerInput
from ocrbatch.contracts import DetectorTraining, RecognizerTraining
from ocrbatch.data.augment import Augmentation, augment
from ocrbatch.data.fit import convert_color, fit_line
from ocrbatch.data.labels import LineLabel, PageLabel
from ocrbatch.data.pictures import picture_size, read_picture
from ocrbatch.data.sampling import BatchPlan
from ocrbatch.training.cropping import Cropper


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """``arrays`` holds ``image`` (uint8, (N, H, W, C)) and the targets by name; ``names`` the files, for messages."""

    arrays: Mapping[str, NDArray[Any]]
    names: tuple[str, ...]


class BatchSource(Protocol):
    """Makes the batch of any step; picklable."""

    def __call__(self, step: int) -> Batch: ...


@dataclass(frozen=True, eq=False)
class LineBatches:
    """Batches of line pictures; a bucket of the plan is a position in the ladder of widths."""

    labels: Sequence[LineLabel]
    plan: BatchPlan
    input: RecognizerInput
    training: RecognizerTraining
    steps: tuple[Augmentation, ...] = ()

    def __call__(self, step: int) -> Batch:
        bucket, members = self.plan.batch(step)
        fixed = self.input.model_copy(update={"widths": (self.input.widths[bucket],)})
        samples = []
        for position, member in enumerate(members):
            label = self.labels[member]
            rng = np.random.default_rng([self.plan.seed, 23, step, position])
            line = augment(read_picture(label.image), self.steps, rng)
            samples.append({"image": fit_line(line, fixed)[0], **self.training.targets(label.text)})
        return _stacked(samples, [self.labels[member].image for member in members])


@dataclass(frozen=True, eq=False)
class PageBatches:
    """Batches of square crops out of pages."""

    labels: Sequence[PageLabel]
    plan: BatchPlan
    input: DetectorInput
    training: DetectorTraining
    cropper: Cropper
    steps: tuple[Augmentation, ...] = ()

    def __call__(self, step: int) -> Batch:
        _, members = self.plan.batch(step)
        samples = []
        for position, member in enumerate(members):
            label = self.labels[member]
            rng = np.random.default_rng([self.plan.seed, 23, step, position])
            crop, polygons, ignore = self.cropper(read_picture(label.image), label.regions, self.input, rng)
            crop = convert_color(augment(crop, self.steps, rng), self.input.color)
            samples.append({"image": crop, **self.training.targets(crop.shape[:2], polygons, ignore)})
        return _stacked(samples, [self.labels[member].image for member in members])


def width_bucket(size: tuple[int, int], input: RecognizerInput) -> int:
    """Position in the ladder of the width that a line of ``size`` (height, width) gets."""
    wanted = round(size[1] * input.height / size[0])
    return next((place for place, width in enumerate(input.widths) if width >= wanted), len(input.widths) - 1)


def line_size(label: LineLabel) -> tuple[int, int]:
    """Height and width of a line's picture: as labelled, else read from the file. Raises InputError."""
    return label.size or picture_size(label.image)


def _stacked(samples: Sequence[Mapping[str, NDArray[Any]]], images: Sequence[Path]) -> Batch:
    arrays = {name: np.stack([np.asarray(sample[name]) for sample in samples]) for name in samples[0]}
    return Batch(arrays, tuple(str(image) for image in images))
