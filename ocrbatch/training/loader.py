"""Batches in order from worker processes that live as long as the training and hold no framework.

Each worker has one pipe and a bounded number of steps to prepare ahead. Which worker makes a batch has no influence on
it, so any number of workers gives the same training.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from multiprocessing.connection import Connection
from types import TracebackType

from ocrbatch.errors import OcrbatchError, TrainingError
from ocrbatch.training.samples import Batch, BatchSource


class BatchLoader:
    """Context manager that prepares batches ahead; ``workers=0`` prepares each when it is asked for."""

    def __init__(self, source: BatchSource, *, workers: int, look_ahead: int) -> None:
        self._source = source
        self._look_ahead = look_ahead
        context = multiprocessing.get_context("spawn")
        self._pipes: list[Connection] = []
        self._processes = []
        for _ in range(workers):
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(theirs, source), daemon=True)
            process.start()
            theirs.close()
            self._pipes.append(ours)
            self._processes.append(process)

    def batches(self, start: int, stop: int) -> Iterator[Batch]:
        """Batches of the steps from ``start`` to before ``stop``. Raises the error that a worker met."""
        if not self._pipes:
            yield from (self._source(step) for step in range(start, stop))
            return
        ahead = min(stop, start + self._look_ahead * len(self._pipes))
        for step in range(start, ahead):
            self._pipe(step).send(step)
        for step in range(start, stop):
            batch = self._receive(step)
            if ahead < stop:
                self._pipe(ahead).send(ahead)
                ahead += 1
            yield batch

    def _pipe(self, step: int) -> Connection:
        return self._pipes[step % len(self._pipes)]

    def _receive(self, step: int) -> Batch:
        try:
            answer = self._pipe(step).recv()
        except (EOFError, ConnectionError) as error:
            raise TrainingError(
                f"A data worker died while it prepared step {step} (out of memory?): start again with --resume, "
                "perhaps with fewer workers (--set data.workers=0 runs in one process)."
            ) from error
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        """Ends the workers."""
        for pipe in self._pipes:
            pipe.close()
        for process in self._processes:
            process.terminate()
            process.join()
        self._pipes, self._processes = [], []

    def __enter__(self) -> BatchLoader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _work(pipe: Connection, source: BatchSource) -> None:
    import signal

    import cv2

    # The main process decides when to stop; a Ctrl-C reaches the whole group.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    cv2.setNumThreads(1)
    while True:
        try:
            step = pipe.recv()
        except (EOFError, ConnectionError):
            return
        try:
            answer: Batch | Exception = source(step)
        except OcrbatchError as error:
            answer = error
        except Exception as error:
            answer = TrainingError(f"Preparing step {step} failed: {type(error).__name__}: {error}")
        try:
            pipe.send(answer)
        except (BrokenPipeError, ConnectionError):
            return
