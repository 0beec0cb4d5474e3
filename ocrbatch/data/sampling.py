"""Which samples make the batch of a step: a pure function of (seed, step), so a resumed training sees the same data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class BatchPlan:
    """Cuts epochs of shuffled samples into batches whose members share a bucket.

    ``buckets[i]`` is the bucket of sample i, ``weights[i]`` how often an epoch shows it (a fraction is a chance), and
    ``batch_sizes`` the batch size of each bucket. Every epoch has the same number of batches, whatever its shuffle.
    """

    buckets: NDArray[np.int64]
    weights: NDArray[np.float64]
    batch_sizes: Mapping[int, int]
    seed: int

    def __post_init__(self) -> None:
        if not len(self.buckets):
            raise ValueError("a plan needs at least one sample")

    @cached_property
    def batches_per_epoch(self) -> int:
        """Number of batches of every epoch."""
        return sum(len(starts) for starts in self._shape().values())

    def batch(self, step: int) -> tuple[int, NDArray[np.int64]]:
        """Bucket and sample numbers of the batch of a step (from 0)."""
        epoch, position = divmod(step, self.batches_per_epoch)
        return _epoch(self, epoch)[position]

    def _shape(self) -> dict[int, range]:
        """For each bucket where its batches start in an epoch."""
        counts = {bucket: self._count(bucket) for bucket in self.batch_sizes}
        return {bucket: range(0, count, self.batch_sizes[bucket]) for bucket, count in counts.items() if count}

    def _count(self, bucket: int) -> int:
        total = float(self.weights[self.buckets == bucket].sum())
        return int(np.ceil(round(total, 6)))


@lru_cache(maxsize=2)
def _epoch(plan: BatchPlan, epoch: int) -> Sequence[tuple[int, NDArray[np.int64]]]:
    rng = np.random.default_rng([plan.seed, 17, epoch])
    batches: list[tuple[int, NDArray[np.int64]]] = []
    for bucket, starts in plan._shape().items():
        size = plan.batch_sizes[bucket]
        members = _draw(np.flatnonzero(plan.buckets == bucket), plan.weights, plan._count(bucket), rng)
        fill = (-len(members)) % size  # the last batch is filled up: every batch of a bucket has one shape
        members = np.concatenate([members, rng.choice(members, fill)]) if fill else members
        batches += [(bucket, members[start : start + size]) for start in starts]
    order = rng.permutation(len(batches))
    return [batches[number] for number in order]


def _draw(
    members: NDArray[np.int64], weights: NDArray[np.float64], count: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """``count`` shuffled samples: each as often as the whole part of its weight, the rest drawn by the fractions."""
    whole = np.repeat(members, np.floor(weights[members]).astype(int))
    fractions = weights[members] % 1
    missing = count - len(whole)
    if missing > 0:
        chances = fractions / fractions.sum() if fractions.sum() > 0 else None
        whole = np.concatenate([whole, rng.choice(members, missing, p=chances)])
    return rng.permutation(whole)[:count]
