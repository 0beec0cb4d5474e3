"""Worker processes on this machine: spawned, a pipe each, so that it is always known whose unit was lost."""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing import connection
from multiprocessing.process import BaseProcess
from typing import Literal

from ocrbatch.errors import OcrbatchError, PluginError
from ocrbatch.pipeline.executor import NO_TICK, Done, Lost
from ocrbatch.pipeline.processes import Processes
from ocrbatch.pipeline.units import Tick, Unit
from ocrbatch.pipeline.worker import Ready, StartFailed, UnitFailed

_START_SECONDS = 300.0
_FAILED_STARTS = 3


@dataclass(slots=True)
class _Worker:
    process: BaseProcess
    pipe: connection.Connection
    since: float = field(default_factory=time.monotonic)
    ready: bool = False
    unit: Unit | None = None
    tick: Tick = NO_TICK


class LocalWorkers:
    """At most ``count`` processes, an :class:`~ocrbatch.pipeline.executor.Executor`: one until :meth:`grow` is called,
    for a single page is read sooner alone. One that dies or hangs is replaced. They are of ``processes``, which know
    what to do, and end with them."""

    def __init__(self, processes: Processes, count: int, timeout: float) -> None:
        self._processes = processes
        self._count = count
        self._timeout = timeout
        self._failed_starts = 0
        self._workers = [self._begin()]

    @property
    def idle(self) -> bool:
        """Whether a worker waits for a unit."""
        return any(worker.ready and worker.unit is None for worker in self._workers)

    @property
    def busy(self) -> bool:
        """Whether a unit is being worked on."""
        return any(worker.unit is not None for worker in self._workers)

    @property
    def pids(self) -> list[int]:
        """Process ids of the workers."""
        return [worker.process.pid for worker in self._workers if worker.process.pid]

    def grow(self, most: int | None) -> None:
        """Start the workers that are missing, up to ``most`` in all."""
        wanted = self._count if most is None else min(self._count, most)
        self._workers += [self._begin() for _ in range(wanted - len(self._workers))]

    def submit(self, unit: Unit) -> None:
        """Give a unit to an idle worker."""
        worker = next(worker for worker in self._workers if worker.ready and worker.unit is None)
        worker.unit, worker.tick, worker.since = unit, NO_TICK, time.monotonic()
        try:
            worker.pipe.send(unit)
        except OSError:  # it just died: the next wait() reports the unit as lost
            return

    def wait(self, seconds: float) -> list[Done | Lost]:
        """What happened within ``seconds``. Raises OcrbatchError when workers cannot start."""
        by_pipe = {worker.pipe: worker for worker in self._workers}
        readable = connection.wait(list(by_pipe), seconds)
        events = [self._receive(by_pipe[pipe]) for pipe in readable]  # type: ignore[index]
        events += [self._check_time(worker) for worker in list(self._workers)]
        return [event for event in events if event is not None]

    def close(self) -> None:
        """End all workers, the busy ones too."""
        for worker in self._workers:
            worker.pipe.close()
            worker.process.kill()
        for worker in self._workers:
            worker.process.join()
        self._workers = []
        self._processes.close()

    def _begin(self) -> _Worker:
        return _Worker(*self._processes.take())

    def _receive(self, worker: _Worker) -> Done | Lost | None:
        try:
            message = worker.pipe.recv()
        except (EOFError, OSError):
            return self._replace(worker, "WorkerCrashed")
        worker.since = time.monotonic()
        if isinstance(message, Tick):
            worker.tick = message
        elif isinstance(message, Ready):
            worker.ready, self._failed_starts = True, 0
        elif isinstance(message, StartFailed):
            raise (
                message.error
                if isinstance(message.error, OcrbatchError)
                else PluginError(f"The models cannot be loaded: {message.error}.")
            )
        elif worker.unit is not None:
            unit, worker.unit = worker.unit, None
            if isinstance(message, UnitFailed):
                return Lost(unit, message.kind, message.message, worker.tick)
            return Done(unit, message)
        return None

    def _check_time(self, worker: _Worker) -> Lost | None:
        waited = time.monotonic() - worker.since
        if worker.unit is not None and waited > self._timeout:
            return self._replace(worker, "Timeout")
        if not worker.ready and waited > _START_SECONDS:
            return self._replace(worker, "Timeout")
        return None

    def _replace(self, worker: _Worker, kind: Literal["WorkerCrashed", "Timeout"]) -> Lost | None:
        """End a worker, start another in its place, and say what was lost."""
        worker.process.join(0 if kind == "Timeout" else 5)
        code = worker.process.exitcode
        worker.process.kill()
        worker.process.join()
        worker.pipe.close()
        if not worker.ready:
            self._failed_starts += 1
            if self._failed_starts >= _FAILED_STARTS:
                raise PluginError(f"The worker processes cannot start: {_death(code)} while loading the models.")
        self._workers[self._workers.index(worker)] = self._begin()
        if worker.unit is None:
            return None
        message = f"No answer for {self._timeout:g} seconds." if kind == "Timeout" else f"{_death(code)}."
        return Lost(worker.unit, kind, message, worker.tick)


def _death(code: int | None) -> str:
    if code is not None and code < 0:
        names: Sequence[str] = [one.name for one in signal.Signals if one.value == -code]
        hint = " (often a sign of too little memory)" if -code == 9 else ""
        return f"The process was ended by {names[0] if names else f'signal {-code}'}{hint}"
    return f"The process ended itself with code {code}"
