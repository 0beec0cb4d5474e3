"""The row that every page becomes, as an Arrow schema."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

from ocrbatch.types import PageFailure, PageResult, TextRegion, Word

Outcome: TypeAlias = PageResult | PageFailure

STAGES = ("decode", "detect", "rectify", "recognize", "post")
"""Stages that are timed; each has a column ``seconds_<stage>``."""

_QUAD = pa.list_(pa.float32(), 8)
_WORD = pa.struct([("text", pa.string()), ("points", _QUAD), ("score", pa.float32())])
_REGION = pa.struct(
    [
        ("points", _QUAD),
        ("polygon", pa.list_(pa.float32())),
        ("text", pa.string()),
        ("det_score", pa.float32()),
        ("rec_score", pa.float32()),
        ("kept", pa.bool_()),
        ("order", pa.int32()),
        ("line", pa.int32()),
        ("block", pa.int32()),
        ("words", pa.list_(_WORD)),
    ]
)
SCHEMA = pa.schema(
    [
        ("source", pa.string()),
        ("page", pa.int32()),
        ("n_pages", pa.int32()),
        ("sha256", pa.string()),
        ("status", pa.string()),
        ("error_kind", pa.string()),
        ("error_stage", pa.string()),
        ("error_message", pa.string()),
        ("warnings", pa.list_(pa.string())),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("text", pa.string()),
        ("regions", pa.list_(_REGION)),
        *((f"seconds_{stage}", pa.float32()) for stage in STAGES),
        ("det_model", pa.string()),
        ("rec_model", pa.string()),
    ]
)
"""``page`` counts from 0. ``points`` are x, y of four corners clockwise from the top left of the text, in pixels of the
page; ``polygon`` is a finer outline when the detector has one. ``text`` and ``regions`` are null for failed pages."""


def status_of(outcome: Outcome) -> str:
    """failed; empty when nothing was found, or nothing that was kept; else ok."""
    if isinstance(outcome, PageFailure):
        return "failed"
    return "ok" if any(region.kept for region in outcome.regions) else "empty"


def to_batch(outcomes: Sequence[Outcome], det_model: str | None = None, rec_model: str | None = None) -> pa.RecordBatch:
    """Rows of some pages, in their order, with how the models are called."""
    models = {"det_model": det_model, "rec_model": rec_model}
    return pa.RecordBatch.from_pylist([{**_row(outcome), **models} for outcome in outcomes], schema=SCHEMA)


def _row(outcome: Outcome) -> dict[str, Any]:
    ref = outcome.ref
    row = {
        "source": ref.source,
        "page": ref.page,
        "n_pages": ref.n_pages,
        "sha256": outcome.sha256 or None,
        "status": status_of(outcome),
    }
    if isinstance(outcome, PageFailure):
        return row | {"error_kind": outcome.kind, "error_stage": outcome.stage, "error_message": outcome.message}
    return row | {
        "warnings": list(outcome.warnings),
        "width": outcome.width,
        "height": outcome.height,
        "text": outcome.text,
        "regions": [_region(region) for region in outcome.regions],
        **{f"seconds_{stage}": seconds for stage, seconds in outcome.seconds.items()},
    }


def _region(region: TextRegion) -> dict[str, Any]:
    return {
        "points": _flat(region.points),
        "polygon": None if region.polygon is None else _flat(region.polygon),
        "text": region.text,
        "det_score": region.det_score,
        "rec_score": region.rec_score,
        "kept": region.kept,
        "order": region.order,
        "line": region.line,
        "block": region.block,
        "words": [_word(word) for word in region.words],
    }


def _word(word: Word) -> dict[str, Any]:
    return {"text": word.text, "points": _flat(word.points), "score": word.score}


def _flat(points: Any) -> list[float]:
    values: list[float] = np.asarray(points, np.float32).ravel().tolist()
    return values
