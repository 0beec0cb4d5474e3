"""A worker process: it loads the models once and answers units until its pipe closes."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from multiprocessing import connection, parent_process
from typing import Any

READING = "ocrbatch.pipeline.process:build_processor"
"""What builds the processor that reads pages."""

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_LAST_SECONDS = 5.0


def module_of(build: str) -> str:
    """The module of a function ``"package.module:function"``."""
    return build.partition(":")[0]


@dataclass(frozen=True, slots=True)
class WorkerStart:
    """How a worker gets its processor: ``build`` names a function ``"package.module:function"`` that is called with
    ``arguments`` inside the worker, and returns what turns a unit into a reply."""

    build: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    threads: int = 1

    @property
    def module(self) -> str:
        """Where the function is."""
        return module_of(self.build)


@dataclass(frozen=True, slots=True)
class Ready:
    """The models are loaded."""


@dataclass(frozen=True, slots=True)
class StartFailed:
    """The models could not be loaded."""

    error: Exception


@dataclass(frozen=True, slots=True)
class UnitFailed:
    """A unit ended in an error that no page's row could take, such as a result that does not fit into a row."""

    kind: str
    message: str


def work(pipe: connection.Connection, module: str, threads: int, scratch: str) -> None:
    """Main function of the process. It imports ``module`` and then takes its :class:`WorkerStart` from the pipe. Numpy
    and the like are first imported here, after the thread variables are set. Temporary files go to the folder
    ``scratch``, for a process that is killed leaves them behind."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group: the driver decides
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, str(threads)))
    tempfile.tempdir = scratch
    _silence()
    _end_with_parent(scratch)
    try:
        import_module(module)
        start = _told(pipe)
        if start is None:
            _clean_up_after_parent(scratch)
            return
        process = _function(start)(**start.arguments)
        gc.freeze()  # models and modules stay: looking through them again and again took half a percent of the time
    except Exception as error:
        pipe.send(StartFailed(_portable(error)))
        return
    try:
        pipe.send(Ready())
        while True:
            pipe.send(_answer(process, pipe.recv(), pipe))
    except (EOFError, OSError):  # the driver is gone, or has no more work
        _clean_up_after_parent(scratch)


def _told(pipe: connection.Connection) -> WorkerStart | None:
    """What to do; None where the driver ended before it knew."""
    try:
        start: WorkerStart = pipe.recv()
    except (EOFError, OSError):
        return None
    return start


def _function(start: WorkerStart) -> Callable[..., Any]:
    module, _, name = start.build.partition(":")
    function: Callable[..., Any] = getattr(import_module(module), name)
    return function


def _answer(process: Callable[..., Any], unit: Any, pipe: connection.Connection) -> Any:
    try:
        return process(unit, pipe.send)
    except OSError:
        raise
    except Exception as error:
        return UnitFailed(type(error).__name__, str(error) or repr(error))


def _silence() -> None:
    """Libraries written in C complain on stdout and stderr about damaged files; rows say it better."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(nowhere, descriptor)


def _end_with_parent(scratch: str) -> None:
    """Also end when the driver is killed while this process is deep in a computation, and clean up in its place."""
    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        connection.wait([parent.sentinel])
        shutil.rmtree(scratch, ignore_errors=True)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _clean_up_after_parent(scratch: str) -> None:
    """Nobody is at the other end of the pipe. A driver that lives kills this process at once and cleans up; after
    one that was killed, the thread that watches may not get to it before this process ends."""
    parent = parent_process()
    if parent is None:
        return
    parent.join(_LAST_SECONDS)
    if not parent.is_alive():
        shutil.rmtree(scratch, ignore_errors=True)


def _portable(error: Exception) -> Exception:
    """The error itself where it belongs to ocrbatch and pickles, else its words."""
    from ocrbatch.errors import OcrbatchError

    if isinstance(error, OcrbatchError):
        return type(error)(str(error))
    return RuntimeError(f"{type(error).__name__}: {error}")
