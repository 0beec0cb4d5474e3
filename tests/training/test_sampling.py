from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocrbatch.data.sampling import BatchPlan


def plan(buckets: list[int], sizes: dict[int, int], seed: int = 0, weights: list[float] | None = None) -> BatchPlan:
    return BatchPlan(np.array(buckets), np.array(weights or [1.0] * len(buckets)), sizes, seed)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 2), min_size=1, max_size=60), st.integers(1, 7), st.integers(0, 2**31 - 1))
def test_an_epoch_shows_every_sample_and_every_batch_is_full(buckets: list[int], size: int, seed: int) -> None:
    sizes = {0: size, 1: size + 1, 2: 1}
    made = plan(buckets, sizes, seed)
    seen: Counter[int] = Counter()
    for step in range(made.batches_per_epoch):
        bucket, members = made.batch(step)
        assert len(members) == sizes[bucket]
        assert all(buckets[member] == bucket for member in members)
        seen.update(members.tolist())
    assert set(seen) == set(range(len(buckets)))


def test_a_batch_depends_on_nothing_but_seed_and_step() -> None:
    one, other = plan([0, 1] * 20, {0: 4, 1: 4}, 3), plan([0, 1] * 20, {0: 4, 1: 4}, 3)
    for step in (25, 3, 11, 3):
        assert np.array_equal(one.batch(step)[1], other.batch(step)[1])
    order = [one.batch(step)[1].tolist() for step in range(20)]
    assert order != [plan([0, 1] * 20, {0: 4, 1: 4}, 4).batch(step)[1].tolist() for step in range(20)]


def test_an_epoch_is_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = plan([0] * 40, {0: 4})
    made.batch(0)
    monkeypatch.setattr(BatchPlan, "_count", lambda *_: pytest.fail("with many samples that takes longer than a step"))
    made.batch(9)


def test_epochs_differ_in_order() -> None:
    made = plan([0] * 40, {0: 4})
    epochs = [[made.batch(step + 10 * epoch)[1].tolist() for step in range(10)] for epoch in range(2)]
    assert epochs[0] != epochs[1]


def test_weights_say_how_often_an_epoch_shows_a_sample() -> None:
    made = plan([0] * 40, {0: 1}, weights=[3.0] * 10 + [1.0] * 20 + [0.5] * 10)
    seen = Counter(int(made.batch(step)[1][0]) for step in range(made.batches_per_epoch))
    assert made.batches_per_epoch == 55
    assert all(seen[number] == 3 for number in range(10))
    assert all(seen[number] == 1 for number in range(10, 30))
    assert sum(seen[number] for number in range(30, 40)) == 5


def test_a_plan_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        plan([], {0: 1})
