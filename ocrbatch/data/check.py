"""What is wrong with labels: the checks of ``ocrbatch data check``, which training makes too before it starts."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
import shapely

from ocrbatch.charset import Charset, normalize
from ocrbatch.data.label_types import LineLabel, PageLabel, RegionLabel
from ocrbatch.data.pictures import picture_size
from ocrbatch.errors import InputError, OutputError
from ocrbatch.geometry import signed_area, to_shape

EDGE = 2.0
"""Pixels by which an outline may stick out of its page before it is worth a warning."""


class Kind(StrEnum):
    """Kinds of problems; training refuses all but :data:`WARNINGS`."""

    MALFORMED = "label that cannot be understood"
    UNREADABLE = "picture that cannot be read"
    SIZE = "other size than labelled"
    EMPTY = "empty label"
    UNKNOWN = "character that the charset lacks"
    LONG = "more characters than max_length"
    STEPS = "more output steps needed than there are"
    FLAT = "outline without area"
    CROSSED = "outline that crosses itself"
    OUTSIDE = "outline outside the picture"
    EDGE = "outline that sticks out of the picture"
    CONTRADICTION = "same picture, other label"
    REPEATED = "same picture, same label"
    LEAK = "validation picture that is trained on"


WARNINGS = frozenset((Kind.EDGE, Kind.REPEATED))
"""Problems that a person should know of but that spoil nothing."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with one label; ``reason`` is a sentence without a full stop."""

    kind: Kind
    where: str
    reason: str

    @property
    def is_warning(self) -> bool:
        return self.kind in WARNINGS


@dataclass(frozen=True, slots=True)
class LineRules:
    """What a recognizer accepts. ``steps_needed`` is of a text, ``steps_there`` of a line; None checks nothing."""

    charset: Charset | None = None
    max_length: int | None = None
    steps_needed: Callable[[str], int] | None = None
    steps_there: Callable[[LineLabel], int] | None = None


def ctc_steps(text: str) -> int:
    """Output steps that CTC needs for a text: one a character and a blank between equal neighbours."""
    text = normalize(text)
    return len(text) + sum(one == other for one, other in itertools.pairwise(text))


def line_problems(label: LineLabel, rules: LineRules) -> Iterator[Problem]:
    """What keeps a line label from being trained on."""
    where = str(label.image)
    if not label.text.strip():
        yield Problem(Kind.EMPTY, where, f"the label {'holds white space alone' if label.text else 'is empty'}")
        return
    if rules.charset is not None and (unknown := rules.charset.unknown(label.text)):
        yield Problem(Kind.UNKNOWN, where, f"the charset lacks {''.join(sorted(set(unknown)))!r}")
    if rules.max_length is not None and len(label.text) > rules.max_length:
        reason = f"the label has {len(label.text)} characters, more than max_length = {rules.max_length}"
        yield Problem(Kind.LONG, where, reason)
    if rules.steps_needed is None or rules.steps_there is None:
        return
    try:
        needed, there = rules.steps_needed(label.text), rules.steps_there(label)
    except InputError as error:
        yield unreadable(label.image, error)
        return
    if needed > there:
        reason = f"the label needs {needed} output steps, a picture of this width has {there}"
        yield Problem(Kind.STEPS, where, reason)


def page_problems(label: PageLabel, size: tuple[int, int]) -> Iterator[Problem]:
    """What is wrong with a page label; ``size`` is the page's (height, width)."""
    for number, region in enumerate(label.regions):
        found = _outline_problem(region, size)
        if found is not None:
            yield Problem(found[0], str(label.image), f"region {number} {found[1]}")


def line_problem(rules: LineRules) -> Callable[[LineLabel], Problem | None]:
    """Function from a line label to the first thing that keeps it from being trained on."""
    return lambda label: next(line_problems(label, rules), None)


def page_problem(label: PageLabel) -> Problem | None:
    """The first thing that keeps a page label from being trained on."""
    try:
        size = label.size or picture_size(label.image)
    except InputError as error:
        return unreadable(label.image, error)
    return next((found for found in page_problems(label, size) if not found.is_warning), None)


def write_skip_list(path: Path, problems: Iterable[Problem]) -> None:
    """Writes problems as a list, ``where TAB reason`` a line. Raises OutputError."""
    try:
        path.write_text("".join(f"{problem.where}\t{problem.reason}\n" for problem in problems), encoding="utf-8")
    except OSError as error:
        raise OutputError(f"Cannot write the list of bad samples {path}: {error.strerror}.") from error


def unreadable(image: Path, error: InputError) -> Problem:
    """The problem of a picture that :func:`ocrbatch.data.pictures.read_picture` refuses."""
    return Problem(Kind.UNREADABLE, str(image), str(error).removesuffix("."))


def _outline_problem(region: RegionLabel, size: tuple[int, int]) -> tuple[Kind, str] | None:
    points, limit = region.points, np.array([size[1], size[0]], np.float32)
    if np.ptp(points, axis=0).min() < 1:
        return Kind.FLAT, "has no area"
    if len(points) == 4 and not shapely.Polygon(points).is_valid:
        return Kind.CROSSED, "crosses itself: its corners are not in order"
    if abs(signed_area(points)) < 1:
        return Kind.FLAT, "has no area"
    beyond = max(float(-points.min()), float((points - limit).max()))
    if beyond <= 0:
        return None
    if to_shape(points).intersection(shapely.box(0, 0, size[1], size[0])).area < 1:
        return Kind.OUTSIDE, f"lies outside the picture of {size[1]} x {size[0]} pixels"
    if beyond > EDGE:
        return Kind.EDGE, f"sticks out of the picture by {beyond:.0f} pixels"
    return None
