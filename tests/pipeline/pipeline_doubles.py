"""Tiny stand-ins for models, fast and exact, and pages that make them fail."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from ocrbatch.config.run import TileConfig
from ocrbatch.config.schema import DetectorInput
from ocrbatch.contracts import Detection, PageFit, Reading
from ocrbatch.data.images import Reading as HowToRead
from ocrbatch.data.images import load_decoders
from ocrbatch.outputs.pictures import Drawing
from ocrbatch.pipeline.batch import Batch, Summary, run_batch
from ocrbatch.pipeline.chain import Chain
from ocrbatch.pipeline.detect import Detector
from ocrbatch.pipeline.driver import Progress
from ocrbatch.pipeline.process import Processor
from ocrbatch.pipeline.recognize import Recognizer
from ocrbatch.pipeline.worker import WorkerStart
from ocrbatch.plugin_system.host import Host
from ocrbatch.types import TextRegion

MODELS = ("a-detector", "a-recognizer")
CRASH, KILL, HANG, ERROR, GARBAGE = range(1, 6)


def page(*texts: tuple[int, int, int, int], size: tuple[int, int] = (120, 160), fate: int = 0) -> np.ndarray:
    """A white page of ``size`` (height, width) with dark boxes (left, top, width, height). Its first pixel seals its
    fate: what the detector does on it."""
    picture = np.full((*size, 3), 255, np.uint8)
    for number, (left, top, width, height) in enumerate(texts):
        picture[top : top + height, left : left + width] = 10 * (number % 18 + 1)
    picture[0, 0] = (255, 255 - fate, 255)
    return picture


def write_page(path: Path, *texts: tuple[int, int, int, int], fate: int = 0, **save: Any) -> Path:
    """Save :func:`page` (as PNG unless the name says otherwise)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(page(*texts, fate=fate)).save(path, **save)
    return path


def write_tiff(path: Path, n_pages: int, fates: dict[int, int] | None = None) -> Path:
    """A TIFF of several pages; page n has a box n + 5 pixels wide."""
    pages = [Image.fromarray(page((10, 10, n + 5, 8), fate=(fates or {}).get(n, 0))) for n in range(n_pages)]
    pages[0].save(path, save_all=True, append_images=pages[1:], compression="tiff_deflate")
    return path


@dataclass(frozen=True)
class BoxCodec:
    """Finds dark connected components."""

    side: int = 8192

    def encode(self, picture: np.ndarray) -> tuple[np.ndarray, PageFit]:
        height, width = picture.shape[:2]
        scale = min(1.0, self.side / max(height, width))
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else picture
        return small, PageFit(small.shape[1] / width, small.shape[0] / height, height, width)

    def decode(self, outputs: Sequence[np.ndarray], fit: PageFit) -> list[Detection]:
        dark = (outputs[0].max(axis=2) < 200).astype(np.uint8)
        count, _, boxes, _ = cv2.connectedComponentsWithStats(dark)
        scale = np.array([fit.scale_x, fit.scale_y], np.float32)
        found = []
        for left, top, width, height, _area in boxes[1:count]:
            quad = [[left, top], [left + width, top], [left + width, top + height], [left, top + height]]
            found.append(Detection(np.array(quad, np.float32) / scale, 0.9))
        return found


@dataclass(frozen=True)
class FateSession:
    """Gives the picture back, or does what its first pixel says."""

    delay: float = 0.0

    def __call__(self, batch: np.ndarray) -> tuple[np.ndarray, ...]:
        time.sleep(self.delay)
        fate = 255 - int(batch[0, 0, 0, 1]) if tuple(batch[0, 0, 0, [0, 2]]) == (255, 255) else 0
        if fate == CRASH:
            os._exit(7)
        if fate == KILL:
            os.kill(os.getpid(), signal.SIGKILL)
        if fate == HANG:
            time.sleep(3600)
        if fate == ERROR:
            raise ValueError("this page cannot be looked at")
        if fate == GARBAGE:
            return (np.zeros((1, 3), np.float32),)
        return (batch,)


