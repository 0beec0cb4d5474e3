"""The journal of a run: all that was read so far, in a folder beside the output.

Each start appends a segment of its own, a file of frames: 4 bytes mark, 4 bytes length, 4 bytes CRC-32 (little endian),
then the content. The first frame of a segment holds the settings, each other one the facts about a unit as JSON and its
rows as an Arrow record batch. What was cut off by a kill, or damaged on the disk, is as if it had never been read.
"""

from __future__ import annotations

import json
import os
import re
import struct
import time
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

from ocrbatch.errors import OutputError
from ocrbatch.outputs.rows import SCHEMA
from ocrbatch.pipeline.units import SpanReport

_MARK = b"\xf0OB1"
_HEAD = struct.Struct("<4sII")
_FACTS = struct.Struct("<I")
_SUFFIX = ".segment"
_LONGEST = 1 << 31
_NUMBER = re.compile(r"[0-9]{6}|[1-9][0-9]{6,11}")  # as segments are called; others are not ours


@dataclass(frozen=True, slots=True)
class Place:
    """Where a frame stands: number of the segment and offset in bytes."""

    segment: int
    offset: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A unit as it was written."""

    place: Place
    reports: tuple[SpanReport, ...]


class Journal:
    """The segments of a folder, which is made when it is not there. Segments are read and, once :meth:`start` was
    called, one is written. Raises OutputError when the disk refuses."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._segment = 0
        self._file: BinaryIO | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"Cannot keep a journal at {folder}: {error.strerror or error}.") from error

    @property
    def started(self) -> bool:
        """Whether a segment is being written."""
        return self._file is not None

    def settings(self) -> list[dict[str, Any]]:
        """Settings of each segment."""
        return [json.loads(content) for _, content, _ in self._segments()]

    def entries(self) -> Iterator[Entry]:
        """All entries that are whole, in the order in which they were written."""
        for number, _, frames in self._segments():
            for offset, content in frames:
                yield Entry(Place(number, offset), _reports(content))

    def rows(self, place: Place) -> pa.RecordBatch:
        """Rows of an entry. Raises OutputError when it was damaged since it was found."""
        with self._path(place.segment).open("rb") as file:
            content = _read_frame(file, place.offset)
        if not content:
            raise OutputError(f"{self._path(place.segment)} was damaged while it was in use: start again.")
        return pa.ipc.read_record_batch(pa.py_buffer(content[_facts_end(content) :]), SCHEMA)

    def last_change(self) -> float:
        """When the newest page was read, in seconds since 1970; now when none was."""
        return max((self._path(number).stat().st_mtime for number in self._numbers()), default=time.time())

    def clear(self) -> None:
        """Forget all that was read."""
        for path in [self._path(number) for number in self._numbers()] + [self.folder / "finished.json"]:
            path.unlink(missing_ok=True)

    def start(self, settings: Mapping[str, Any]) -> None:
        """Begin a segment."""
        self._segment = max(self._numbers(), default=0) + 1
        try:
            self._file = self._path(self._segment).open("xb", buffering=0)
        except OSError as error:
            raise OutputError(f"Cannot write the journal {self.folder}: {error.strerror or error}.") from error
        self._write(json.dumps(settings, sort_keys=True).encode())

    def append(self, reports: tuple[SpanReport, ...], rows: bytes) -> Entry:
        """Write an entry; it is on the disk when this returns."""
        facts = json.dumps([asdict(report) for report in reports]).encode()
        offset = self._write(_FACTS.pack(len(facts)) + facts + rows)
        return Entry(Place(self._segment, offset), reports)

    def close(self) -> None:
        """Close the segment that is being written."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, content: bytes) -> int:
        if self._file is None:
            raise ValueError("start() was not called")
        try:
            offset = self._file.tell()
            rest = memoryview(_HEAD.pack(_MARK, len(content), zlib.crc32(content)) + content)
            while rest:
                rest = rest[self._file.write(rest) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            raise OutputError(f"Cannot write the journal {self.folder}: {error.strerror or error}.") from error
        return offset

    def _segments(self) -> Iterator[tuple[int, bytes, Iterator[tuple[int, bytes]]]]:
        """Number, settings and further frames of each segment; one without settings cannot be trusted."""
        for number in self._numbers():
            frames = _frames(self._path(number))
            offset, content = next(frames, (-1, b""))
            if offset == 0:
                yield number, content, frames

    def _numbers(self) -> list[int]:
        names = (path.stem for path in self.folder.glob(f"*{_SUFFIX}"))
        return sorted(int(name) for name in names if _NUMBER.fullmatch(name))

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:06d}{_SUFFIX}"


def _frames(path: Path) -> Iterator[tuple[int, bytes]]:
    """Offset and content of the whole frames of a segment. A frame with damaged content is passed over; behind a
    damaged head nothing can be found."""
    with path.open("rb") as file:
        offset = 0
        while head := file.read(_HEAD.size):
            length = _length(head)
            if length is None:
                return
            content = file.read(length)
            if len(content) == length and zlib.crc32(content) == _HEAD.unpack(head)[2]:
                yield offset, content
            offset += _HEAD.size + length


def _read_frame(file: BinaryIO, offset: int) -> bytes:
    file.seek(offset)
    head = file.read(_HEAD.size)
    length = _length(head)
    content = file.read(length) if length else b""
    return content if length == len(content) and zlib.crc32(content) == _HEAD.unpack(head)[2] else b""


def _length(head: bytes) -> int | None:
    if len(head) < _HEAD.size:
        return None
    mark, length, _ = _HEAD.unpack(head)
    return int(length) if mark == _MARK and length < _LONGEST else None


def _facts_end(content: bytes) -> int:
    return _FACTS.size + int(_FACTS.unpack_from(content)[0])


def _reports(content: bytes) -> tuple[SpanReport, ...]:
    facts = json.loads(content[_FACTS.size : _facts_end(content)])
    return tuple(SpanReport(**{**fact, "pages": tuple(tuple(page) for page in fact["pages"])}) for fact in facts)
