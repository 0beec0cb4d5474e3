"""From one format of labels to another. Nothing is dropped or altered without being counted."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ocrbatch.data.formats import folder, icdar, lmdb, mmocr, native, paddle
from ocrbatch.data.formats.parsing import PICTURES as SUFFIXES
from ocrbatch.data.formats.table import LABEL_FILE
from ocrbatch.data.label_types import Content, Flaw, LineLabel, PageLabel
from ocrbatch.data.pictures import picture_size
from ocrbatch.errors import InputError, OutputError

Target = Literal["labels", "paddle", "icdar", "mmocr", "lmdb", "folder"]
PADDLE_FILE = "label.txt"
PICTURES = "images"

_CONTENTS: dict[Target, tuple[Content, ...]] = {
    "icdar": ("pages",),
    "lmdb": ("lines",),
    "folder": ("lines",),
}


@dataclass(eq=False)
class Conversion:
    """What became of a data set: labels ``written``, ``left_out`` with their reasons, and by kind how often the format
    could not express something that was ``altered``."""

    written: int = 0
    left_out: list[Flaw] = field(default_factory=list)
    altered: Counter[str] = field(default_factory=Counter)


def new_folder(out: Path) -> Path:
    """``out`` as a new or empty folder. Raises OutputError."""
    try:
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise OutputError(f"{out} is not an empty folder: name another one, or delete it first.")
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"Cannot make the folder {out}: {error.strerror}.") from error
    return out


def convert(
    entries: Iterable[LineLabel | PageLabel | Flaw], content: Content, out: Path, to: Target, *, copy: bool = False
) -> Conversion:
    """Writes labels into the folder ``out``, which exists. Pictures are named by their path relative to it, or copied
    into it (``icdar``, ``lmdb`` and ``folder`` always hold their pictures). Raises InputError, OutputError."""
    if not holds(to, content):
        hint = "cut lines out of the pages with --crops first" if content == "pages" else "it needs outlines on pages"
        raise InputError(f"The format {to} cannot hold {content}: {hint}.")
    done = Conversion()
    try:
        _WRITERS[to](_understood(entries, done), _Job(out, content, copy, done))
    except OSError as error:
        raise OutputError(f"Cannot go on writing {out}: {error.strerror or error}.") from error
    return done


def _understood(entries: Iterable[LineLabel | PageLabel | Flaw], done: Conversion) -> Iterator[Any]:
    for entry in entries:
        if isinstance(entry, Flaw):
            done.left_out.append(entry)
        else:
            yield entry


def holds(to: Target, content: Content) -> bool:
    """Whether a format can hold pages, or lines."""
    return content in _CONTENTS.get(to, ("pages", "lines"))


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    """What the writers share; ``done`` takes note of what happens."""

    out: Path
    content: Content
    copy: bool
    done: Conversion


class _Pictures:
    """Names of pictures as the labels in ``out`` call them, after copying them where that is asked for."""

    def __init__(self, job: _Job) -> None:
        self.out, self.copy, self.done = job.out, job.copy, job.done
        self._copied: dict[Path, str] = {}
        self._numbers: dict[str, int] = {}  # by stem, the last one that it was given

    def name(self, image: Path) -> str | None:
        """The name of a picture; None, noted, when it cannot be copied or no text can hold it."""
        named = image.name if self.copy else Path(os.path.relpath(image, self.out)).as_posix()
        if any("\ud800" <= c <= "\udfff" for c in named):
            self.done.left_out.append(
                Flaw(str(image), "its name is not UTF-8, which the format needs: rename the file")
            )
            return None
        if not self.copy:
            return named
        key = image.absolute()
        if key not in self._copied:
            name = self._file(image)
            if name is None:
                return None
            self._copied[key] = name
        return self._copied[key]

    def own(self, image: Path) -> str | None:
        """The name of a copy for this label alone, which a reader of folders finds by its suffix; None, noted, when
        there can be none."""
        if image.suffix.lower() not in SUFFIXES:
            self.done.left_out.append(Flaw(str(image), "its suffix is none by which the format finds pictures"))
            return None
        return self._file(image)

    def _file(self, image: Path) -> str | None:
        """A name that no picture has had, not even with another suffix: files of labels are called like pictures."""
        stem, number = image.stem, self._numbers.get(image.stem, 0) + 1
        while (name := stem if number == 1 else f"{stem}_{number}") in self._numbers:
            number += 1
        self._numbers |= {name: 1, stem: number}
        if number == 1 and image.absolute().is_relative_to(self.out.absolute()):
            return image.absolute().relative_to(self.out.absolute()).as_posix()  # made by this conversion
        name = f"{PICTURES}/{name}{image.suffix}"
        try:
            (self.out / PICTURES).mkdir(exist_ok=True)
            shutil.copyfile(image, self.out / name)
        except OSError as error:
            self.done.left_out.append(Flaw(str(image), f"cannot be copied ({error.strerror or error})"))
            return None
        return name


def _write_labels(labels: Iterator[LineLabel | PageLabel], job: _Job) -> None:
    pictures = _Pictures(job)
    with (job.out / LABEL_FILE).open("w", encoding="utf-8", newline="\n") as file:
        for label in labels:
            if (name := pictures.name(label.image)) is None:
                continue
            file.write(native.record(name, label) + "\n")
            job.done.written += 1


def _write_paddle(labels: Iterator[LineLabel | PageLabel], job: _Job) -> None:
    pictures = _Pictures(job)
    with (job.out / PADDLE_FILE).open("w", encoding="utf-8", newline="\n") as file:
        for label in labels:
            if (name := pictures.name(label.image)) is None:
                continue
            row, losses = paddle.row(name, label)
            if row is None:
                job.done.left_out.append(Flaw(str(label.image), f"the format has no {losses[0]}"))
                continue
            job.done.altered.update(losses)
            file.write(row + "\n")
            job.done.written += 1


def _write_icdar(labels: Iterator[PageLabel], job: _Job) -> None:
    pictures = _Pictures(job)
    for label in labels:
        if (name := pictures.own(label.image)) is None:
            continue
        text, losses = icdar.page_text(label)
        job.done.altered.update(losses)
        (job.out / name).with_name(f"gt_{Path(name).stem}.txt").write_text(text, encoding="utf-8", newline="\n")
        job.done.written += 1


def _write_folder(labels: Iterator[LineLabel], job: _Job) -> None:
    pictures = _Pictures(job)
    for label in labels:
        if (text := folder.line_text(label)) is None:
            job.done.left_out.append(Flaw(str(label.image), "the format has no texts with a line break"))
        elif (name := pictures.own(label.image)) is not None:
            beside = (job.out / name).with_name(Path(name).stem + folder.TEXT_SUFFIX)
            beside.write_text(text, encoding="utf-8", newline="\n")
            job.done.written += 1


def _write_mmocr(labels: Iterator[LineLabel | PageLabel], job: _Job) -> None:
    pictures, entries = _Pictures(job), []
    for label in labels:
        if (name := pictures.name(label.image)) is None:
            continue
        if isinstance(label, PageLabel):
            entries.append(mmocr.page_entry(name, _sized(label, job.done)))
        else:
            entries.append(mmocr.line_entry(name, label))
    text = json.dumps(mmocr.document(job.content, entries), ensure_ascii=False)
    (job.out / mmocr.FILES[job.content]).write_text(text + "\n", encoding="utf-8")
    job.done.written = len(entries)


def _write_lmdb(labels: Iterator[LineLabel], job: _Job) -> None:
    samples = [(label.image, label.text) for label in labels]
    flaws = lmdb.write(job.out, samples)
    job.done.left_out += flaws
    job.done.written = len(samples) - len(flaws)


_WRITERS: dict[Target, Callable[[Iterator[Any], _Job], None]] = {
    "labels": _write_labels,
    "paddle": _write_paddle,
    "icdar": _write_icdar,
    "mmocr": _write_mmocr,
    "lmdb": _write_lmdb,
    "folder": _write_folder,
}


def _sized(label: PageLabel, done: Conversion) -> PageLabel:
    """The label with the size of its page, which MMOCR needs."""
    if label.size is not None:
        return label
    try:
        return PageLabel(label.image, label.regions, picture_size(label.image))
    except InputError:
        done.altered["pages whose picture cannot be read (no height and width are written)"] += 1
        return label
