"""What the host knows about each plugin: one frozen row per algorithm, or per entry point that did not load."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from ocrbatch.api import (
    BackbonePlugin,
    Descriptor,
    DetectorPlugin,
    EnginePlugin,
    PostprocessorPlugin,
    RecognizerPlugin,
)

Status = Literal["ok", "failed", "blocked", "conflict"]


class Kind(StrEnum):
    """The kinds of plugins, each with its hook."""

    BACKBONE = "backbone"
    DETECTOR = "detector"
    RECOGNIZER = "recognizer"
    POSTPROCESSOR = "postprocessor"
    ENGINE = "engine"

    @property
    def hook(self) -> str:
        """Name of the hook that returns descriptors of this kind."""
        return f"ocrbatch_{self}s"


DESCRIPTORS: dict[Kind, type[Descriptor]] = {
    Kind.BACKBONE: BackbonePlugin,
    Kind.DETECTOR: DetectorPlugin,
    Kind.RECOGNIZER: RecognizerPlugin,
    Kind.POSTPROCESSOR: PostprocessorPlugin,
    Kind.ENGINE: EnginePlugin,
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the catalogue.

    ``kind`` and ``descriptor`` are None when the plugin was not loaded, and ``name`` is then the entry point's.
    ``reason`` says why the status is not ok.
    """

    entry_point: str
    name: str
    kind: Kind | None
    distribution: str
    version: str
    status: Status
    reason: str = ""
    descriptor: Descriptor | None = None

    @property
    def provider(self) -> str:
        """Distribution and version, as in ``ocrbatch-east 1.2``."""
        return f"{self.distribution} {self.version}"
