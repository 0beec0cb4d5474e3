"""Where the words of rendered pictures come from: frequency lists, plain text, a mix of realistic kinds."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ocrbatch.charset import normalize
from ocrbatch.data.synth import kinds
from ocrbatch.errors import InputError

_ENTRY = re.compile(r"^(\S+)\t(\d+(?:\.\d+)?)$")
_MAX_LINE = 400
_LONGEST = 100  # letters of a word; no page has room for more, and a text without spaces is one word a line
_MARKS = ".,;:!?\"'()[]“”‘’«»"


@dataclass(frozen=True)
class Vocabulary:
    """The words of one language: ``cumulative``, float64 (n,), rises to 1 in proportion to their counts."""

    words: tuple[str, ...]
    cumulative: NDArray[np.float64]
    total: float

    @classmethod
    def of(cls, counts: Iterable[tuple[str, float]]) -> Vocabulary:
        """From words and their counts; raises ValueError when there is none."""
        pairs = [(normalize(word), count) for word, count in counts if count > 0]
        if not pairs:
            raise ValueError("a vocabulary needs a word")
        rising = np.cumsum([count for _, count in pairs], dtype=np.float64)
        return cls(tuple(word for word, _ in pairs), rising / rising[-1], float(rising[-1]))

    def only(self, wanted: Callable[[str], bool]) -> Vocabulary | None:
        """The words that are ``wanted``; None if there is none."""
        counts = np.diff(self.cumulative, prepend=0.0) * self.total
        pairs = [(word, float(count)) for word, count in zip(self.words, counts, strict=True) if wanted(word)]
        if len(pairs) == len(self.words):
            return self
        return Vocabulary.of(pairs) if pairs else None

    def word(self, rng: np.random.Generator) -> str:
        """A word: most often by frequency, else any, so that rare letters and rare words are seen too."""
        if rng.random() < 0.35:
            return self.words[int(rng.integers(len(self.words)))]
        place = int(np.searchsorted(self.cumulative, rng.random(), side="right"))
        return self.words[min(place, len(self.words) - 1)]


@dataclass(frozen=True)
class TextSource:
    """Vocabularies, one for each file, and the lines of the plain text files; ``cut`` words were too long. Immutable
    and picklable.

    A vocabulary is taken in proportion to the total of its counts, so a file's counts say how common its language is.
    """

    vocabularies: tuple[Vocabulary, ...]
    lines: tuple[str, ...] = ()
    cut: int = 0

    @classmethod
    def load(cls, paths: Sequence[Path]) -> TextSource:
        """Reads UTF-8 files: frequency lists (every line ``word<TAB>count``) and plain text. Raises InputError."""
        vocabularies: list[Vocabulary] = []
        lines: list[str] = []
        cut = 0
        for path in paths:
            rows = _read_rows(path)
            entries = [_ENTRY.match(row) for row in rows]
            if rows and all(entries):
                pairs = [(entry[1], float(entry[2])) for entry in entries if entry]
            else:
                lines += [normalize(row)[:_MAX_LINE] for row in rows]
                pairs = [(word, float(count)) for word, count in _count_words(rows).items()]
            if not any(count > 0 for _, count in pairs):
                raise InputError(f"{path} holds no words: give plain text or lines of word<TAB>count.")
            if not math.isfinite(sum(count for _, count in pairs)):
                raise InputError(f"{path} holds a count that is larger than any: count the words anew.")
            cut += sum(len(word) > _LONGEST for word, _ in pairs)
            vocabularies.append(Vocabulary.of((word[:_LONGEST], count) for word, count in pairs))
        if not vocabularies:
            raise InputError("No text to render: give at least one file of plain text or of word<TAB>count lines.")
        return cls(tuple(vocabularies), tuple(lines), cut)

    def only(self, wanted: Callable[[str], bool]) -> tuple[TextSource, list[str]]:
        """The source of the words that are ``wanted``, and the others."""
        others = [word for vocabulary in self.vocabularies for word in vocabulary.words if not wanted(word)]
        if not others:
            return self, []
        unwanted = frozenset(others)
        kept = [some for vocabulary in self.vocabularies if (some := vocabulary.only(lambda w: w not in unwanted))]
        lines = (" ".join(w for w in line.split() if w.strip(_MARKS)[:_LONGEST] not in unwanted) for line in self.lines)
        return replace(self, vocabularies=tuple(kept), lines=tuple(filter(None, lines))), others

    def vocabulary(self, rng: np.random.Generator) -> Vocabulary:
        """One of the vocabularies."""
        if len(self.vocabularies) == 1:
            return self.vocabularies[0]
        totals = np.array([vocabulary.total for vocabulary in self.vocabularies])
        return self.vocabularies[int(rng.choice(len(totals), p=totals / totals.sum()))]

    def word(self, rng: np.random.Generator) -> str:
        """One word as the files write it."""
        return self.vocabulary(rng).word(rng)

    def words(self, rng: np.random.Generator, count: int) -> list[str]:
        """``count`` words of one language."""
        vocabulary = self.vocabulary(rng)
        return [vocabulary.word(rng) for _ in range(count)]

    def sentence(self, rng: np.random.Generator, max_chars: int = 200) -> str:
        """A sentence, or part of a line of the plain text, of at most ``max_chars`` characters."""
        if self.lines and rng.random() < 0.5:
            words = self.lines[int(rng.integers(len(self.lines)))].split()
            return fit_words(words[int(rng.integers(max(1, len(words) // 2))) :], max_chars)
        return fit_words(kinds.punctuate(rng, self.words(rng, int(rng.integers(2, 22)))), max_chars)

    def paragraph(self, rng: np.random.Generator, n_words: int) -> list[str]:
        """About ``n_words`` words of whole sentences, with their punctuation."""
        words: list[str] = []
        while len(words) < n_words:
            words += self.sentence(rng).split()
        return words

    def phrase(self, rng: np.random.Generator, max_chars: int = 60) -> str:
        """One visually separate run of text of a random realistic kind, 1..``max_chars`` characters long."""
        kind = _KINDS[int(np.searchsorted(_KIND_EDGES, rng.random() * _KIND_EDGES[-1], side="right"))][1]
        text = " ".join(kind(self, rng).split())
        return fit_words(kinds.recase(rng, text).split(), max_chars)


def fit_words(words: Sequence[str], max_chars: int) -> str:
    """As many of the first words as fit into ``max_chars`` with single spaces; a first word that is too long is cut."""
    text = words[0][:max_chars] if words else ""
    for word in words[1:]:
        if len(text) + 1 + len(word) > max_chars:
            break
        text += " " + word
    return text


def _read_rows(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"Cannot read the text file {path} ({error}): give a UTF-8 text file.") from error
    return [row for row in map(str.strip, text.splitlines()) if row]


def _count_words(rows: Iterable[str]) -> Counter[str]:
    return Counter(word for row in rows for word in (part.strip(_MARKS) for part in row.split()) if word)


def _fragment(source: TextSource, rng: np.random.Generator) -> str:
    words = source.words(rng, int(rng.integers(1, 8)))
    if rng.random() < 0.3:
        words[int(rng.integers(len(words)))] += str(rng.choice([",", ".", ":", ";", "!", "?", "..."]))
    return " ".join(words)


def _quoted(source: TextSource, rng: np.random.Generator) -> str:
    return kinds.wrap(rng, " ".join(source.words(rng, int(rng.integers(1, 5)))))


def _of_words(make: Callable[[np.random.Generator, Callable[[], str]], str]) -> Kind:
    """A kind that needs words of one language."""

    def kind(source: TextSource, rng: np.random.Generator) -> str:
        vocabulary = source.vocabulary(rng)
        return make(rng, lambda: vocabulary.word(rng))

    return kind


def _plain(make: Callable[[np.random.Generator], str]) -> Kind:
    """A kind that needs no words."""
    return lambda _, rng: make(rng)


Kind = Callable[[TextSource, np.random.Generator], str]

_KINDS: tuple[tuple[float, Kind], ...] = (
    (10, _fragment),
    (20, TextSource.sentence),
    (4, TextSource.word),
    (3, _quoted),
    (4, _of_words(kinds.title)),
    (5, _of_words(kinds.label)),
    (3, _plain(kinds.labelled)),
    (4, _of_words(kinds.item)),
    (3, _of_words(kinds.company)),
    (3, _of_words(kinds.person)),
    (4, _of_words(kinds.street)),
    (3, _of_words(kinds.town)),
    (2, _of_words(kinds.email)),
    (2, _of_words(kinds.url)),
    (2, _of_words(kinds.leader)),
    (2, _of_words(kinds.numbered)),
    (8, _plain(kinds.price)),
    (4, _plain(kinds.number)),
    (4, _plain(kinds.date)),
    (2, _plain(kinds.time)),
    (2, _plain(kinds.date_time)),
    (3, _plain(kinds.code)),
    (2, _plain(kinds.digits)),
    (2, _plain(kinds.phone)),
    (2, _plain(kinds.quantity)),
    (2, _plain(kinds.percentage)),
    (1, _plain(kinds.section)),
    (1.5, _plain(kinds.characters)),
    (0.5, _plain(kinds.mark)),
)
_KIND_EDGES = np.cumsum([weight for weight, _ in _KINDS])