@dataclass(frozen=True)
class GreyCodec:
    """Reads a line as its number of dark columns and its grey value."""

    widths: tuple[int, ...] = (16, 32, 64, 128)

    def encode(self, line: np.ndarray) -> tuple[np.ndarray, float]:
        width = min(line.shape[1], self.widths[-1])
        target = next(step for step in self.widths if step >= width)
        fitted = np.full((8, target, 3), 255, np.uint8)
        fitted[:, :width] = cv2.resize(line, (width, 8), interpolation=cv2.INTER_NEAREST)
        return fitted, width / target

    def decode(self, outputs: Sequence[np.ndarray], used: Sequence[float]) -> list[Reading]:
        return [self._one(line, share) for line, share in zip(outputs[0], used, strict=True)]

    def _one(self, line: np.ndarray, share: float) -> Reading:
        width = round(line.shape[1] * share)
        text = f"w{width} g{int(np.median(line[:, :width]))}"
        edges = np.linspace(0, share, len(text) + 1, dtype=np.float32)
        return Reading(text, 0.8, np.stack([edges[:-1], edges[1:]], axis=1))


@dataclass(frozen=True)
class Same:
    """Gives the batch back."""

    def __call__(self, batch: np.ndarray) -> tuple[np.ndarray, ...]:
        return (batch,)


def tiny_chain(side: int = 8192, delay: float = 0.0) -> Chain:
    """A chain that reads dark boxes."""
    detector = Detector(BoxCodec(side), FateSession(delay), DetectorInput(limit_side=side), TileConfig(), MODELS[0])
    recognizer = Recognizer(GreyCodec(), Same(), 16, 1.5, MODELS[1])
    return Chain(detector, recognizer, (), HowToRead(dpi=72, pixel_limit=4_000_000))


def build(delay: float = 0.0, drawing: Drawing | None = None) -> Processor:
    """What workers build."""
    load_decoders()
    return Processor(tiny_chain(delay=delay), drawing)


def stand_in(folder: Path) -> Any:
    """A folder for each store that has no server here, in place of ``ocrbatch.data.places.open_store``."""
    from fsspec.implementations.dirfs import DirFileSystem
    from fsspec.implementations.local import LocalFileSystem
    from pyarrow.fs import FSSpecHandler, PyFileSystem

    def open_store(scheme: str, netloc: str, query: str) -> tuple[Any, str]:  # noqa: ARG001
        store = DirFileSystem(str(folder / scheme), LocalFileSystem(auto_mkdir=True))
        base = {"gs": f"{netloc}/", "abfs": f"{netloc.partition('@')[0]}/", "hdfs": "/"}[scheme]
        return PyFileSystem(FSSpecHandler(store)), base

    return open_store


def stand_in_build(folder: Path) -> Processor:
    """What workers build where stores are folders."""
    from ocrbatch.data import places

    places.open_store = stand_in(folder)
    places.refuse_azure = lambda *_: None  # type: ignore[assignment]
    return build()


@dataclass(frozen=True)
class Misfit:
    """A postprocessor whose regions fit into no row when there are two of them."""

    def __call__(self, regions: tuple[TextRegion, ...], width: int, height: int) -> tuple[TextRegion, ...]:  # noqa: ARG002
        return tuple(replace(one, order="first") for one in regions) if len(regions) == 2 else regions  # type: ignore


def misfit_build() -> Processor:
    """A chain with a bad plugin."""
    return Processor(replace(tiny_chain(), post=(Misfit(),)))


def guarded_build(host: Host) -> Processor:
    """A chain that is only built where the blocked plugins of ``host`` were never imported."""
    blocked = [row for row in host.rows if row.status == "blocked"]
    if not blocked or any(f"ocrbatch_{row.entry_point}.plugin" in sys.modules for row in blocked):
        raise ValueError(f"not blocked here: {blocked}")
    return build()


def broken_build() -> Processor:
    """Models that cannot be loaded."""
    raise ValueError("no such model")


def dying_build() -> Processor:
    """Models that take the process with them."""
    os._exit(3)


@dataclass
class Quiet:
    """A watch that remembers, and stops after some pages when told to."""

    stop_after: int = 1_000_000_000
    last: Progress = field(default_factory=Progress)
    lines: list[str] = field(default_factory=list)

    def progress(self, progress: Progress) -> None:
        self.last = progress

    def log(self, message: str) -> None:
        self.lines.append(message)

    def stopping(self) -> bool:
        return self.last.read >= self.stop_after


def batch(
    *paths: Path | str, out: Path | str, build: str = "build", arguments: dict[str, Any] | None = None, **told: Any
) -> Batch:
    """A batch of the doubles."""
    start = WorkerStart(f"pipeline_doubles:{build}", arguments or {})
    told = {"settings": {"dpi": 72}, "models": MODELS, "workers": 1, "timeout": 20.0, **told}
    return Batch([str(path) for path in paths], out, start, **told)


def run(*paths: Path | str, out: Path | str, watch: Quiet | None = None, **told: Any) -> Summary:
    """Run a batch of the doubles."""
    return run_batch(batch(*paths, out=out, **told), watch or Quiet())
