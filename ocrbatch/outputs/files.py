"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ocrbatch.errors import OutputError


@contextmanager
def replacing(target: Path, *, flush: bool = True) -> Iterator[Path]:
    """A path beside ``target`` that takes its place when all went well, flushed to the disk. Raises OutputError."""
    path = target.with_name(f".{target.name}.partial")
    try:
        yield path
        if flush:
            with path.open("rb") as file:
                os.fsync(file.fileno())
        path.replace(target)
    except OSError as error:
        raise OutputError(f"Cannot write {target}: {error.strerror or error}.") from error
    finally:
        path.unlink(missing_ok=True)
