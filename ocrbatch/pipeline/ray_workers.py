"""Workers on a Ray cluster. Each unit is a task; a process of Ray that runs tasks keeps one worker process of ours.

So a page that crashes or hangs costs that worker, as on one machine, and Ray itself only ever sees a node or a process
of its own go: then it runs the task again elsewhere, by itself.
"""

from __future__ import annotations

import os
import pickle
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from ocrbatch import __version__
from ocrbatch.data.places import is_uri
from ocrbatch.errors import ConfigError, OcrbatchError, PluginError
from ocrbatch.pipeline.executor import NO_TICK, Done, Lost
from ocrbatch.pipeline.local_workers import LocalWorkers
from ocrbatch.pipeline.processes import Processes
from ocrbatch.pipeline.units import Unit
from ocrbatch.pipeline.worker import WorkerStart

_RETRIES = 3
_PAUSE = 0.2


class RayWorkers:
    """An :class:`~ocrbatch.pipeline.executor.Executor`: at most ``count`` units at a time on the cluster at
    ``address``; when ``count`` is None, as many as the cluster's cores have room for.

    Files, bundles and ocrbatch must be the same on all nodes. Raises ConfigError when there is no such cluster.
    """

    def __init__(self, start: WorkerStart, count: int | None, timeout: float, address: str) -> None:
        self._ray = _import()
        self._joined = _join(self._ray, address)
        cores = int(self._ray.cluster_resources().get("CPU", 0))
        self._count = count or max(1, cores // start.threads)
        self._read = self._ray.remote(num_cpus=start.threads, max_retries=_RETRIES)(read)
        self._start = pickle.dumps(start)
        self._timeout = timeout
        self._units: dict[Any, Unit] = {}

    @property
    def idle(self) -> bool:
        """Whether fewer units are under way than may be."""
        return len(self._units) < self._count

    @property
    def busy(self) -> bool:
        """Whether a unit is under way."""
        return bool(self._units)

    @property
    def pids(self) -> list[int]:
        """None: the workers are elsewhere."""
        return []

    def grow(self, most: int | None) -> None:
        """Nothing: Ray starts processes as there are units."""

    def submit(self, unit: Unit) -> None:
        """Have a unit read on some node."""
        self._units[self._read.remote(self._start, self._timeout, _anywhere(unit), __version__)] = unit

    def wait(self, seconds: float) -> list[Done | Lost]:
        """What happened within ``seconds``. Raises OcrbatchError when workers cannot start."""
        ready, _ = self._ray.wait(list(self._units), num_returns=1, timeout=seconds)
        if ready:
            ready, _ = self._ray.wait(list(self._units), num_returns=len(self._units), timeout=0)
        return [self._event(answer) for answer in ready]

    def close(self) -> None:
        """Give up the units that are under way, and leave the cluster."""
        for answer in self._units:
            self._ray.cancel(answer, force=True)
        self._units = {}
        if self._joined:
            self._ray.shutdown()

    def _event(self, answer: Any) -> Done | Lost:
        unit = self._units.pop(answer)
        try:
            event = self._ray.get(answer)
        except self._ray.exceptions.RayTaskError as error:
            cause = error.cause
            if isinstance(cause, OcrbatchError):
                raise type(cause)(str(cause)) from None
            return Lost(unit, type(cause).__name__, " ".join(str(cause).split()), NO_TICK)
        except self._ray.exceptions.RayError as error:
            reason = str(error).strip().partition("\n")[0]
            return Lost(unit, "WorkerCrashed", f"Ray gave the unit up after {_RETRIES} retries: {reason}", NO_TICK)
        return replace(event, unit=unit)


def read(start: bytes, timeout: float, unit: Unit, version: str) -> Done | Lost:
    """What became of a unit; runs in a process of Ray. Raises OcrbatchError when the models cannot be loaded there."""
    if version != __version__:
        raise PluginError(f"The node {os.uname().nodename} has ocrbatch {__version__}, the driver {version}.")
    worker = _worker(start, timeout)
    while not worker.idle:
        worker.wait(_PAUSE)
    worker.submit(unit)
    while True:
        for event in worker.wait(_PAUSE):
            return event


@lru_cache(maxsize=1)
def _worker(start: bytes, timeout: float) -> LocalWorkers:
    """The worker process of this process: models are loaded once, not for each task."""
    return LocalWorkers(Processes.told(pickle.loads(start)), 1, timeout)


def _anywhere(unit: Unit) -> Unit:
    """The same files for a process in another folder."""
    spans = (replace(span, file=replace(span.file, path=_absolute(span.file.path))) for span in unit.spans)
    return replace(unit, spans=tuple(spans))


def _absolute(path: str) -> str:
    return path if is_uri(path) else str(Path(path).absolute())


def _import() -> Any:
    try:
        import ray
    except ImportError as error:
        raise ConfigError("The executor ray needs Ray: pip install 'ocrbatch[ray]'.") from error
    return ray


def _join(ray: Any, address: str) -> bool:
    """Connect to a cluster; False when this process is in one already. Raises ConfigError."""
    if ray.is_initialized():
        return False
    with _own_signals():
        try:
            ray.init(address=address, log_to_driver=False, logging_level="error", configure_logging=False)
        except (OSError, RuntimeError, ValueError, AssertionError) as error:
            reason = " ".join(str(error).split())
            raise ConfigError(
                f"Cannot join a Ray cluster at {address}: {reason.rstrip('.')}. Start one with `ray start --head`, or "
                f"name it with --ray-address."
            ) from error
    return True


@contextmanager
def _own_signals() -> Iterator[None]:
    """Ray puts its own handlers in place of ours."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
