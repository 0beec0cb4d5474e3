"""Accuracy on labelled pictures: of a result file of ``ocrbatch run``, of peers, or of both side by side.

    python benchmarks/accuracy.py LABELS.jsonl results.parquet --peers tesseract,rapidocr

Pages get detection precision, recall and hmean (ICDAR 2015: IoU over 0.5, ignored regions neither right nor wrong),
words as a multiset per page (cut at white space, case folded), and the character error rate of regions (case folded,
spaces dropped: each labelled region against all that was found to lie mostly on it, along its direction). Pictures of
lines get exact, case-insensitive and alphanumeric accuracy, 1-NED, CER and WER, with spaces counted.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import click
from peers import PEERS
from scoring import Reader, RowReader, holds_pages, load_rows, score_lines, score_pages

from ocrbatch.data.labels import LineLabel, PageLabel, read_lines, read_pages

EXISTING = click.Path(exists=True, path_type=Path)


@click.command()
@click.argument("labels", type=EXISTING)
@click.argument("results", type=EXISTING, required=False)
@click.option("--peers", default="", metavar="NAME,...", help=f"Tools to run as well: {', '.join(PEERS)}.")
@click.option("--limit", type=click.IntRange(min=1), help="Only so many pictures, the first ones of the labels.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write the scores there too.")
def main(labels: Path, results: Path | None, peers: str, limit: int | None, json_path: Path | None) -> None:
    """Score RESULTS of `ocrbatch run`, and peers, on LABELS (a label file or its folder)."""
    names = [name for name in peers.split(",") if name]
    unknown = set(names) - set(PEERS)
    if unknown or (results is None and not names):
        raise click.UsageError(f"Give RESULTS or --peers with some of {', '.join(PEERS)}.")
    truth = (read_pages(labels) if holds_pages(labels) else read_lines(labels))[:limit]
    scores = {}
    if results is not None:
        reader = RowReader(load_rows(results))
        missing = sum(not reader.has(label.image) for label in truth)
        scores["ocrbatch"] = {**score(truth, reader), "without_row": missing}
    for name in names:
        start = time.perf_counter()
        peer = PEERS[name]()
        scores[name] = {**score(truth, peer), "seconds": time.perf_counter() - start}
    click.echo(table(scores))
    if json_path:
        json_path.write_text(json.dumps(scores, indent=2) + "\n", encoding="utf-8")


def score(truth: list[PageLabel] | list[LineLabel], reader: Reader) -> dict[str, float]:
    """Scores of one reader."""
    pages = [label for label in truth if isinstance(label, PageLabel)]
    lines = [label for label in truth if isinstance(label, LineLabel)]
    return score_pages(pages, reader.page) if pages else score_lines(lines, reader.line)


def table(scores: dict[str, dict[str, float]]) -> str:
    """One row per figure, one column per reader."""
    figures = list(dict.fromkeys(name for column in scores.values() for name in column))
    lines = [" " * 26 + "".join(f"{name:>12}" for name in scores)]
    for figure in figures:
        cells = (_cell(column.get(figure)) for column in scores.values())
        lines.append(f"{figure:<26}" + "".join(f"{cell:>12}" for cell in cells))
    return "\n".join(lines)


def _cell(value: float | None) -> str:
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.4f}"


if __name__ == "__main__":
    main()
