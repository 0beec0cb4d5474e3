"""Arrays made of buffers are those that pyarrow makes of lists."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocrbatch.outputs import arrow_columns as columns

SAMPLE = Path(__file__).parents[2] / "docs/samples/letter.jpg"
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
FLOATS = st.floats(width=32, allow_nan=False)


def same(made: pa.Array, values: Sequence[Any], kind: pa.DataType) -> None:
    made.validate(full=True)
    assert made.equals(pa.array(values, kind))


@given(st.lists(st.none() | TEXTS))
def test_strings(values: list[str | None]) -> None:
    same(columns.strings(values), values, pa.string())


@given(st.lists(st.none() | FLOATS), st.lists(st.none() | st.integers(-(2**31), 2**31 - 1)))
def test_numbers(floats: list[float | None], integers: list[int | None]) -> None:
    same(columns.numbers(floats, pa.float32()), floats, pa.float32())
    for kind in (pa.int32(), pa.int64()):
        same(columns.numbers(integers, kind), integers, kind)


@given(st.lists(st.booleans()))
def test_booleans(values: list[bool]) -> None:
    same(columns.booleans(values), values, pa.bool_())


@given(st.lists(st.none() | st.lists(TEXTS)))
def test_lists(values: list[list[str] | None]) -> None:
    items = columns.strings([item for value in values if value for item in value])
    same(columns.lists(values, items), values, pa.list_(pa.string()))


@given(st.lists(st.lists(FLOATS, min_size=8, max_size=8)))
def test_quads(values: list[list[float]]) -> None:
    points = [np.array(value, np.float32).reshape(4, 2) for value in values]
    same(columns.quads(points), values, pa.list_(pa.float32(), 8))


@pytest.mark.parametrize("shape", [(3, 2), (5, 2), (4, 3)])
def test_other_shapes_are_no_quads(shape: tuple[int, int]) -> None:
    for points in ([np.zeros(shape, np.float32)], [np.zeros((4, 2), np.float32), np.zeros(shape, np.float32)]):
        with pytest.raises(pa.ArrowInvalid, match=r"is an array \(4, 2\), not"):
            columns.quads(points)


def test_what_fits_into_no_row_is_told() -> None:
    with pytest.raises(pa.ArrowInvalid, match="Not all are int32"):
        columns.numbers([1, "first"], pa.int32())  # type: ignore[list-item]
    with pytest.raises(pa.ArrowInvalid, match="Not all are float"):
        columns.numbers([[1.0, 2.0], 3.0], pa.float32())  # type: ignore[list-item]
    with pytest.raises(pa.ArrowInvalid, match="Not all are strings"):
        columns.strings(["a", 7])  # type: ignore[list-item]


@given(st.lists(st.tuples(TEXTS, FLOATS)))
def test_structs(values: list[tuple[str, float]]) -> None:
    kind = pa.struct([("text", pa.string()), ("score", pa.float32())])
    texts, scores = [text for text, _ in values], [score for _, score in values]
    fields = {"score": columns.numbers(scores, pa.float32()), "text": columns.strings(texts)}
    same(columns.structs(kind, len(values), fields), [{"text": text, "score": score} for text, score in values], kind)


def test_no_page_waits_for_pandas(tmp_path: Path) -> None:
    """Pyarrow imports it for much that can be had without, in the driver and in each worker."""
    marker, stand_in = tmp_path / "imported", tmp_path / "stand-in"
    stand_in.mkdir()
    (stand_in / "pandas.py").write_text(f"open({str(marker)!r}, 'w').close()\nraise ImportError('not this one')\n")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(stand_in), *sys.path])}
    command = [sys.executable, "-m", "ocrbatch", "run", str(SAMPLE), "--out", str(tmp_path / "r.parquet"), "--quiet"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert pq.read_table(tmp_path / "r.parquet").num_rows == 1
    assert not marker.exists()
