"""All problems of whole data sets in one report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ocrbatch.data.check import Kind, LineRules, Problem, line_problems, page_problems, page_text_problems, unreadable
from ocrbatch.data.label_types import Flaw, LineLabel, PageLabel
from ocrbatch.data.pictures import Inspected, inspect
from ocrbatch.errors import InputError

Entry = LineLabel | PageLabel | Flaw


@dataclass(eq=False)
class Report:
    """What :func:`check` found: labels by data set, problems with the data set they are in, unknown characters."""

    samples: Counter[str] = field(default_factory=Counter)
    problems: list[tuple[str, Problem]] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)

    @property
    def errors(self) -> list[tuple[str, Problem]]:
        """Problems that are more than warnings."""
        return [found for found in self.problems if not found[1].is_warning]

    def to_json(self) -> dict[str, Any]:
        """The whole report as plain values."""
        return {
            "samples": dict(self.samples),
            "counts": dict(Counter(problem.kind.value for _, problem in self.problems).most_common()),
            "unknown_characters": dict(self.unknown.most_common()),
            "problems": [
                {
                    "data": name,
                    "kind": problem.kind.value,
                    "warning": problem.is_warning,
                    "where": problem.where,
                    "reason": problem.reason,
                }
                for name, problem in self.problems
            ],
        }


def check(
    train: Iterable[Entry],
    val: Iterable[Entry] = (),
    rules: LineRules | None = None,
    on_item: Callable[[], None] = lambda: None,
) -> Report:
    """Reads every picture and label of a training set and, when there is one, of its validation set."""
    report, seen = Report(), Seen()
    for name, entries in (("train", train), ("val", val)):
        for entry in entries:
            report.samples[name] += 1
            report.problems += [(name, problem) for problem in _problems(name, entry, rules or LineRules(), seen)]
            if isinstance(entry, LineLabel) and rules is not None and rules.charset is not None:
                report.unknown.update(rules.charset.unknown(entry.text))
            on_item()
    return report


@dataclass(eq=False)
class Seen:
    """Pictures met so far, by the checksum of their content: the first one's data set, file and label. The data set
    that is trained on is called ``train`` and comes first."""

    firsts: dict[str, tuple[str, Path, str]] = field(default_factory=dict)

    def problems(self, name: str, digest: str, label: LineLabel | PageLabel) -> Iterator[Problem]:
        """What is wrong with a picture that was met before in the data sets."""
        said = _said(label)
        if digest not in self.firsts:
            self.firsts[digest] = name, label.image, said
            return
        first_name, first_image, first_said = self.firsts[digest]
        same_file = first_image.absolute() == label.image.absolute()
        called = "the same file" if same_file else f"the same content as {first_image}"
        if name != "train" == first_name:
            yield Problem(Kind.LEAK, str(label.image), f"{called} in the {first_name} set")
        if first_said != said:
            yield Problem(Kind.CONTRADICTION, str(label.image), f"{called}, but labelled otherwise")
        elif first_name == name:
            yield Problem(Kind.REPEATED, str(label.image), called)


def picture_problems(label: LineLabel | PageLabel, found: Inspected) -> Iterator[Problem]:
    """What a picture shows to be wrong with it or with its label."""
    where = str(label.image)
    if found.damage:
        yield Problem(Kind.DAMAGED, where, found.damage[0].lower() + found.damage[1:].removesuffix("."))
    if found.blank and (isinstance(label, LineLabel) or label.regions):
        yield Problem(Kind.BLANK, where, "the label says that there is text, the picture has a single colour")
    if label.size is not None and label.size != found.size:
        (height, width), (labelled_height, labelled_width) = found.size, label.size
        reason = f"the label says {labelled_width} x {labelled_height} pixels, the picture has {width} x {height}"
        yield Problem(Kind.SIZE, where, reason)


def _problems(name: str, entry: Entry, rules: LineRules, seen: Seen) -> Iterator[Problem]:
    if isinstance(entry, Flaw):
        yield Problem(Kind.MALFORMED, entry.where, entry.reason)
        return
    try:
        found = inspect(entry.image)
    except InputError as error:
        yield unreadable(entry.image, error)
        return
    yield from picture_problems(entry, found)
    if isinstance(entry, PageLabel):
        yield from page_problems(entry, found.size)
        yield from page_text_problems(entry)
    else:
        yield from line_problems(LineLabel(entry.image, entry.text, found.size), rules)
    yield from seen.problems(name, found.sha256, entry)


def _said(label: LineLabel | PageLabel) -> str:
    if isinstance(label, LineLabel):
        return label.text
    return repr([(region.points.tolist(), region.text, region.ignore) for region in label.regions])
