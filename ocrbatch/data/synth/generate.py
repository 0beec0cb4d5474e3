"""Writes a data set of rendered pictures: item i depends only on the seed and i, whatever the number of workers."""

from __future__ import annotations

import json
import multiprocessing as mp
import os
import signal
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

import ocrbatch
from ocrbatch.data.labels import LABEL_FILE
from ocrbatch.data.synth.optics import Pixels, Rng
from ocrbatch.errors import OcrbatchError, OutputError


class Maker(Protocol):
    """Makes one item: a picture, uint8 (h, w) or (h, w, 3) RGB, and its label without image, width and height.

    It is sent to the workers, so it must be picklable.
    """

    def __call__(self, rng: Rng) -> tuple[Pixels, dict[str, Any]]: ...


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
    """Writes ``out``/images, ``out``/labels.jsonl and ``out``/synth.json (seed, the count asked for, version and
    ``about``).

    Where ``out`` holds the beginning of the same data set it goes on (a larger ``count`` makes more of it). ``on_item``
    is called with the number of finished items. Raises OutputError when ``out`` holds anything else or cannot be
    written, and what a maker raises; with several workers that is an OutputError, too, unless it is an OcrbatchError.
    Interrupted, it stops its workers; labels.jsonl lists the finished items.
    """
    facts = {"version": ocrbatch.__version__, "seed": seed, "count": count, **(about or {})}
    try:
        done = _start(out, facts)
        rows = _rows(maker, out, seed, range(done, count), max(1, min(workers, count - done)))
        with (out / LABEL_FILE).open("a", encoding="utf-8") as labels, closing(rows):
            for number, row in enumerate(rows, done + 1):
                labels.write(json.dumps(row, ensure_ascii=False) + "\n")
                on_item(number)
    except OSError as error:
        raise OutputError(f"Cannot go on writing {out} ({error}): see to it, then start again.") from error


def _start(out: Path, facts: dict[str, Any]) -> int:
    """How many items ``out`` holds already; writes synth.json. Raises OutputError if they are of other ``facts``."""
    record = out / "synth.json"
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        if not record.is_file():
            raise OutputError(f"{out} is not an empty folder: give another --out, or delete it first.")
        then, now = _recorded(record), json.loads(json.dumps(facts))
        other = sorted(key for key in {*then, *now} - {"count"} if then.get(key) != now.get(key))
        if other:
            raise OutputError(
                f"{out} holds a data set with another {', '.join(other)}: give another --out, or delete it."
            )
    out.mkdir(parents=True, exist_ok=True)
    fresh = record.with_suffix(".new")  # a disk that is full leaves the former record
    fresh.write_text(json.dumps(facts, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    fresh.replace(record)
    return _finished(out / LABEL_FILE)


def _recorded(record: Path) -> dict[str, Any]:
    """What synth.json says. Raises OutputError."""
    try:
        facts = json.loads(record.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        facts = None
    if not isinstance(facts, dict):
        raise OutputError(f"{record} is damaged or not of `ocrbatch data synth`: give another --out.")
    return facts


def _finished(labels: Path) -> int:
    """Number of whole rows; what stands behind the last of them (a kill in mid-row) is cut off."""
    if not labels.exists():
        return 0
    data = labels.read_bytes()
    whole = data.rfind(b"\n") + 1
    os.truncate(labels, whole)
    return data.count(b"\n", 0, whole)


def make_item(maker: Maker, out: Path, seed: int, number: int) -> dict[str, Any]:
    """Makes and writes item ``number``; returns its row for labels.jsonl."""
    rng = np.random.default_rng([seed, number])
    picture, label = maker(rng)
    suffix, options = _encoding(rng, picture)
    name = f"images/{number // 1000:03d}/{number:06d}{suffix}"
    pixels = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(suffix, pixels, options)
    (out / name).parent.mkdir(parents=True, exist_ok=True)
    (out / name).write_bytes(data.tobytes())
    return {"image": name, "width": picture.shape[1], "height": picture.shape[0], **label}


def _encoding(rng: Rng, picture: Pixels) -> tuple[str, list[int]]:
    """Black and white pictures as PNG, the others mostly as JPEG, so that the files stay small."""
    two_tone = picture.ndim == 2 and int(((picture > 8) & (picture < 247)).sum()) == 0
    if two_tone or rng.random() < 0.06:
        return ".png", [cv2.IMWRITE_PNG_COMPRESSION, 4]
    return ".jpg", [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(70, 97))]


def _rows(maker: Maker, out: Path, seed: int, numbers: range, workers: int) -> Generator[dict[str, Any]]:
    """Rows in order. A pipe holds what its worker is ahead, so none runs far ahead of the others."""
    if workers == 1:
        yield from (make_item(maker, out, seed, number) for number in numbers)
        return
    context = mp.get_context("spawn")
    crew: list[tuple[Any, Connection]] = []
    try:
        for worker in range(workers):
            receiver, sender = context.Pipe(duplex=False)
            shard = (maker, out, seed, numbers[worker::workers], sender)
            process = context.Process(target=_work, args=shard, daemon=True)
            process.start()
            sender.close()
            crew.append((process, receiver))
        for place, number in enumerate(numbers):
            yield _receive(crew[place % workers][1], number)
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


def _work(maker: Maker, out: Path, seed: int, numbers: range, sender: Connection) -> None:
    """A worker process: makes its items in order and sends their rows, or the error that stops it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent stops its workers
    cv2.setNumThreads(1)
    for number in numbers:
        try:
            sender.send(make_item(maker, out, seed, number))
        except BrokenPipeError:
            return
        except (OcrbatchError, OSError) as error:
            sender.send(error)
            return
        except Exception as error:
            sender.send(OutputError(f"Item {number} cannot be made: {type(error).__name__}: {error}"))
            return
