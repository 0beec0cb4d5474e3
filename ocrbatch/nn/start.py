"""Starting Keras without the notes that TensorFlow writes about itself."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


def start_keras() -> None:
    """Imports Keras and its backend quietly; a failure is raised as usual.

    TensorFlow writes some notes to the file descriptor before it has read its own log level, hence the detour.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _quiet_descriptor(2):
        import keras

        keras.ops.zeros(1)  # the backend speaks once more at its first operation


@contextmanager
def _quiet_descriptor(descriptor: int) -> Iterator[None]:
    sys.stderr.flush()
    kept = os.dup(descriptor)
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), descriptor)
    try:
        yield
    finally:
        os.dup2(kept, descriptor)
        os.close(kept)
