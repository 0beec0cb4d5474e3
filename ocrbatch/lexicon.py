"""Words that a recognizer may expect."""

from __future__ import annotations

import hashlib
import io
import math
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ocrbatch.errors import ConfigError

SHORTEST = 3
"""Letters of the shortest word that counts: any two are a word of some language."""

SHIPPED = ("latin",)
"""Names of the lexicons that come with ocrbatch."""

_COMMON = 15_000  # the rank, of eighteen languages together, at which a word is neither likely nor unlikely
_TRUST = 0.3  # exponent of a word's frequency, which by Zipf's law is one over its rank


@dataclass(frozen=True)
class Lexicon:
    """Words, whatever their case, with their ranks: 1 is the most frequent one's."""

    ranks: Mapping[str, int] = field(repr=False)

    @classmethod
    def of(cls, words: Iterable[str]) -> Lexicon:
        """Words in any case, the most frequent first; those shorter than SHORTEST count for nothing."""
        ranks: dict[str, int] = {}
        for rank, word in enumerate(words, 1):
            if len(word) >= SHORTEST:
                ranks.setdefault(unicodedata.normalize("NFC", word).casefold(), rank)
        return cls(ranks)

    def __len__(self) -> int:
        return len(self.ranks)

    def __contains__(self, word: str) -> bool:
        """Whether a word is known, in whatever case."""
        return word.casefold() in self.ranks

    def weight(self, word: str) -> float | None:
        """How likely a word is before it is seen, as a logarithm: 0 for a common one, less for rarer ones; None for one
        that the lexicon lacks."""
        rank = self.ranks.get(word.casefold())
        return None if rank is None else _TRUST * math.log(_COMMON / rank)


def load_lexicon(name_or_path: str) -> Lexicon:
    """``latin``, which comes with ocrbatch, or a UTF-8 file with one word a line, the most frequent first; it may lie
    in a bundle (``my.ocrb/lexicon.txt``). Raises ConfigError."""
    content = io.BytesIO(lexicon_bytes(name_or_path))
    try:
        lexicon = Lexicon.of(io.TextIOWrapper(content, encoding="utf-8-sig").read().split("\n"))
    except UnicodeDecodeError as error:
        raise _unreadable(name_or_path, error) from error
    if not lexicon:
        raise ConfigError(f"The lexicon {name_or_path!r} has no word of {SHORTEST} letters or more: one word a line.")
    return lexicon


def lexicon_bytes(name_or_path: str) -> bytes:
    """What the file of a lexicon holds, named as for :func:`load_lexicon`. Raises ConfigError."""
    shipped = Path(__file__).with_name("lexicons") / f"{name_or_path}.txt"
    path = shipped if name_or_path in SHIPPED else Path(name_or_path)
    try:
        if not path.parent.is_file():
            return path.read_bytes()
        with zipfile.ZipFile(path.parent) as bundle:
            return bundle.read(path.name)
    except (OSError, KeyError, ValueError, RuntimeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise _unreadable(name_or_path, error) from error


def lexicon_sha256(name_or_path: str) -> str:
    """sha256 of the file of a lexicon, named as for :func:`load_lexicon`. Raises ConfigError."""
    return hashlib.sha256(lexicon_bytes(name_or_path)).hexdigest()


def _unreadable(name_or_path: str, error: Exception) -> ConfigError:
    return ConfigError(
        f"Cannot read the lexicon {name_or_path!r} ({error}): give latin, or a text file with one word a line."
    )
