"""The row that every page becomes, as an Arrow schema."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias, TypeVar

import numpy as np
import pyarrow as pa

from ocrbatch.outputs.arrow_columns import booleans, lists, numbers, quads, strings, structs
from ocrbatch.types import PageFailure, PageResult, TextRegion, Word

Outcome: TypeAlias = PageResult | PageFailure
T = TypeVar("T")

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


def page_facts(outcomes: Sequence[Outcome]) -> tuple[tuple[int, str, str], ...]:
    """Number, status and kind of error of some pages, as reports list them."""
    return tuple(
        (outcome.ref.page, status_of(outcome), outcome.kind if isinstance(outcome, PageFailure) else "")
        for outcome in outcomes
    )


def to_batch(outcomes: Sequence[Outcome], det_model: str | None = None, rec_model: str | None = None) -> pa.RecordBatch:
    """Rows of some pages, in their order, with how the models are called."""

    def read(value: Callable[[PageResult], T]) -> list[T | None]:
        return [value(outcome) if isinstance(outcome, PageResult) else None for outcome in outcomes]

    def failed(value: Callable[[PageFailure], T]) -> list[T | None]:
        return [value(outcome) if isinstance(outcome, PageFailure) else None for outcome in outcomes]

    pages = [outcome for outcome in outcomes if isinstance(outcome, PageResult)]
    warnings = strings([text for page in pages for text in page.warnings])
    regions = _regions([region for page in pages for region in page.regions])
    columns = {
        "source": strings([outcome.ref.source for outcome in outcomes]),
        "page": numbers([outcome.ref.page for outcome in outcomes], pa.int32()),
        "n_pages": numbers([outcome.ref.n_pages for outcome in outcomes], pa.int32()),
        "sha256": strings([outcome.sha256 or None for outcome in outcomes]),
        "status": strings([status_of(outcome) for outcome in outcomes]),
        "error_kind": strings(failed(lambda page: page.kind)),
        "error_stage": strings(failed(lambda page: page.stage)),
        "error_message": strings(failed(lambda page: page.message)),
        "warnings": lists(read(lambda page: page.warnings), warnings),
        "width": numbers(read(lambda page: page.width), pa.int32()),
        "height": numbers(read(lambda page: page.height), pa.int32()),
        "text": strings(read(lambda page: page.text)),
        "regions": lists(read(lambda page: page.regions), regions),
        "det_model": strings([det_model] * len(outcomes)),
        "rec_model": strings([rec_model] * len(outcomes)),
    }
    times = read(lambda page: page.seconds)
    for stage in STAGES:
        seconds = [None if of_page is None else of_page.get(stage) for of_page in times]
        columns[f"seconds_{stage}"] = numbers(seconds, pa.float32())
    return pa.RecordBatch.from_arrays([columns[name] for name in SCHEMA.names], schema=SCHEMA)


def _regions(regions: Sequence[TextRegion]) -> pa.Array:
    polygons = [None if region.polygon is None else np.asarray(region.polygon).ravel().tolist() for region in regions]
    fields = {
        "points": quads([region.points for region in regions]),
        "polygon": lists(
            polygons, numbers([value for polygon in polygons if polygon for value in polygon], pa.float32())
        ),
        "text": strings([region.text for region in regions]),
        "det_score": numbers([region.det_score for region in regions], pa.float32()),
        "rec_score": numbers([region.rec_score for region in regions], pa.float32()),
        "kept": booleans([region.kept for region in regions]),
        "order": numbers([region.order for region in regions], pa.int32()),
        "line": numbers([region.line for region in regions], pa.int32()),
        "block": numbers([region.block for region in regions], pa.int32()),
        "words": lists(
            [region.words for region in regions], _words([word for region in regions for word in region.words])
        ),
    }
    return structs(_REGION, len(regions), fields)


def _words(words: Sequence[Word]) -> pa.Array:
    fields = {
        "text": strings([word.text for word in words]),
        "points": quads([word.points for word in words]),
        "score": numbers([word.score for word in words], pa.float32()),
    }
    return structs(_WORD, len(words), fields)
