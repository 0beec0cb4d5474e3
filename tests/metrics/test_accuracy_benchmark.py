from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "accuracy.py"
FIRST, SECOND = [0, 0, 50, 0, 50, 10, 0, 10], [0, 20, 50, 20, 50, 30, 0, 30]


def pairs(flat: list[int]) -> list[list[int]]:
    return [flat[i : i + 2] for i in range(0, len(flat), 2)]


def region(points: list[int], text: str, *, kept: bool = True) -> dict[str, Any]:
    return {"points": [float(value) for value in points], "polygon": None, "text": text, "kept": kept}


def row(source: str, regions: list[dict[str, Any]] | None, text: str = "") -> dict[str, Any]:
    return {"source": source, "page": 0, "status": "ok", "text": text, "regions": regions}


def accuracy(tmp_path: Path, labels: list[dict[str, Any]], rows: list[dict[str, Any]], suffix: str) -> dict[str, float]:
    label_file = tmp_path / "labels.jsonl"
    label_file.write_text("".join(json.dumps(label) + "\n" for label in labels), encoding="utf-8")
    results = tmp_path / f"results{suffix}"
    if suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), results)
    elif suffix == ".jsonl":
        results.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    else:
        results.write_text(json.dumps(rows), encoding="utf-8")
    scores = tmp_path / "scores.json"
    command = [sys.executable, str(SCRIPT), str(label_file), str(results), "--json", str(scores)]
    subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(scores.read_text(encoding="utf-8"))["ocrbatch"]


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl", ".json"])
def test_pages(tmp_path: Path, suffix: str) -> None:
    truth = [{"points": pairs(FIRST), "text": "Grand Total"}, {"points": pairs(SECOND), "text": "12.50"}]
    labels = [{"image": "a.png", "regions": truth}, {"image": "b.png", "regions": truth[:1]}]
    found = [region(FIRST, "GRAND TOTA"), region(SECOND, "12.50", kept=False)]
    scores = accuracy(tmp_path, labels, [row(str(tmp_path / "a.png"), found), row("moved/b.png", None)], suffix)
    assert scores == pytest.approx(
        {
            "pages": 2,
            "det_precision": 1,
            "det_recall": 1 / 3,
            "det_hmean": 1 / 2,
            "word_precision": 1 / 2,
            "word_recall": 1 / 5,
            "word_f1": 2 / 7,
            "region_cer": (1 + 5 + 10) / 25,
            "without_row": 0,
        }
    )


def test_lines(tmp_path: Path) -> None:
    labels = [{"image": "a.png", "text": "To be"}, {"image": "b.png", "text": "or not"}]
    scores = accuracy(tmp_path, labels, [row("a.png", [region(FIRST, "To be")], "To be")], ".jsonl")
    assert scores["cer"] == pytest.approx(6 / 11)
    assert (scores["accuracy"], scores["lines"], scores["without_row"]) == (0.5, 2, 1)
