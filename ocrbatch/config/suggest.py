"""The closest known word to a misspelt one."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``, did you mean 'x'?`` for the known word closest to ``word``, else ``.``: the end of a sentence."""
    names = {name.lower(): name for name in known}
    close = get_close_matches(word.lower(), list(names), n=1, cutoff=0.5)
    return f", did you mean {names[close[0]]!r}?" if close else "."
