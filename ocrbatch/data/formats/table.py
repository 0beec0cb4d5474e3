"""Which formats there are, and which one a path is in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ocrbatch.config.suggest import did_you_mean
from ocrbatch.data.formats import folder, icdar, lists, lmdb, mmocr, results
from ocrbatch.data.formats.parsing import contents, first_line, parse_json
from ocrbatch.data.label_types import Content, Flaw, LineLabel, PageLabel
from ocrbatch.errors import InputError

LABEL_FILE = "labels.jsonl"


@dataclass(frozen=True, slots=True)
class Format:
    """How a format is read; ``content`` tells pages from lines where it holds both."""

    pages: Callable[[Path], Iterator[PageLabel | Flaw]] | None = None
    lines: Callable[[Path], Iterator[LineLabel | Flaw]] | None = None
    content: Callable[[Path], Content] | None = None


FORMATS = {
    "labels": Format(lists.pages, lists.lines, lists.content),
    "paddle": Format(lists.pages, lists.lines, lists.content),
    "icdar": Format(icdar.pages),
    "mmocr": Format(mmocr.pages, mmocr.lines, mmocr.content),
    "lmdb": Format(None, lmdb.lines),
    "folder": Format(None, folder.lines),
    "results": Format(results.pages),
}
"""Formats by name."""


def find(path: Path, name: str | None = None) -> tuple[str, Path]:
    """The format of a data set and the file or folder that holds its labels. ``name`` forces a format. Raises
    InputError."""
    if name is not None and name not in FORMATS:
        raise InputError(f"There is no format {name!r}{did_you_mean(name, FORMATS)} Known: {', '.join(FORMATS)}.")
    if not path.is_dir():
        return name or _of_file(path), path
    if name is not None:
        return name, path if name in ("icdar", "lmdb", "folder") else _label_file(path, name)
    return _of_folder(path)


def content_of(name: str, source: Path) -> Content:
    """Whether a data set labels pages or lines. Raises InputError."""
    found = FORMATS[name]
    if found.content is not None:
        return found.content(source)
    return "pages" if found.pages is not None else "lines"


def _of_file(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        return "results"
    if suffix == ".mdb":
        return "lmdb"
    data = contents(path)
    if suffix == ".json":
        return _of_json(path, data)
    first = first_line(data)
    if not first.startswith("{"):
        return "labels" if suffix == ".jsonl" else "paddle"
    try:
        return "results" if results.is_row(parse_json(first)) else "labels"
    except ValueError:
        return "labels"


def _of_json(path: Path, data: bytes) -> str:
    try:
        value = parse_json(data)
    except ValueError:
        return "labels"
    if mmocr.is_mmocr(value):
        return "mmocr"
    if isinstance(value, list) and (not value or results.is_row(value[0])):
        return "results"
    if isinstance(value, dict) and "image" in value:
        return "labels"
    raise InputError(f"{path} is neither JSON of MMOCR nor results of `ocrbatch run`: name its format with --format.")


def _of_folder(path: Path) -> tuple[str, Path]:
    if (path / LABEL_FILE).is_file():
        return "labels", path / LABEL_FILE
    if next(path.rglob(f"*{folder.TEXT_SUFFIX}"), None) is not None:
        return "folder", path
    if lmdb.databases(path):
        return "lmdb", path
    if icdar.is_folder(path):
        return "icdar", path
    lists_there = _lists_of(path)
    if len(lists_there) == 1:
        return _of_file(lists_there[0]), lists_there[0]
    if lists_there:
        names = ", ".join(file.name for file in lists_there)
        raise InputError(f"{path} holds several label files ({names}): name the one that you mean.")
    raise InputError(
        f"Cannot read the labels of {path}: it holds no {LABEL_FILE}, list, JSON or text files of a known format."
    )


def _label_file(path: Path, name: str) -> Path:
    """The one file of a folder for a format that is a file."""
    if name == "labels" and (path / LABEL_FILE).is_file():
        return path / LABEL_FILE
    found = _lists_of(path)
    if len(found) != 1:
        raise InputError(f"{path} holds {len(found)} files that may be labels: name the file that you mean.")
    return found[0]


def _lists_of(path: Path) -> list[Path]:
    """Files right in a folder whose content looks like labels."""
    candidates = sorted(file for file in path.iterdir() if file.suffix.lower() in (".txt", ".tsv", ".json", ".jsonl"))
    return [file for file in candidates if file.is_file() and _looks_like_labels(file)]


def _looks_like_labels(file: Path) -> bool:
    data = contents(file)
    if file.suffix.lower() == ".json":
        try:
            return mmocr.is_mmocr(parse_json(data))
        except ValueError:
            return False
    first = first_line(data)
    if first.startswith("{"):
        return '"image"' in first
    name, tab, _ = first.partition("\t")
    return bool(tab) and Path(name).suffix != ""
