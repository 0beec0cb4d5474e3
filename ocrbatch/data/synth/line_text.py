"""What lines of receipts, letters, books and signs say."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np

from ocrbatch.charset import Charset, normalize
from ocrbatch.data.synth import kinds
from ocrbatch.data.synth.optics import Rng
from ocrbatch.data.synth.text import TextSource, fit_words
from ocrbatch.data.synth.till_words import till_phrase

Kind = Literal["receipt", "document", "book", "scene"]


def _alone(rng: Rng) -> str:
    """What stands alone in a narrow column: a count, a tax letter, a colon."""
    share = rng.random()
    if share < 0.75:
        return kinds.digits(rng, 1 if share < 0.5 else 2)
    return kinds.mark(rng) if share < 0.9 else kinds.pick(rng, "ABCEFGKLMNOPRSTVXZ")


def _after_colon(rng: Rng) -> str:
    """The second column of a list of labels and values: the colon stands with the value."""
    value = kinds.pick(
        rng, (kinds.code, kinds.date, kinds.time, kinds.date_time, kinds.number, kinds.price, kinds.digits)
    )
    return kinds.pick(rng, (": ", ": ", ": ", ": ", ":")) + value(rng)


_FIGURES: tuple[Callable[[Rng], str], ...] = (
    kinds.labelled,
    kinds.labelled,
    _after_colon,
    kinds.quantity,
    kinds.price,
    kinds.amount,
    kinds.amount,
    kinds.number,
    kinds.date,
    kinds.time,
    kinds.code,
    kinds.digits,
    _alone,
)


_MARKS = re.compile(r"[;/()\-@*#%&+=]|(?<!\d)[,.:]|[,.:](?!\d)")  # those within numbers and times stay
_RESPACED: Mapping[Kind, float] = {"receipt": 0.3, "document": 0.12, "book": 0.0, "scene": 0.05}


def line_text(rng: Rng, source: TextSource, kind: Kind, charset: Charset) -> str:
    """What a line of ``kind`` says, at least one character and not a space; :func:`label` of it is within the charset.

    A charset without the space gets single words.
    """
    text = ""
    for _ in range(6):
        text = normalize(" ".join(_raw_text(rng, source, kind).split()))
        if kind == "receipt" and rng.random() < 0.45:  # most tills print capitals only
            text = normalize(text.upper())
        if rng.random() < _RESPACED[kind]:
            text = _respaced(rng, text)
        if rng.random() < 0.06:
            text = _one_strange(rng, text, charset)
        if " " not in charset and text:
            text = str(rng.choice(text.split()))
        if text and not charset.unknown(label(text, charset)):
            return text
    text = " ".join("".join(c for c in text if label(c, charset) in charset).split())
    return text or next(c for c in charset.characters if c != " ")


def label(text: str, charset: Charset) -> str:
    """The text as it is labelled: capitals that the charset lacks (as the classic ``en`` does) become small letters."""
    return "".join(c if c in charset or c.lower() not in charset else c.lower() for c in text)


def _raw_text(rng: Rng, source: TextSource, kind: Kind) -> str:
    if kind == "book":
        return _book_line(rng, source)
    if kind == "scene":
        return source.phrase(rng, int(rng.integers(3, 18))) if rng.random() < 0.3 else _scene_word(rng, source)
    if kind == "receipt" and rng.random() < 0.5:
        return till_phrase(rng) if rng.random() < 0.35 else _FIGURES[int(rng.integers(len(_FIGURES)))](rng)
    centre, longest = (9, 45) if kind == "receipt" else (17, 90)
    return source.phrase(rng, int(np.clip(rng.gamma(2.3, centre), 1, longest)))


def _book_line(rng: Rng, source: TextSource) -> str:
    """Part of a paragraph from anywhere in it, its last word now and then divided."""
    words = source.paragraph(rng, 22)
    text = fit_words(words[int(rng.integers(6)) :], int(rng.integers(30, 91)))
    last = text.rsplit(" ", 1)[-1]
    if len(last) > 6 and last.isalpha() and rng.random() < 0.3:
        return text[: -int(rng.integers(2, 4))] + "-"
    return text


def _scene_word(rng: Rng, source: TextSource) -> str:
    word = source.word(rng)[:16]
    case = rng.random()
    return word.upper() if case < 0.5 else word.capitalize() if case < 0.8 else word


def _respaced(rng: Rng, text: str) -> str:
    """The text with a space before or after one of its marks put in, or taken out: tills set them as they like, so
    that they must be seen and cannot be known."""
    places = [mark.start() for mark in _MARKS.finditer(text)]
    if not places:
        return text
    place = int(rng.choice(places))
    before, after = text[:place], text[place + 1 :]
    if rng.random() < 0.5:
        before = before[:-1] if before.endswith(" ") else f"{before} "
    else:
        after = after[1:] if after.startswith(" ") else f" {after}"
    return f"{before}{text[place]}{after}".strip()


def _one_strange(rng: Rng, text: str, charset: Charset) -> str:
    """The text with any character of the charset in one letter's place: all are seen so, and not only in words."""
    places = [n for n, c in enumerate(text) if c != " "]
    characters = [c for c in charset.characters if c != " "]
    if not places:
        return text
    place = int(rng.choice(places))
    return text[:place] + characters[int(rng.integers(len(characters)))] + text[place + 1 :]
