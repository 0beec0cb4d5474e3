"""Other OCR tools behind one interface, for measuring side by side. Each runs on one thread."""

from __future__ import annotations

import csv
import importlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import click
import numpy as np
from scoring import Found, Reader


class Tesseract:
    """The command ``tesseract`` with English: pages in segmentation mode 3, lines in 7. Its regions are its lines."""

    def __init__(self) -> None:
        if shutil.which("tesseract") is None:
            raise click.ClickException("There is no command tesseract: install the package tesseract-ocr.")

    def page(self, image: Path) -> list[Found]:
        return list(_tesseract_lines(self._run(image, "3", "tsv")))

    def line(self, image: Path) -> str:
        return self._run(image, "7").strip()

    def _run(self, image: Path, mode: str, *formats: str) -> str:
        command = ["tesseract", str(image), "stdout", "--psm", mode, "-l", "eng", *formats]
        environment = {**os.environ, "OMP_THREAD_LIMIT": "1"}
        return subprocess.run(command, env=environment, capture_output=True, check=True, encoding="utf-8").stdout


def _tesseract_lines(table: str) -> Iterator[Found]:
    rows = csv.DictReader(table.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    words = [row for row in rows if row["level"] == "5" and row["text"].strip()]
    for _, line in groupby(words, key=lambda row: (row["block_num"], row["par_num"], row["line_num"])):
        members = list(line)
        boxes = np.array([[float(row[name]) for name in ("left", "top", "width", "height")] for row in members])
        left, top = boxes[:, :2].min(axis=0)
        right, bottom = (boxes[:, :2] + boxes[:, 2:]).max(axis=0)
        outline = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
        yield Found(outline, " ".join(row["text"] for row in members))


class RapidOcr:
    """The package ``rapidocr`` with its own default models on ONNX Runtime."""

    def __init__(self) -> None:
        try:
            rapidocr = importlib.import_module("rapidocr")
        except ImportError as error:
            raise click.ClickException("There is no package rapidocr: pip install rapidocr.") from error
        threads = {f"EngineConfig.onnxruntime.{kind}_op_num_threads": 1 for kind in ("intra", "inter")}
        self._read: Any = rapidocr.RapidOCR(params={"Global.log_level": "error", **threads})

    def page(self, image: Path) -> list[Found]:
        result = self._read(str(image))
        if result.boxes is None:
            return []
        return [Found(np.asarray(box, np.float32), text) for box, text in zip(result.boxes, result.txts, strict=True)]

    def line(self, image: Path) -> str:
        result = self._read(str(image), use_det=False, use_cls=False, use_rec=True)
        return " ".join(result.txts or ())


PEERS: dict[str, Callable[[], Reader]] = {"tesseract": Tesseract, "rapidocr": RapidOcr}
