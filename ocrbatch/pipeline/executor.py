"""What executes units: the contract that workers on this machine and those of a cluster keep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ocrbatch.pipeline.units import Reply, Tick, Unit

NO_TICK = Tick("start")
"""The last sign of life of a worker that gave none."""


@dataclass(frozen=True, slots=True)
class Done:
    """A unit was answered."""

    unit: Unit
    reply: Reply


@dataclass(frozen=True, slots=True)
class Lost:
    """A unit without an answer. ``kind`` is WorkerCrashed, Timeout or the class of an error; ``tick`` is the last sign
    of life."""

    unit: Unit
    kind: str
    message: str
    tick: Tick


class Executor(Protocol):
    """Workers with their models loaded once each. Every unit that is submitted comes back as one event, whatever
    happens to its worker; how many may be under way is bounded by ``idle``."""

    @property
    def idle(self) -> bool:
        """Whether :meth:`submit` may be called."""
        ...

    @property
    def busy(self) -> bool:
        """Whether a unit is under way."""
        ...

    @property
    def pids(self) -> list[int]:
        """Processes on this machine whose memory counts."""
        ...

    def grow(self, most: int | None) -> None:
        """Start all workers there may be, but ``most`` in all: more units wait than the first one takes."""
        ...

    def submit(self, unit: Unit) -> None:
        """Have a unit read."""
        ...

    def wait(self, seconds: float) -> list[Done | Lost]:
        """What happened within ``seconds``; comes back at the first event. Raises OcrbatchError when workers cannot
        start."""
        ...

    def close(self) -> None:
        """End all workers, the busy ones too."""
        ...
