"""Augmentation of training pictures, uint8 RGB (H, W, 3): small pure functions with a schema each.

Rendered data bring their own damage; these steps make a cached picture look different each time it is shown.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Annotated

import cv2
import numpy as np
from pydantic import Field

from ocrbatch.config.schema import PluginChoice, PluginConfig, Task
from ocrbatch.config.suggest import did_you_mean
from ocrbatch.config.values import validate
from ocrbatch.errors import ConfigError
from ocrbatch.types import Image

Amount = Annotated[float, Field(ge=0, le=1)]


class Augmentation(PluginConfig, ABC):
    """One step; ``chance`` is how often it is applied."""

    chance: Amount = Field(1.0, description="Chance of applying the step to a picture.")

    @abstractmethod
    def apply(self, picture: Image, rng: np.random.Generator) -> Image:
        """The changed picture; the given one is left as it is."""

    def __call__(self, picture: Image, rng: np.random.Generator) -> Image:
        return self.apply(picture, rng) if rng.random() < self.chance else picture


class Stretch(Augmentation):
    """Lines: narrower or wider by up to ``amount``."""

    amount: Amount = Field(0.15, description="0.15: between 1/1.15 and 1.15 times as wide.")

    def apply(self, picture: Image, rng: np.random.Generator) -> Image:
        factor = (1 + self.amount) ** rng.uniform(-1, 1)
        height, width = picture.shape[:2]
        return cv2.resize(picture, (max(1, round(width * factor)), height), interpolation=cv2.INTER_LINEAR)


class Margin(Augmentation):
    """Lines: each edge moved in or out by up to ``amount`` of the height, as detectors' boxes vary."""

    amount: Amount = Field(0.06, description="Largest shift of an edge, in heights of the line.")

    def apply(self, picture: Image, rng: np.random.Generator) -> Image:
        height = picture.shape[0]
        left, top, right, bottom = (round(shift) for shift in rng.uniform(-1, 1, 4) * self.amount * height)
        grown = (max(0, top), max(0, bottom)), (max(0, left), max(0, right)), (0, 0)
        padded = np.pad(picture, grown, "edge")
        rows = slice(max(0, -top), padded.shape[0] - max(0, -bottom))
        columns = slice(max(0, -left), padded.shape[1] - max(0, -right))
        cut = padded[rows, columns]
        return cut if cut.shape[0] > 4 and cut.shape[1] > 4 else picture


class Turn(Augmentation):
    """Lines: turned by up to ``degrees`` about the middle, border replicated."""

    degrees: float = Field(1.0, ge=0, le=15, description="Largest angle either way.")

    def apply(self, picture: Image, rng: np.random.Generator) -> Image:
        height, width = picture.shape[:2]
        # A long line leaves its strip at an angle that a short one bears well.
        largest = min(self.degrees, np.degrees(0.25 * height / width))
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), rng.uniform(-largest, largest), 1.0)
        return cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)


class Tone(Augmentation):
    """Contrast, brightness and gamma."""

    amount: Amount = Field(0.3, description="0.3: contrast 0.7 to 1.3, brightness +-0.15, gamma 1/1.3 to 1.3.")

    def apply(self, picture: Image, rng: np.random.Generator) -> Image:
        contrast, brightness, bend = rng.uniform(-1, 1, 3) * self.amount
        levels = np.linspace(0, 1, 256) ** ((1 + self.amount) ** (bend / max(self.amount, 1e-6)))
        levels = (levels - 0.5) * (1 + contrast) + 0.5 + brightness / 2
        return cv2.LUT(picture, np.clip(levels * 255, 0, 255).astype(np.uint8))


class Invert(Augmentation):
    """Light text on dark ground and the other way round."""

    chance: Amount = 0.05

    def apply(self, picture: Image, rng: np.random.Generator) -> Image:  # noqa: ARG002
        return 255 - picture


class Blur(Augmentation):
    """Gaussian blur."""

    chance: Amount = 0.2
    sigma: float = Field(1.0, gt=0, le=10, description="Largest standard deviation in pixels.")

    def apply(self, picture: Image, rng: np.random.Generator) -> Image:
        return cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, max(0.31, self.sigma)))


class Rescale(Augmentation):
    """Shrunk and enlarged again, as low resolution does."""

    chance: Amount = 0.2
    smallest: float = Field(0.5, gt=0.05, le=1, description="Smallest factor.")

    def apply(self, picture: Image, rng: np.random.Generator) -> Image:
        height, width = picture.shape[:2]
        factor = rng.uniform(self.smallest, 1)
        small = (max(1, round(width * factor)), max(1, round(height * factor)))
        return cv2.resize(
            cv2.resize(picture, small, interpolation=cv2.INTER_AREA), (width, height), interpolation=cv2.INTER_LINEAR
        )


class Noise(Augmentation):
    """Gaussian noise, the same on all channels."""

    chance: Amount = 0.2
    sigma: float = Field(12.0, gt=0, le=128, description="Largest standard deviation in grey levels.")

    def apply(self, picture: Image, rng: np.random.Generator) -> Image:
        noise = rng.standard_normal(picture.shape[:2], np.float32) * rng.uniform(0, self.sigma)
        return np.clip(picture + noise[..., None], 0, 255).astype(np.uint8)


class Jpeg(Augmentation):
    """JPEG artefacts."""

    chance: Amount = 0.2
    worst: int = Field(30, ge=1, le=100, description="Lowest quality.")

    def apply(self, picture: Image, rng: np.random.Generator) -> Image:
        quality = int(rng.integers(self.worst, 96))
        _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
        return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


PHOTOMETRIC: dict[str, type[Augmentation]] = {
    "tone": Tone,
    "invert": Invert,
    "blur": Blur,
    "rescale": Rescale,
    "noise": Noise,
    "jpeg": Jpeg,
}
GEOMETRIC_LINE: dict[str, type[Augmentation]] = {"stretch": Stretch, "margin": Margin, "turn": Turn}


def steps_for(task: Task) -> dict[str, type[Augmentation]]:
    """Steps by name. Pages are scaled and cropped by the trainer itself, so that outlines move along."""
    return PHOTOMETRIC if task == "det" else GEOMETRIC_LINE | PHOTOMETRIC


def build_augmentation(task: Task, choices: Sequence[PluginChoice] | None) -> tuple[Augmentation, ...]:
    """Steps as configured; None stands for all of the task with their usual options. Raises ConfigError."""
    known = steps_for(task)
    if choices is None:
        return tuple(step() for step in known.values())
    steps = []
    for number, choice in enumerate(choices):
        if choice.name not in known:
            hint = did_you_mean(choice.name, known)
            names = ", ".join(known)
            raise ConfigError(f"augment.{number}: no augmentation {choice.name!r} for {task}{hint} Known: {names}.")
        steps.append(validate(known[choice.name], choice.options, f"augment.{number}"))
    return tuple(steps)


def augment(picture: Image, steps: Sequence[Augmentation], rng: np.random.Generator) -> Image:
    """The picture after all steps in order."""
    for step in steps:
        picture = step(picture, rng)
    return picture
