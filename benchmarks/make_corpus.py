"""Writes word-frequency lists for ``ocrbatch data synth``: ``python benchmarks/make_corpus.py OUT``.

One file a language, ``word<TAB>count`` with the most frequent word first, from the ``wordfreq`` package (Robyn Speer;
its data are under CC-BY-SA 4.0). Counts are per billion words, those of English twenty times that: ``synth`` takes each
file as often as its counts add up, and so more than half of the words are English.
"""

from __future__ import annotations

from pathlib import Path

import click

OTHERS = ("fr", "de", "es", "it", "pt", "nl", "pl", "sv", "da", "nb", "fi", "cs", "hu", "ro", "tr", "ms", "id")
SIZES = {"en": 40_000} | dict.fromkeys(OTHERS, 10_000)
ENGLISH_SHARE = 20


def frequency_list(language: str, size: int) -> str:
    """The ``size`` most frequent words of a language, one ``word<TAB>count`` a line."""
    from wordfreq import top_n_list, word_frequency

    words = top_n_list(language, size, wordlist="best")
    scale = 1e9 * (ENGLISH_SHARE if language == "en" else 1)
    return "".join(f"{word}\t{max(1, round(word_frequency(word, language) * scale))}\n" for word in words)


@click.command()
@click.argument("out", type=click.Path(file_okay=False, path_type=Path))
def main(out: Path) -> None:
    """Write the lists of all languages into the folder OUT."""
    out.mkdir(parents=True, exist_ok=True)
    for language, size in SIZES.items():
        (out / f"{language}.tsv").write_text(frequency_list(language, size), encoding="utf-8")
        click.echo(f"{out / language}.tsv")


if __name__ == "__main__":
    main()
