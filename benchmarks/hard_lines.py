"""Which rendered lines are worth training on next: those that a recognizer misreads or doubts, and some of the rest.

    python benchmarks/hard_lines.py lines hard --rec rec --easy 0.3

Reading a line costs a quarter of a training step on it, and half of all rendered lines teach a trained recognizer
nothing more. Lines of which more than six characters of ten are misread are left out: nobody could read most of them.
The result is a folder with labels of pictures that stay where they are, and the note of where these come from.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import click
from rapidfuzz.distance import Levenshtein

from ocrbatch import Chain
from ocrbatch.charset import normalize
from ocrbatch.data.labels import LABEL_FILE, LineLabel, read_lines
from ocrbatch.data.pictures import read_picture
from ocrbatch.pipeline.recognize import Recognizer

SURE = 0.93
LOST = 0.6
BATCH = 512


def sort_out(text: str, read: str, score: float) -> str:
    """``easy``, ``hard`` or ``lost``, by what was read of a line that says ``text``."""
    errors = Levenshtein.distance(normalize(read), text)
    if not errors and score > SURE:
        return "easy"
    return "lost" if len(text) > 2 and errors > LOST * len(text) else "hard"


def sorted_lines(recognizer: Recognizer, labels: Sequence[LineLabel]) -> Iterator[tuple[str, LineLabel]]:
    """Each line and how hard it is."""
    rest = iter(labels)
    while part := list(islice(rest, BATCH)):
        readings = recognizer.read([recognizer.line(read_picture(label.image)) for label in part])
        for label, reading in zip(part, readings, strict=True):
            yield sort_out(label.text, reading.text, float(reading.score)), label


@click.command()
@click.argument("labels", type=click.Path(exists=True, path_type=Path))
@click.argument("out", type=click.Path(file_okay=False, path_type=Path))
@click.option("--rec", default="rec", help="Recognizer bundle; the default one when left out.")
@click.option(
    "--easy", default=0.3, show_default=True, type=click.FloatRange(0, 1), help="Share of easy lines to keep."
)
@click.option("--seed", default=0, show_default=True, help="Which of them.")
def main(labels: Path, out: Path, rec: str, easy: float, seed: int) -> None:
    """Write to the folder OUT the labels of those lines of LABELS that are worth training on."""
    recognizer = Chain.load(rec=rec, threads=1).recognizer
    assert recognizer is not None
    groups: dict[str, list[LineLabel]] = {"easy": [], "hard": [], "lost": []}
    lines = read_lines(labels)
    found = sorted_lines(recognizer, lines)
    with click.progressbar(found, len(lines), label="Lines", file=click.get_text_stream("stderr")) as bar:
        for group, label in bar:
            groups[group].append(label)
    kept = groups["hard"] + random.Random(seed).sample(groups["easy"], round(easy * len(groups["easy"])))
    out.mkdir(parents=True, exist_ok=True)
    note = (labels if labels.is_dir() else labels.parent) / "synth.json"
    if note.exists():
        shutil.copy(note, out)
    with (out / LABEL_FILE).open("w", encoding="utf-8") as file:
        for label in sorted(kept, key=lambda label: label.image):
            size = {"height": label.size[0], "width": label.size[1]} if label.size else {}
            row = {"image": str(label.image.resolve()), "text": label.text, **size}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    click.echo(", ".join(f"{len(members)} {group}" for group, members in groups.items()) + f": kept {len(kept)}")


if __name__ == "__main__":
    main()
