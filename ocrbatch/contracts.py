"""What the dotted names of plugin descriptors must resolve to, as Protocols.

Keras objects appear as ``Any`` so that importing this module, and running a bundle, never imports keras.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from ocrbatch.charset import Charset
from ocrbatch.types import Image, Polygon, TextRegion

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Networks:
    """Two ``keras.Model`` that share their layers.

    Both take a float32 image tensor (N, H, W, C), already normalised, as their input named ``image``. The training
    network may have further inputs, named like entries of the targets (teacher forcing), the inference one has none.
    """

    training: Any
    inference: Any


class BuildBackbone(Protocol):
    """Builds a functional ``keras.Model`` from an input (H, W, channels); sizes may be None.

    For ``det`` its outputs are a list of four maps at strides 4, 8, 16 and 32; for ``rec`` one map (N, 1, W / s, C) for
    lines of height 32.
    """

    def __call__(self, config: Any, *, task: Literal["det", "rec"], channels: int) -> Any: ...


class BuildDetector(Protocol):
    """Builds a detector's networks on a backbone's ``keras.Model``."""

    def __call__(self, config: Any, backbone: Any) -> Networks: ...


class BuildRecognizer(Protocol):
    """Builds a recognizer's networks on a backbone's ``keras.Model`` for a charset of ``n_characters`` (blank, sos and
    eos are the head's own)."""

    def __call__(self, config: Any, backbone: Any, n_characters: int) -> Networks: ...


class DetectorTraining(Protocol):
    """Targets (numpy, in data workers) and loss (keras.ops, in the graph) of a detector.

    Data workers import the module too: it imports keras inside ``loss`` only.
    """

    def targets(self, size: tuple[int, int], polygons: Sequence[Polygon], ignore: Sequence[bool]) -> Arrays:
        """Targets of one picture of ``size`` (height, width), polygons in its pixels; arrays of one shape per size."""
        ...

    def loss(self, targets: Mapping[str, Any], outputs: Any) -> Mapping[str, Any]:
        """Scalar tensors by name; ``loss`` is the one to minimise, others are its parts for the log."""
        ...


class RecognizerTraining(Protocol):
    """Targets (numpy, in data workers) and loss (keras.ops, in the graph) of a recognizer.

    Data workers import the module too: it imports keras inside ``loss`` only.
    """

    def targets(self, text: str) -> Arrays:
        """Targets of one line; arrays of a fixed shape. Raises KeyError for a character that the charset lacks."""
        ...

    def steps_needed(self, text: str) -> int:
        """Output steps that the network must have to emit ``text`` (CTC: length plus repeats)."""
        ...

    def loss(self, targets: Mapping[str, Any], outputs: Any) -> Mapping[str, Any]:
        """Scalar tensors by name; ``loss`` is the one to minimise, others are its parts for the log."""
        ...


class BuildDetectorTraining(Protocol):
    def __call__(self, config: Any) -> DetectorTraining: ...


class BuildRecognizerTraining(Protocol):
    def __call__(self, config: Any, charset: Charset) -> RecognizerTraining: ...


@dataclass(frozen=True, slots=True)
class PageFit:
    """How a page was fitted: network pixels = page pixels * (scale_x, scale_y); the page's own height and width."""

    scale_x: float
    scale_y: float
    height: int
    width: int


@dataclass(frozen=True, slots=True)
class Detection:
    """One detected outline in page pixels: ``points`` (4, 2), ``polygon`` (n, 2) or None, ``score`` in 0..1."""

    points: Polygon
    score: float
    polygon: Polygon | None = None


class DetectorCodec(Protocol):
    """Page to network input and network output to outlines; numpy only."""

    def encode(self, page: Image) -> tuple[NDArray[np.uint8], PageFit]:
        """Input array uint8 (H, W, C) of a page, and how it was fitted."""
        ...

    def decode(self, outputs: Sequence[NDArray[Any]], fit: PageFit) -> list[Detection]:
        """Outlines from the outputs for one page (no batch axis), in page pixels, clipped to the page."""
        ...


@dataclass(frozen=True, slots=True)
class Reading:
    """One line as read: ``score`` in 0..1 and, float32 (len(text), 2), where each character starts and ends as
    fractions of the line's width; ``scores`` of the characters, float32 (len(text),) in 0..1, when they are known."""

    text: str
    score: float
    spans: NDArray[np.float32]
    scores: NDArray[np.float32] | None = None

    def letter_scores(self) -> NDArray[np.float64]:
        """The score of each character; that of the line when only it is known."""
        return np.full(len(self.text), self.score) if self.scores is None else self.scores.astype(np.float64)


class RecognizerCodec(Protocol):
    """Line picture to network input and network output to text; numpy only."""

    def encode(self, line: Image) -> tuple[NDArray[np.uint8], float]:
        """Input array uint8 (height, W, C), W from the ladder, and the fraction of W that the line covers."""
        ...

    def decode(self, outputs: Sequence[NDArray[Any]], used: Sequence[float]) -> list[Reading]:
        """Readings of a batch (outputs have the batch axis); ``used`` as returned by ``encode``."""
        ...


class BuildDetectorCodec(Protocol):
    def __call__(self, config: Any) -> DetectorCodec: ...


class BuildRecognizerCodec(Protocol):
    def __call__(self, config: Any, charset: Charset) -> RecognizerCodec: ...


class Postprocessor(Protocol):
    """A pure function over the regions of one page: never drops one, sets ``kept``, ``order``, ``line`` and so on."""

    def __call__(self, regions: tuple[TextRegion, ...], width: int, height: int) -> tuple[TextRegion, ...]: ...


class BuildPostprocessor(Protocol):
    def __call__(self, config: Any) -> Postprocessor: ...


class Graph(Protocol):
    """What an engine can execute: the exported file, or the network itself, built only when asked for."""

    def onnx(self) -> bytes:
        """The exported file, checked against its checksum. Raises BundleError when it is damaged."""
        ...

    def keras_model(self) -> Any:
        """The inference network with normalisation inside: uint8 (N, H, W, C) in, as in the exported file."""
        ...


class Session(Protocol):
    """A loaded graph: uint8 (N, H, W, C) in, its outputs as arrays with the batch axis out."""

    def __call__(self, batch: NDArray[np.uint8]) -> tuple[NDArray[Any], ...]: ...


class Engine(Protocol):
    def open(self, graph: Graph, threads: int) -> Session: ...


class BuildEngine(Protocol):
    def __call__(self, config: Any) -> Engine: ...
