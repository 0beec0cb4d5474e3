"""LMDB databases of the deep-text-recognition kind: ``num-samples``, and ``image-%09d`` and ``label-%09d`` from 1."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ocrbatch.charset import normalize
from ocrbatch.data.label_types import Flaw, LineLabel
from ocrbatch.errors import InputError, OutputError

FILE = "data.mdb"

_COUNT = b"num-samples"
_SLACK = 16 * 1024  # per record: pages of the tree, and values rounded up to pages
_MARKS = (
    (b"\xff\xd8\xff", ".jpg"), (b"\x89PNG", ".png"), (b"GIF8", ".gif"), (b"BM", ".bmp"), (b"RIFF", ".webp"),
    (b"II*\0", ".tif"), (b"MM\0*", ".tif"),
)  # fmt: skip


def lines(folder: Path) -> Iterator[LineLabel | Flaw]:
    """No label names a file here. Raises InputError, which says what to do."""
    raise InputError(
        f"The pictures of {folder} lie inside a database: take them out with "
        f"`ocrbatch data convert {folder} OUT --to labels`, and use OUT."
    )


def extract(folder: Path, pictures: Path) -> Iterator[LineLabel | Flaw]:
    """Writes every picture as a file into ``pictures``, as it is, and yields its label. Raises InputError."""
    with _opened(folder) as transaction:
        count = _count(transaction, folder)
        for number in range(1, count + 1):
            image, text = transaction.get(b"image-%09d" % number), transaction.get(b"label-%09d" % number)
            where = f"{folder}, sample {number}"
            try:
                yield LineLabel(_write(pictures, number, image), _text(text))
            except ValueError as error:
                yield Flaw(where, str(error))


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
                    data = path.read_bytes()
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


def is_database(path: Path) -> bool:
    """Whether a folder, or a file in it, is an LMDB database."""
    return path.name == FILE or (path / FILE).is_file()


@contextmanager
def _opened(folder: Path) -> Iterator[Any]:
    lmdb = _package()
    folder = folder.parent if folder.name == FILE else folder
    if not (folder / FILE).is_file():
        raise InputError(f"{folder} holds no LMDB database: there is no {FILE} in it.")
    try:
        with (
            lmdb.open(str(folder), readonly=True, lock=False, readahead=False) as database,
            database.begin() as reading,
        ):
            yield reading
    except lmdb.Error as error:
        raise InputError(f"Cannot read the database {folder}: {error}.") from error


def _package() -> Any:
    try:
        import lmdb
    except ImportError as error:
        raise InputError(
            "LMDB databases need the package lmdb: install it with `pip install 'ocrbatch[lmdb]'`."
        ) from error
    return lmdb


def _count(transaction: Any, folder: Path) -> int:
    stored = transaction.get(_COUNT)
    if stored is None or not stored.isdigit():
        raise InputError(f"{folder} is no database of lines: it has no number under {_COUNT.decode()!r}.")
    return int(stored)


def _write(pictures: Path, number: int, data: bytes | None) -> Path:
    if not data:
        raise ValueError("there is no picture")
    suffix = next((suffix for mark, suffix in _MARKS if data.startswith(mark)), None)
    if suffix is None:
        raise ValueError("what is stored as its picture is in no known format")
    path = pictures / f"{number // 1000:06d}" / f"{number:09d}{suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def _text(data: bytes | None) -> str:
    if data is None:
        raise ValueError("there is no label")
    try:
        return normalize(data.decode())
    except UnicodeDecodeError as error:
        raise ValueError(f"the label is not UTF-8 text ({error})") from error
