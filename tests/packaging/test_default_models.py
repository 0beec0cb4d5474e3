"""The models that come with the package: inside the wheel, small, and at work in an environment of their own."""

from __future__ import annotations

import json
import subprocess
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
GRAPHS = [f"ocrbatch/models/{kind}/model.onnx" for kind in ("det", "rec")]


def test_both_models_are_in_the_wheel_and_their_graphs_are_small(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        sizes = {info.filename: info.file_size for info in archive.infolist()}
    assert sum(sizes[name] for name in GRAPHS) < 8_600_000


def test_the_samples_are_read_where_the_wheel_is_installed(installed_elsewhere: Path, tmp_path: Path) -> None:
    results = tmp_path / "results.jsonl"
    command = [installed_elsewhere / "ocrbatch", "run", ROOT / "docs" / "samples", "--out", results, "-q"]
    subprocess.run(command, check=True, cwd=tmp_path)
    rows = {Path(row["source"]).stem: row for row in map(json.loads, results.read_text("utf-8").splitlines())}
    assert {name: row["status"] for name, row in rows.items()} == dict.fromkeys(("invoice", "letter", "receipt"), "ok")
    assert "Rechnung" in rows["invoice"]["text"]
    assert "10-11-1972" in rows["letter"]["text"]
