"""How many processes and threads this machine is given."""

from __future__ import annotations

import os

_CROWD = 4  # processes for each core, beyond which they only take memory: waiting for files leaves no more idle


def usable_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def share_cores(cores: int, workers: int | None, threads: int | None) -> tuple[int, int]:
    """Workers and threads of each, such that their product is at most ``cores`` unless both were asked for; never more
    of either than four for each core."""
    workers, threads = (None if asked is None else at_most(asked, cores) for asked in (workers, threads))
    if threads is None:
        threads = max(1, cores // workers) if workers else 1
    return workers or max(1, cores // threads), threads


def at_most(processes: int, cores: int) -> int:
    """``processes``, or four for each core where that is fewer: thousands would take all memory of a machine."""
    return min(processes, _CROWD * cores)
