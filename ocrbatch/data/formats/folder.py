"""Pictures of lines, each with its text in a file beside it: ``x.png`` (or ``x.bin.png``) and ``x.gt.txt``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ocrbatch.charset import normalize
from ocrbatch.data.formats.parsing import PICTURES, contents, decoded, files_below
from ocrbatch.data.label_types import Flaw, LineLabel
from ocrbatch.errors import InputError

TEXT_SUFFIX = ".gt.txt"


def lines(folder: Path) -> Iterator[LineLabel | Flaw]:
    """Line labels of a folder. Raises InputError when it cannot be read."""
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder: labels in the format folder are pictures with a .gt.txt beside each.")
    texts = {path for path in files_below(folder, (".txt",)) if path.name.endswith(TEXT_SUFFIX)}
    used = set()
    for image in files_below(folder, PICTURES):
        path = next((path for path in _names(image) if path in texts), None)
        if path is None:
            yield Flaw(str(image), f"no text file {image.stem}{TEXT_SUFFIX} lies beside it")
            continue
        used.add(path)
        yield _label(image, path)
    for path in sorted(texts - used):
        yield Flaw(str(path), "no picture of that name lies beside it")


def line_text(label: LineLabel) -> str | None:
    """The text file of a line; None when the format cannot hold its text."""
    text = label.text
    return None if "\n" in text or text.endswith("\r") or text.startswith("\ufeff") else text + "\n"


def _names(image: Path) -> Iterator[Path]:
    """Text files that may belong to a picture: ``a.bin.png`` has a.bin.gt.txt or a.gt.txt."""
    stem = image.stem
    while stem:
        yield image.with_name(stem + TEXT_SUFFIX)
        stem = stem.rpartition(".")[0]


def _label(image: Path, path: Path) -> LineLabel | Flaw:
    rows = contents(path).removesuffix(b"\n").split(b"\n")
    if len(rows) > 1:
        return Flaw(str(path), f"{len(rows)} lines of text stand where one is needed")
    try:
        return LineLabel(image, normalize(decoded(rows[0])))
    except ValueError as error:
        return Flaw(str(path), str(error))
