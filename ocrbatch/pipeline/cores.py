"""How many processes and threads this machine is given."""

from __future__ import annotations

import math
import os
from pathlib import Path

_CONTROL_GROUPS = Path("/sys/fs/cgroup")
_CROWD = 4  # processes for each core, beyond which they only take memory: waiting for files leaves no more idle


def usable_cores(control_groups: Path = _CONTROL_GROUPS) -> int:
    """Cores that this process may use: its affinity, and what a container grants it, rounded up."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.ceil(min(cores, _granted(control_groups))))


def _granted(control_groups: Path) -> float:
    """Cores by the quota of the control group, version 2 or 1; infinite where there is none."""
    version_1 = [control_groups / "cpu" / f"cpu.cfs_{name}_us" for name in ("quota", "period")]
    for files in ([control_groups / "cpu.max"], version_1):
        try:
            quota, period = map(float, " ".join(file.read_text() for file in files).split())
        except (OSError, ValueError):  # not there, or "max"
            continue
        if quota > 0 and period > 0:
            return quota / period
    return math.inf


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
