from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ocrbatch.errors import InputError, TrainingError
from ocrbatch.training.loader import BatchLoader
from ocrbatch.training.samples import BatchSource


@pytest.fixture
def numbers(monkeypatch: pytest.MonkeyPatch) -> Callable[..., BatchSource]:
    """The double's class, from a module that spawned workers can import too."""
    monkeypatch.syspath_prepend(Path(__file__).parent)
    return importlib.import_module("loader_doubles").Numbers


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_batches_come_in_order_from_any_number_of_workers(numbers: Callable[..., BatchSource], workers: int) -> None:
    with BatchLoader(numbers(), workers=workers, look_ahead=3) as loader:
        batches = list(loader.batches(5, 25))
    assert [int(batch.arrays["image"][0]) for batch in batches] == list(range(5, 25))
    pids = {int(batch.arrays["image"][1]) for batch in batches}
    assert len(pids) == max(workers, 1)
    assert (os.getpid() in pids) == (workers == 0)


def test_workers_prepare_no_more_than_they_may(numbers: Callable[..., BatchSource], tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    with BatchLoader(numbers(diary=str(diary)), workers=1, look_ahead=3) as loader:
        batches = loader.batches(0, 1000)
        for _ in range(4):
            next(batches)
    # The fourth batch was handed out before its successor was asked for: 0 to 3 are out, 4 to 6 may be under way.
    prepared = [int(line) for line in diary.read_text().splitlines()]
    assert prepared == list(range(len(prepared)))
    assert 4 <= len(prepared) <= 7


def test_an_error_in_a_worker_arrives_as_it_is(numbers: Callable[..., BatchSource]) -> None:
    with BatchLoader(numbers(bad=2), workers=1, look_ahead=2) as loader:
        batches = loader.batches(0, 5)
        next(batches)
        next(batches)
        with pytest.raises(InputError, match=r"x\.png"):
            next(batches)


def test_a_surprise_in_a_worker_names_the_step(numbers: Callable[..., BatchSource]) -> None:
    with (
        BatchLoader(numbers(odd=0), workers=1, look_ahead=2) as loader,
        pytest.raises(TrainingError, match=r"step 0.*surprise"),
    ):
        next(loader.batches(0, 5))


def test_a_dead_worker_is_an_error_not_a_hang(numbers: Callable[..., BatchSource]) -> None:
    with BatchLoader(numbers(deadly=1), workers=1, look_ahead=1) as loader:
        batches = loader.batches(0, 5)
        next(batches)
        with pytest.raises(TrainingError, match="died"):
            next(batches)
