"""What is wrong with labels: the checks of ``ocrbatch data check``, which training makes too before it starts."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
import shapely

from ocrbatch.charset import Charset
from ocrbatch.data.label_types import LineLabel, PageLabel, RegionLabel
from ocrbatch.data.pictures import picture_size
from ocrbatch.errors import InputError, OutputError
from ocrbatch.geometry import signed_area, to_shape
from ocrbatch.types import Polygon

EDGE = 2.0
"""Pixels by which an outline may stick out of its page before it is worth a warning."""

CROSSED_SHARE = 0.05
"""Share of the area of an outline with more than four corners that its crossing itself may cost."""

LIST_BEGINS = "# bad sample found by ocrbatch\treason\n"
"""First line of a list of bad samples: a file that does not begin so is not ours to replace."""

_JOINERS = "\u200c\u200d"
"""Invisible characters that change how their neighbours are written."""


class Kind(StrEnum):
    """Kinds of problems; training refuses all but :data:`WARNINGS`."""

    MALFORMED = "label that cannot be understood"
    UNREADABLE = "picture that cannot be read"
    DAMAGED = "picture that is damaged"
    BLANK = "picture of a single colour"
    SIZE = "other size than labelled"
    EMPTY = "empty label"
    CONTROL = "control character in a label"
    INVISIBLE = "invisible character in a label"
    SPACES = "space at an edge or doubled"
    UNKNOWN = "character that the charset lacks"
    LONG = "more characters than max_length"
    STEPS = "more output steps needed than there are"
    FLAT = "outline without area"
    CROSSED = "outline that crosses itself"
    TOUCHING = "outline that crosses itself a little"
    OUTSIDE = "outline outside the picture"
    EDGE = "outline that sticks out of the picture"
    CONTRADICTION = "same picture, other label"
    REPEATED = "same picture, same label"
    LEAK = "validation picture that is trained on"


WARNINGS = frozenset((Kind.BLANK, Kind.INVISIBLE, Kind.SPACES, Kind.TOUCHING, Kind.EDGE, Kind.REPEATED))
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


def line_problems(label: LineLabel, rules: LineRules) -> Iterator[Problem]:
    """What is wrong with a line label."""
    where = str(label.image)
    if not _shown(label.text):
        yield Problem(Kind.EMPTY, where, f"the label {'holds nothing that is seen' if label.text else 'is empty'}")
        return
    for kind, reason in _text_problems(label.text, rules.charset):
        yield Problem(kind, where, f"the label {reason}")
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
        for kind, reason in _outline_problems(region, size):
            yield Problem(kind, str(label.image), f"region {number} {reason}")


def page_text_problems(label: PageLabel) -> Iterator[Problem]:
    """What is wrong with the texts of a page label. Detectors read none of them, so they keep none from training."""
    for number, region in enumerate(label.regions):
        for kind, reason in _text_problems("" if region.ignore else region.text or "", None):
            yield Problem(kind, str(label.image), f"region {number} {reason}")


def line_problem(rules: LineRules) -> Callable[[LineLabel], Problem | None]:
    """Function from a line label to the first thing that keeps it from being trained on."""
    return lambda label: next((found for found in line_problems(label, rules) if not found.is_warning), None)


def page_problem(label: PageLabel) -> Problem | None:
    """The first thing that keeps a page label from being trained on."""
    try:
        size = label.size or picture_size(label.image)
    except InputError as error:
        return unreadable(label.image, error)
    return next((found for found in page_problems(label, size) if not found.is_warning), None)


def write_skip_list(path: Path, problems: Iterable[Problem]) -> None:
    """Writes problems as a list, ``where TAB reason`` a line below :data:`LIST_BEGINS`. Raises OutputError."""
    lines = (f"{problem.where}\t{problem.reason}\n" for problem in problems)
    try:
        path.write_text(LIST_BEGINS + "".join(lines), encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise OutputError(f"Cannot write the list of bad samples {path}: {error.strerror}.") from error


def unreadable(image: Path, error: InputError) -> Problem:
    """The problem of a picture that :func:`ocrbatch.data.pictures.read_picture` refuses."""
    return Problem(Kind.UNREADABLE, str(image), str(error).removesuffix("."))


def _shown(text: str) -> str:
    """What is to be seen of a text."""
    if not text.isprintable():
        text = "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cf"))
    return text.strip()


def _text_problems(text: str, charset: Charset | None) -> Iterator[tuple[Kind, str]]:
    """What looks like a slip in a text, as kinds and predicates; a character that the charset lists is meant."""
    for kind, categories, called in (
        (Kind.CONTROL, ("Cc", "Zl", "Zp"), "a control character, a TAB or a line break perhaps"),
        (Kind.INVISIBLE, ("Cf",), "a character that nobody sees"),
    ):
        hidden = _of_categories(text, categories, charset)
        if hidden:
            yield kind, f"holds {' and '.join(hidden)}, {called}"
    blanks = [unicodedata.category(c) == "Zs" for c in text]
    if any(blanks[:1] + blanks[-1:]):
        yield Kind.SPACES, "begins or ends with a space"
    if any(one and other for one, other in itertools.pairwise(blanks)):
        yield Kind.SPACES, "has two spaces side by side"


def _of_categories(text: str, categories: tuple[str, ...], charset: Charset | None) -> list[str]:
    """The characters of these Unicode categories by number, such as U+200B, without what the charset lists."""
    if text.isprintable():
        return []
    found = {c for c in text if unicodedata.category(c) in categories and c not in _JOINERS}
    return [f"U+{ord(c):04X}" for c in sorted(found) if charset is None or c not in charset]


def _outline_problems(region: RegionLabel, size: tuple[int, int]) -> Iterator[tuple[Kind, str]]:
    points, limit = region.points, np.array([size[1], size[0]], np.float32)
    crossed = None if np.ptp(points, axis=0).min() < 1 else _crossing(points)
    if crossed is Kind.CROSSED:
        yield crossed, "crosses itself: its corners are not in order"
        return
    if np.ptp(points, axis=0).min() < 1 or abs(signed_area(points)) < 1:
        yield Kind.FLAT, "has no area"
        return
    if crossed is not None:
        yield crossed, "crosses or touches itself, in a small part"
    beyond = max(float(-points.min()), float((points - limit).max()))
    if beyond <= 0:
        return
    if to_shape(points).intersection(shapely.box(0, 0, size[1], size[0])).area < 1:
        yield Kind.OUTSIDE, f"lies outside the picture of {size[1]} x {size[0]} pixels"
    elif beyond > EDGE:
        yield Kind.EDGE, f"sticks out of the picture by {beyond:.0f} pixels"


def _crossing(points: Polygon) -> Kind | None:
    """Whether an outline crosses itself, and whether that changes its area."""
    if shapely.Polygon(points).is_valid:
        return None
    area = to_shape(points).area
    changed = abs(area - abs(signed_area(points)))
    return Kind.CROSSED if len(points) == 4 or changed > CROSSED_SHARE * area else Kind.TOUCHING
