"""Characters and their numbers. A charset is an ordered set of single characters; the space is one of them."""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ocrbatch.errors import ConfigError

_LETTERS_EUROPE = (
    "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿ"
    "ĂăĄąĆćČčĎďĐđĒēĖėĘęĚěĞğĢģĪīĮįİıĶķĹĺĻļĽľŁłŃńŅņŇňŌōŐőŒœŔŕŘřŚśŞşŠšŢţŤťŪūŮůŰűŲųŸŹźŻżŽžȘșȚțẞ"
)
_SIGNS = "€£¥¢₹§©®°±²³µ·¹º¼½¾¿¡«»×÷–—‘’“”„•…™№†‡"

NAMED = {
    "en": string.digits + string.ascii_lowercase,
    "ascii": "".join(chr(code) for code in range(32, 127)),
    "latin": "".join(chr(code) for code in range(32, 127)) + _SIGNS + _LETTERS_EUROPE,
}
"""Charsets by name: ``en`` is the 36 characters of the classic benchmarks, ``ascii`` all 95 printable ones with the
space, ``latin`` adds European letters, currency signs and the typographic marks of print."""

_IN_FILES = ("gb2312",)
"""Larger ones lie in charsets/: ``gb2312`` is ``ascii``, the signs and full-width punctuation of GB/T 2312-1980 (rows 1
and 3) and its 6,763 Chinese characters of both levels."""


@dataclass(frozen=True)
class Charset:
    """An ordered set of characters, NFC, each one code point. Ids are positions from 0; heads add blank, sos or eos."""

    characters: str
    _ids: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        ids = {character: number for number, character in enumerate(self.characters)}
        if not ids:
            raise ConfigError("The charset is empty: name at least one character.")
        if len(ids) != len(self.characters):
            doubled = sorted({c for c in self.characters if self.characters.count(c) > 1})
            raise ConfigError(f"The charset lists {doubled} more than once: each character may stand in it only once.")
        decomposed = [c for c in self.characters if unicodedata.normalize("NFC", c) != c]
        if decomposed:
            raise ConfigError(f"The charset holds {decomposed}, which are not in Unicode's NFC form.")
        object.__setattr__(self, "_ids", ids)

    def __len__(self) -> int:
        return len(self.characters)

    def __contains__(self, character: str) -> bool:
        return character in self._ids

    def encode(self, text: str) -> NDArray[np.int32]:
        """Ids of ``text`` (normalised to NFC), int32, (length,). Raises KeyError naming the first unknown character."""
        return np.array([self._ids[c] for c in normalize(text)], dtype=np.int32)

    def decode(self, ids: Iterable[int]) -> str:
        """Text of ``ids``; raises IndexError for one that is out of range."""
        return "".join([self.characters[number] for number in ids])

    def unknown(self, text: str) -> list[str]:
        """Characters of ``text`` that the charset lacks, in order, repeated as often as they stand there."""
        return [c for c in normalize(text) if c not in self._ids]


def normalize(text: str) -> str:
    """``text`` in Unicode's NFC form."""
    return unicodedata.normalize("NFC", text)


def ctc_steps(text: str) -> int:
    """Output steps that CTC needs for a text: one a character and a blank between equal neighbours."""
    text = normalize(text)
    return len(text) + sum(one == other for one, other in pairwise(text))


def load_charset(name_or_path: str) -> Charset:
    """A charset by name (one of :data:`NAMED`, or ``gb2312``) or from a UTF-8 file with one character a line (a line
    holding one space is the space). Raises ConfigError."""
    if name_or_path in NAMED:
        return Charset(NAMED[name_or_path])
    shipped = Path(__file__).with_name("charsets") / f"{name_or_path}.txt"
    path = shipped if name_or_path in _IN_FILES else Path(name_or_path)
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        names = ", ".join((*NAMED, *_IN_FILES))
        raise ConfigError(
            f"Cannot read the charset {name_or_path!r} ({error}): give one of {names} or a text file."
        ) from error
    lines = [line.removesuffix("\r") for line in lines]
    if lines and lines[-1] == "":
        lines.pop()
    wrong = [number for number, line in enumerate(lines, 1) if len(normalize(line)) != 1]
    if wrong:
        raise ConfigError(f"{path}, line {wrong[0]}: a charset file holds exactly one character a line.")
    return Charset("".join(normalize(line) for line in lines))
