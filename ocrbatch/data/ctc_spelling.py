"""Doubtful letters of CTC's best path, read so that words of a lexicon come out.

A word that the lexicon lacks may be changed in one or two places where the network itself was in doubt: another letter,
one more or one less, a space. A change costs what it takes off the path's probability, and frequent words are believed
more readily than rare ones; a decoder with a language model (Graves and Jaitly, ICML 2014) does the same for all words
and paths. Names, codes and numbers that were read surely stay as they are.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ocrbatch.charset import Charset
from ocrbatch.lexicon import Lexicon

BLANK = 0

Steps = NDArray[np.floating[Any]]
"""Probabilities of one line, (T, classes), class BLANK CTC's blank."""

_WORD = re.compile(r"[^\W_]+")
_SHORTEST = 4  # letters: nearly any three are a word of some language
_LETTERS = 0.7  # share of letters in what is taken for a word: codes have more digits
_LEAST = 0.005  # of the best class's probability: what is less likely is no alternative
_SURELY_BLANK = 1 / (1 + _LEAST)  # where the blank is likelier, no other class is likely enough
_MOST_DOUBT = 5.0  # what a change may cost at most, as a logarithm
_CHOICES = 14
_NOTHING = 1e-9  # the smallest probability
_EDGE = 3  # steps before and behind a word where a letter that was lost may hide


class Letter(NamedTuple):
    """One character of a best path: its class, the highest probability in its run, the run's first step and the one
    behind its last."""

    number: int
    peak: float
    start: int
    stop: int


class _Change(NamedTuple):
    """``letter`` in the place of ``length`` characters from ``place`` on, and the logarithm of how likely that is
    compared with what was read."""

    score: float
    place: int
    length: int
    letter: Letter | None = None


class _Part(NamedTuple):
    """What may matter to a word: ``steps`` (n, m) of a line from ``start`` on, of ``classes`` (m,) alone, the blank the
    first one. Most classes of a large charset are likely nowhere in a word, and numpy's time goes by their number."""

    steps: Steps
    classes: NDArray[np.intp]
    start: int


@dataclass(frozen=True)
class Speller:
    """A lexicon at work on the classes of a charset."""

    charset: Charset
    lexicon: Lexicon
    _letters: NDArray[np.bool_] = field(init=False, repr=False, compare=False)
    _spelling: NDArray[np.bool_] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        letters = np.array([False, *map(str.isalpha, self.charset.characters)])  # what words are made of
        object.__setattr__(self, "_letters", letters)
        space = np.array([False, *(character == " " for character in self.charset.characters)])
        object.__setattr__(self, "_spelling", letters | space)  # and what parts two

    def doubts(self, text: str) -> bool:
        """Whether a line has a word that the lexicon lacks."""
        return any(True for _ in self._unknown(text))

    def spelled(self, line: Sequence[Letter], steps: Steps) -> list[Letter]:
        """The characters of a line, the best path through ``steps``, with its words mended."""
        line = _changed(line, list(self._joined(line, steps)))
        spans = self._unknown(self._text(line))
        return _changed(line, [change for first, stop in spans for change in self._mended(line, steps, first, stop)])

    def _unknown(self, text: str) -> Iterator[tuple[int, int]]:
        for match in _WORD.finditer(text):
            word = match.group()
            if len(word) < _SHORTEST or word in self.lexicon:
                continue
            if sum(map(str.isalpha, word)) >= _LETTERS * len(word):
                yield match.span()

    def _joined(self, line: Sequence[Letter], steps: Steps) -> Iterator[_Change]:
        """Spaces that part a word, left out."""
        text = self._text(line)
        unknown = set(self._unknown(text))
        for one, other in pairwise(match.span() for match in _WORD.finditer(text)):
            if text[one[1] : other[0]] == " " and (one in unknown or other in unknown):
                weight = self.lexicon.weight(text[slice(*one)] + text[slice(*other)])
                change = _left_out(line[one[1]], one[1], steps)
                if weight is not None and change.score + weight > -_MOST_DOUBT:
                    yield change

    def _mended(self, line: Sequence[Letter], steps: Steps, first: int, stop: int) -> Sequence[_Change]:
        """The best changes of the word from ``first`` up to ``stop`` that make a known one of it, if there are any."""
        part = _part(steps, line[first:stop])
        left_out = [_left_out(line[place], place, steps) for place in range(first, stop)]
        offered = [
            *self._replacements(line, part, first, stop),
            *left_out,
            *self._insertions(line, part, len(steps), first, stop),
        ]
        offered = sorted(offered, key=lambda change: change.score, reverse=True)[:_CHOICES]
        word = self._text(line[first:stop])
        best = -_MOST_DOUBT
        found: tuple[_Change, ...] = ()
        for cost, changes in _cheap(offered):
            weight = self._weight(self._rewritten(word, changes, first))
            if weight is not None and cost + weight > best:
                best, found = cost + weight, changes
        return [self._cased(change, word, first) for change in found]

    def _weight(self, text: str) -> float | None:
        """That of the word, or of the words that spaces make of it, which must be common ones."""
        if len(text) < _SHORTEST:
            return None
        if " " not in text:
            return self.lexicon.weight(text)
        weights = [self.lexicon.weight(word) for word in text.split(" ")]
        known = [weight for weight in weights if weight is not None and weight >= 0]
        return sum(known) if len(known) == len(weights) else None

    def _replacements(self, line: Sequence[Letter], part: _Part, first: int, stop: int) -> Iterator[_Change]:
        letters = line[first:stop]
        near = _highest(part.steps, [(letter.start - part.start, letter.stop - part.start) for letter in letters])
        numbers = [letter.number for letter in letters]
        read = near[np.arange(len(letters)), np.searchsorted(part.classes, numbers)]
        likely = self._letters[part.classes] & (near > _LEAST * read[:, None])
        likely &= part.classes != np.array(numbers)[:, None]
        for place, column in np.argwhere(likely).tolist():
            probability, number = float(near[place, column]), int(part.classes[column])
            letter = letters[place]._replace(number=number, peak=probability)
            yield _Change(_log_odds(probability, read[place]), first + place, 1, letter)

    def _insertions(
        self, line: Sequence[Letter], part: _Part, n_steps: int, first: int, stop: int
    ) -> Iterator[_Change]:
        blank = part.steps[:, 0].tolist()
        for place in range(first, stop + 1):
            low = line[place - 1].stop if place else 0
            high = line[place].start if place < len(line) else n_steps
            low = max(low, high - _EDGE) if place == first else low
            high = min(high, low + _EDGE) if place == stop else high
            between = slice(low - part.start, high - part.start)
            if low >= high or min(blank[between]) > _SURELY_BLANK:
                continue
            gap = part.steps[between]
            odds = gap / np.maximum(gap.max(axis=1, keepdims=True), _NOTHING)
            for column in np.flatnonzero(self._spelling[part.classes] & (odds.max(axis=0) > _LEAST)).tolist():
                step = int(odds[:, column].argmax())
                letter = Letter(int(part.classes[column]), float(gap[step, column]), low + step, low + step + 1)
                yield _Change(_log_odds(odds[step, column], 1.0), place, 0, letter)

    def _rewritten(self, word: str, changes: Sequence[_Change], first: int) -> str:
        """A word that stands at ``first``, after changes at different places."""
        for change in sorted(changes, key=_where, reverse=True):
            place = change.place - first
            letter = self.charset.characters[change.letter.number - 1] if change.letter else ""
            word = word[:place] + letter + word[place + change.length :]
        return word

    def _cased(self, change: _Change, word: str, first: int) -> _Change:
        """The change with its letter in capitals or not, as the rest of the word has it."""
        if change.letter is None:
            return change
        capital = sum(map(str.isupper, word)) > len(word) / 2
        if change.place == first and change.length:
            capital = word[0].isupper()
        letter = self.charset.characters[change.letter.number - 1]
        cased = letter.upper() if capital else letter.lower()
        number = self.charset.characters.find(cased) + 1 if len(cased) == 1 else 0
        return change._replace(letter=change.letter._replace(number=number)) if number else change

    def _text(self, line: Sequence[Letter]) -> str:
        return self.charset.decode([letter.number - 1 for letter in line])


