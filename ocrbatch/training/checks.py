"""The checks of ``ocrbatch data check``, made before a training starts. Nothing is dropped silently."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Generic

from ocrbatch.data.check import Kind, Problem, unreadable, write_skip_list
from ocrbatch.data.label_types import LineLabel, PageLabel
from ocrbatch.data.pictures import Inspected, inspect
from ocrbatch.data.report import Seen, picture_problems
from ocrbatch.errors import InputError
from ocrbatch.training.datasets import Label, Samples

_SHOWN = 5
_AT_ONCE = 1024


def without_bad(
    samples: Samples[Label],
    problem: Callable[[Label], Problem | None],
    skip_list: Path | None,
    *,
    pictures: bool = False,
) -> Samples[Label]:
    """The samples when none has a problem. Otherwise InputError, or, with ``skip_list``, the good ones: the bad ones
    are listed in that file with their reasons. With ``pictures`` every picture is read, so that damage, repetitions
    with another label, and pictures to evaluate on that are trained on are found too."""
    check = _Check(problem, pictures)
    train = list(check.good("train", samples.train))
    val = list(check.good("train" if samples.held_out else "val", samples.val))
    keep = list(check.good("keep", samples.keep))
    bad = [Problem(Kind.MALFORMED, flaw.where, flaw.reason) for flaw in samples.flaws] + check.bad
    if bad and skip_list is None:
        raise InputError(_report(bad))
    if skip_list is not None:
        write_skip_list(skip_list, bad)
    if not train or not val:
        raise InputError("No usable sample is left for training or for evaluation: look at the labels' problems first.")
    return replace(
        samples,
        train=[samples.train[n] for n in train],
        weights=samples.weights[train],
        val=[samples.val[n] for n in val],
        keep=[samples.keep[n] for n in keep],
        flaws=(),
    )


@dataclass(eq=False)
class _Check(Generic[Label]):
    """One pass over the data sets; ``bad`` is what it found."""

    problem: Callable[[Label], Problem | None]
    pictures: bool
    bad: list[Problem] = field(default_factory=list)
    seen: Seen = field(default_factory=Seen)

    def good(self, name: str, labels: Sequence[Label]) -> Iterator[int]:
        """Positions of the labels without a problem."""
        looks = _looks(labels) if self.pictures else iter([None] * len(labels))
        for number, (label, look) in enumerate(zip(labels, looks, strict=True)):
            found = self.problem(label) or (look if isinstance(look, Problem) else None)
            if found is None and isinstance(look, Inspected):
                found = self._of_picture(name, label, look)
            if found is None:
                yield number
            else:
                self.bad.append(found)

    def _of_picture(self, name: str, label: Label, look: Inspected) -> Problem | None:
        problems = chain(picture_problems(label, look), self.seen.problems(name, look.sha256, label))
        return next((found for found in problems if not found.is_warning), None)


def _looks(labels: Sequence[LineLabel | PageLabel]) -> Iterator[Inspected | Problem]:
    """What reading the pictures gives, in order; decoders leave Python to other threads."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(labels), _AT_ONCE):
            yield from pool.map(_look, labels[start : start + _AT_ONCE])


def _look(label: LineLabel | PageLabel) -> Inspected | Problem:
    try:
        return inspect(label.image)
    except InputError as error:
        return unreadable(label.image, error)


def _report(bad: Sequence[Problem]) -> str:
    kinds = Counter(problem.kind for problem in bad)
    examples = "; ".join(f"{Path(problem.where).name}: {problem.reason}" for problem in bad[:_SHOWN])
    more = f" ({len(kinds)} kind{'' if len(kinds) == 1 else 's'} of problem)" if len(bad) > _SHOWN else ""
    return (
        f"{len(bad)} samples cannot be trained on{more}, such as {examples}. "
        "Mend the labels, or leave them out with --skip-bad FILE, which lists them."
    )
