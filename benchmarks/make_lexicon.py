"""Writes the words that ``--set rec.lexicon=latin`` stands for: ``python benchmarks/make_lexicon.py OUT``.

One word a line, the most frequent first: 40,000 of English and 10,000 of each of seventeen other languages from the
``wordfreq`` package (Robyn Speer; its data are under CC-BY-SA 4.0), and what tills, forms and invoices print, from
ocrbatch's own lists.
"""

from __future__ import annotations

import re
from pathlib import Path

import click
from make_corpus import SIZES

from ocrbatch.data.synth import kinds, till_words
from ocrbatch.data.synth.layouts import items, receipt
from ocrbatch.lexicon import SHORTEST

OWN = (
    *kinds.LABELS,
    *kinds.STREETS,
    *till_words.PHRASES,
    *receipt.TITLES,
    *receipt.TOTALS,
    *receipt.THANKS,
    *items.HEADS,
)
OWN_FREQUENCY = 1e-4  # of all words: on such pages they are as frequent as the commonest words of other pages


def frequencies() -> dict[str, float]:
    """Words in small letters with the share of all words that they make up in the language where it is largest."""
    from wordfreq import top_n_list, word_frequency

    found = {word.casefold(): OWN_FREQUENCY for word in re.findall(r"[^\W\d_]+", " ".join(OWN))}
    for language, size in SIZES.items():
        for word in top_n_list(language, size, wordlist="best"):
            found[word.casefold()] = max(found.get(word.casefold(), 0.0), word_frequency(word, language))
    return {word: frequency for word, frequency in found.items() if len(word) >= SHORTEST and word.isalpha()}


@click.command()
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
def main(out: Path) -> None:
    """Write the list to the file OUT."""
    words = frequencies()
    out.write_text("".join(f"{word}\n" for word in sorted(words, key=lambda word: (-words[word], word))), "utf-8")
    click.echo(f"{len(words)} words in {out}")


if __name__ == "__main__":
    main()