def _cheap(offered: Sequence[_Change]) -> Iterator[tuple[float, tuple[_Change, ...]]]:
    """Single changes and pairs at different places, of some that are sorted by score, which are likely enough; and the
    scores of them together."""
    for change in offered:
        if change.score <= -_MOST_DOUBT:
            break
        yield change.score, (change,)
    for number, change in enumerate(offered):
        for other in offered[number + 1 :]:
            score = change.score + other.score
            if score <= -_MOST_DOUBT:
                break
            if change[1:3] != other[1:3]:
                yield score, (change, other)


def _part(steps: Steps, word: Sequence[Letter]) -> _Part:
    """What may matter to a word: its own classes, and those that are likely enough beside the best one at some step."""
    start = max(0, word[0].start - _EDGE)
    window = steps[start : word[-1].stop + _EDGE]
    likely = window.max(axis=0) > _LEAST * window.max(axis=1).min()
    likely[[BLANK, *(letter.number for letter in word)]] = True
    classes = np.flatnonzero(likely)
    return _Part(window[:, classes], classes, start)


def _highest(steps: Steps, runs: Sequence[tuple[int, int]]) -> Steps:
    """The highest probabilities (n, classes) in runs of steps that follow each other, a step more on both sides."""
    edges = np.array(runs).ravel()
    within = np.maximum.reduceat(steps, edges[:-1] if edges[-1] == len(steps) else edges, axis=0)[::2]
    before, behind = np.maximum(edges[::2] - 1, 0), np.minimum(edges[1::2], len(steps) - 1)
    return np.maximum(np.maximum(within, steps[before]), steps[behind])


def _left_out(letter: Letter, place: int, steps: Steps) -> _Change:
    """A character taken for blanks."""
    run = steps[letter.start : letter.stop]
    return _Change(sum(_log_odds(step[BLANK], step[letter.number]) for step in run), place, 1)


def _changed(line: Sequence[Letter], changes: Sequence[_Change]) -> list[Letter]:
    """A line after changes at different places."""
    letters = list(line)
    for change in sorted(changes, key=_where, reverse=True):  # places before it stay valid
        letters[change.place : change.place + change.length] = [change.letter] if change.letter else []
    return letters


def _where(change: _Change) -> tuple[int, int]:
    return change.place, change.length


def _log_odds(one: float, other: float) -> float:
    return math.log(max(float(one), _NOTHING) / max(float(other), _NOTHING))
