"""Processes for workers: spawned before it is known what they are to do, for most of their start is imports."""

from __future__ import annotations

import multiprocessing
import shutil
import signal
import tempfile
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import connection, resource_tracker
from multiprocessing.process import BaseProcess

from ocrbatch.errors import OutputError
from ocrbatch.pipeline.worker import WorkerStart, work

Spawned = tuple[BaseProcess, connection.Connection]
"""A process and the pipe to it."""


class Processes:
    """Processes of :func:`~ocrbatch.pipeline.worker.work`, which import ``module`` until they are told what to do, and
    a folder for their temporary files. Raises OutputError when there is no place for that."""

    def __init__(self, module: str, threads: int) -> None:
        self._module = module
        self._threads = threads
        self._context = multiprocessing.get_context("spawn")
        self._scratch = _scratch()
        self._waiting: deque[Spawned] = deque()
        self._start: WorkerStart | None = None

    @classmethod
    def told(cls, start: WorkerStart) -> Processes:
        """For those that are all started later."""
        made = cls(start.module, start.threads)
        made.tell(start)
        return made

    def prepare(self, count: int) -> None:
        """Start ``count`` before it is known what for."""
        self._waiting.extend(self._spawn() for _ in range(count))

    def tell(self, start: WorkerStart) -> None:
        """Say once what to do, to those that wait and to all that come."""
        self._start = start
        for _, pipe in self._waiting:
            _send(pipe, start)

    def take(self) -> Spawned:
        """One of those that were started beforehand, or a new one."""
        if self._waiting:
            return self._waiting.popleft()
        process, pipe = self._spawn()
        _send(pipe, self._start)
        return process, pipe

    def close(self) -> None:
        """End those that were not taken, and remove the temporary files of all."""
        for process, pipe in self._waiting:
            pipe.close()
            process.kill()
        for process, _ in self._waiting:
            process.join()
        self._waiting.clear()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _spawn(self) -> Spawned:
        ours, theirs = self._context.Pipe()
        arguments = (theirs, self._module, self._threads, self._scratch)
        process = self._context.Process(target=work, args=arguments, daemon=True)
        with _interrupts_held():
            process.start()
        theirs.close()
        return process, ours


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back, from this process for a moment and from what it starts for good: a process that has not come
    to ignore it yet would end in a traceback."""
    if not hasattr(signal, "pthread_sigmask"):  # not a POSIX system
        yield
        return
    resource_tracker.ensure_running()  # which process.start() would do, and let interrupts through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _send(pipe: connection.Connection, start: WorkerStart | None) -> None:
    try:
        pipe.send(start)
    except OSError:  # the process just died, as who reads from the pipe will find
        return


def _scratch() -> str:
    try:
        return tempfile.mkdtemp(prefix="ocrbatch-")
    except OSError as error:
        raise OutputError(f"Cannot make a temporary folder (see TMPDIR): {error.strerror or error}.") from error
