"""What all places for results have in common: refusals, and files that are on their way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ocrbatch.data.places import Place, Stat
from ocrbatch.data.stores import reason
from ocrbatch.errors import OutputError


def check_store(place: Place) -> None:
    """Raises OutputError for a bucket that is not there, credentials that are none, or a network that is down."""
    root = place.root()
    with refusals(place.name):
        try:
            root.stat()
        except FileNotFoundError as error:
            raise OutputError(f"Cannot write {place.name}: there is no bucket {root.name}.") from error


@contextmanager
def refusals(name: str) -> Iterator[None]:
    """Errors of a file system as OutputError."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"Cannot write {name}: {reason(error)}.") from error


@contextmanager
def on_its_way(work: Path) -> Iterator[Path]:
    """A path in ``work`` for a file to upload, removed in the end."""
    path = work / "upload"
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def marked(stat: Stat) -> dict[str, Any]:
    """What tells one state of a file from another."""
    return {"size": stat.size, "mtime_ns": stat.mtime_ns}
