"""Writes a data set of rendered pictures: item i depends only on the seed and i, whatever the number of workers."""

from __future__ import annotations

import json
import multiprocessing as mp
import signal
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

import ocrbatch
from ocrbatch.data.synth.optics import Pixels, Rng
from ocrbatch.errors import InputError, OutputError


class Maker(Protocol):
    """Makes one item: a picture, uint8 (h, w) or (h, w, 3) RGB, and its label without image, width and height.

    It is sent to the workers, so it must be picklable.
    """

    def __call__(self, rng: Rng) -> tuple[Pixels, dict[str, Any]]: ...


@dataclass(frozen=True, slots=True)
class Shard:
    """What one worker makes: every ``step``-th item from ``first`` on."""

    maker: Maker
    out: Path
    seed: int
    first: int
    step: int
    count: int


def generate(
    maker: Maker,
    out: Path,
    *,
    count: int,
    seed: int,
    workers: int = 1,
    about: Mapping[str, Any] | None = None,
    on_item: Callable[[int], None] = lambda _: None,
) -> None:
    """Writes ``out``/images, ``out``/labels.jsonl and ``out``/synth.json (seed, count, version and ``about``).

    ``on_item`` is called with the number of finished items. Raises OutputError when ``out`` holds anything already, and
    what a maker raises. Interrupted, it stops its workers; labels.jsonl then lists exactly the items finished in order.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OutputError(f"{out} is not an empty folder: give another --out, or delete it first.")
    for thousand in range((count + 999) // 1000):
        (out / "images" / f"{thousand:03d}").mkdir(parents=True, exist_ok=True)
    facts = {"version": ocrbatch.__version__, "seed": seed, "count": count, **(about or {})}
    (out / "synth.json").write_text(json.dumps(facts, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    rows = _rows(maker, out, count, seed, max(1, min(workers, count)))
    with (out / "labels.jsonl").open("w", encoding="utf-8") as labels, closing(rows):
        for number, row in enumerate(rows, 1):
            labels.write(json.dumps(row, ensure_ascii=False) + "\n")
            on_item(number)


def make_item(maker: Maker, out: Path, seed: int, number: int) -> dict[str, Any]:
    """Makes and writes item ``number``; returns its row for labels.jsonl."""
    rng = np.random.default_rng([seed, number])
    picture, label = maker(rng)
    suffix, options = _encoding(rng, picture)
    name = f"images/{number // 1000:03d}/{number:06d}{suffix}"
    pixels = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(suffix, pixels, options)
    (out / name).write_bytes(data.tobytes())
    return {"image": name, "width": picture.shape[1], "height": picture.shape[0], **label}


def _encoding(rng: Rng, picture: Pixels) -> tuple[str, list[int]]:
    """Black and white pictures as PNG, the others mostly as JPEG, so that the files stay small."""
    two_tone = picture.ndim == 2 and int(((picture > 8) & (picture < 247)).sum()) == 0
    if two_tone or rng.random() < 0.06:
        return ".png", [cv2.IMWRITE_PNG_COMPRESSION, 4]
    return ".jpg", [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(70, 97))]


def _rows(maker: Maker, out: Path, count: int, seed: int, workers: int) -> Generator[dict[str, Any]]:
    """Rows in order. A pipe holds what its worker is ahead, so none runs far ahead of the others."""
    if workers == 1:
        yield from (make_item(maker, out, seed, number) for number in range(count))
        return
    context = mp.get_context("spawn")
    crew: list[tuple[Any, Connection]] = []
    try:
        for first in range(workers):
            receiver, sender = context.Pipe(duplex=False)
            shard = Shard(maker, out, seed, first, workers, count)
            process = context.Process(target=_work, args=(shard, sender), daemon=True)
            process.start()
            sender.close()
            crew.append((process, receiver))
        for number in range(count):
            yield _receive(crew[number % workers][1], number)
    finally:
        for process, receiver in crew:
            process.terminate()
            process.join()
            receiver.close()


def _receive(receiver: Connection, number: int) -> dict[str, Any]:
    try:
        row = receiver.recv()
    except EOFError:
        raise OutputError(f"The worker that made item {number} died: start again with fewer --workers.") from None
    if isinstance(row, BaseException):
        raise row
    return row


def _work(shard: Shard, sender: Connection) -> None:
    """A worker process: makes its items in order and sends their rows, or the error that stops it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent stops its workers
    cv2.setNumThreads(1)
    try:
        for number in range(shard.first, shard.count, shard.step):
            sender.send(make_item(shard.maker, shard.out, shard.seed, number))
    except BrokenPipeError:
        return
    except (InputError, OutputError) as error:
        sender.send(error)
    except OSError as error:
        sender.send(OutputError(f"Cannot write into {shard.out} ({error}): free some space or give another --out."))
