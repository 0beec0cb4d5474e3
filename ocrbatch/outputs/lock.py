"""One run, or one training, at a time on one output."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ocrbatch.errors import OutputError

try:
    import fcntl
except ImportError:  # not a POSIX system: two runs on one output are not noticed
    fcntl = None  # type: ignore[assignment]


@contextmanager
def locked(path: Path, what: object, who: str = "run") -> Iterator[None]:
    """Hold the lock file ``path`` for as long as this process lives or the block lasts. Raises OutputError, which says
    that another ``who`` is writing ``what``."""
    try:
        file = path.open("ab")
    except OSError as error:
        raise OutputError(f"Cannot write {path}: {error.strerror or error}.") from error
    with file:
        if fcntl is not None:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise OutputError(
                    f"Another {who} is writing {what} right now: wait for it or choose another --out."
                ) from error
        yield
