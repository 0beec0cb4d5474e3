"""LMDB databases of the deep-text-recognition kind: ``num-samples``, and ``image-%09d`` and ``label-%09d`` from 1.

A picture in a database is named like a file in it: ``DIR/data.mdb/image-000000001``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from ocrbatch.charset import normalize
from ocrbatch.data.label_types import Flaw, LineLabel
from ocrbatch.data.regular import regular
from ocrbatch.errors import InputError, OutputError

FILE = "data.mdb"

_COUNT = b"num-samples"
_SLACK = 16 * 1024  # per record: pages of the tree, and values rounded up to pages
_MARKS = (
    (b"\xff\xd8\xff", ".jpg"), (b"\x89PNG", ".png"), (b"GIF8", ".gif"), (b"BM", ".bmp"), (b"RIFF", ".webp"),
    (b"II*\0", ".tif"), (b"MM\0*", ".tif"),
)  # fmt: skip


def lines(folder: Path) -> Iterator[LineLabel | Flaw]:
    """Line labels of a database, or of all databases in the folders below. Raises InputError."""
    found = databases(folder)
    if not found:
        raise InputError(f"{folder} holds no LMDB database: there is no {FILE} in it or below.")
    for database in found:
        with _opened(database) as transaction:
            for number in range(1, _count(transaction, database) + 1):
                try:
                    text = _text(transaction.get(b"label-%09d" % number))
                    if not transaction.get(b"image-%09d" % number):
                        raise ValueError("there is no picture")
                    yield LineLabel(database / FILE / f"image-{number:09d}", text)
                except ValueError as error:
                    yield Flaw(f"{database}, sample {number}", str(error))


def databases(path: Path) -> list[Path]:
    """The folders of databases at or below a path, or the one that a file belongs to; sorted."""
    if path.name == FILE and not path.is_dir():
        return [path.parent]
    return [path] if (path / FILE).is_file() else sorted(file.parent for file in path.rglob(FILE) if file.is_file())


def is_stored(picture: Path) -> bool:
    """Whether a picture lies in a database."""
    return picture.parent.name == FILE


def stored(picture: Path) -> bytes:
    """What is stored of a picture in a database. Raises InputError."""
    with _opened(picture.parent.parent) as transaction:
        data = transaction.get(picture.name.encode())
    if data is None:
        raise InputError(f"The database {picture.parent.parent} holds no {picture.name}.")
    return bytes(data)


def extract(folder: Path, pictures: Path) -> Iterator[LineLabel | Flaw]:
    """Writes every picture as a file into ``pictures``, as it is, and yields its label. Raises InputError."""
    for number, label in enumerate(lines(folder), 1):
        if isinstance(label, Flaw):
            yield label
            continue
        data = stored(label.image)
        suffix = next((suffix for mark, suffix in _MARKS if data.startswith(mark)), None)
        if suffix is None:
            yield Flaw(str(label.image), "what is stored as its picture is in no known format")
            continue
        path = pictures / f"{number // 1000:06d}" / f"{number:09d}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        yield LineLabel(path, label.text)


def write(folder: Path, samples: Sequence[tuple[Path, str]]) -> list[Flaw]:
    """Writes a database of pictures and their texts; those whose file cannot be read are left out and returned.
    Raises InputError without the package lmdb, OutputError."""
    lmdb = _package()
    size = sum(path.stat().st_size + _SLACK for path, _ in samples if path.is_file()) + 2**20
    flaws, written = [], 0
    try:
        with lmdb.open(str(folder), map_size=size, subdir=True) as database, database.begin(write=True) as transaction:
            for path, text in samples:
                try:
                    data = regular(path).read_bytes()
                except OSError as error:
                    flaws.append(Flaw(str(path), f"cannot be read ({error.strerror})"))
                    continue
                written += 1
                transaction.put(b"image-%09d" % written, data)
                transaction.put(b"label-%09d" % written, text.encode())
            transaction.put(_COUNT, str(written).encode())
    except lmdb.Error as error:
        raise OutputError(f"Cannot write the database {folder}: {error}.") from error
    return flaws


@contextmanager
def _opened(folder: Path) -> Iterator[Any]:
    lmdb = _package()
    if not (folder / FILE).is_file():
        raise InputError(f"{folder} holds no LMDB database: there is no {FILE} in it.")
    try:
        with _environment(folder.resolve()).begin(buffers=True) as reading:
            yield reading
    except lmdb.Error as error:
        raise InputError(f"Cannot read the database {folder}: {error}.") from error


@lru_cache(maxsize=64)
def _environment(folder: Path) -> Any:
    """An open database. LMDB allows a process to open each but once, and opening takes longer than reading."""
    return _package().open(str(folder), readonly=True, lock=False, readahead=False)


def _package() -> Any:
    try:
        import lmdb
    except ImportError as error:
        raise InputError(
            "LMDB databases need the package lmdb: install it with `pip install 'ocrbatch[lmdb]'`."
        ) from error
    return lmdb


def _count(transaction: Any, folder: Path) -> int:
    stored = bytes(transaction.get(_COUNT) or b"")
    if not stored.isdigit():
        raise InputError(f"{folder} is no database of lines: it has no number under {_COUNT.decode()!r}.")
    entries = transaction.stat()["entries"]  # of a whole database: two a sample, and the count
    count = int(stored.lstrip(b"0")[:18] or b"0")  # more digits than any count has
    if count > entries:
        raise InputError(
            f"{folder} is damaged or was never finished: it holds {entries} entries, {_COUNT.decode()!r} speaks of "
            f"{count} samples."
        )
    return count


def _text(data: Any) -> str:
    if data is None:
        raise ValueError("there is no label")
    try:
        return normalize(bytes(data).decode())
    except UnicodeDecodeError as error:
        raise ValueError(f"the label is not UTF-8 text ({error})") from error
