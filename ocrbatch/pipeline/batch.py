"""A batch run: what it is told, what it tells, and its course from the listing to the final file."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from ocrbatch import __version__
from ocrbatch.config.run import RunConfig
from ocrbatch.data.sources import Selection, common_folder
from ocrbatch.errors import InputError, OutputError
from ocrbatch.outputs.pictures import Drawing
from ocrbatch.outputs.writers import writer_for
from ocrbatch.pipeline.chain import label, open_bundles, postprocessors
from ocrbatch.pipeline.driver import Driver, Progress
from ocrbatch.pipeline.journal import Journal
from ocrbatch.pipeline.ledger import Ledger, PageRow, Tally
from ocrbatch.pipeline.lock import locked
from ocrbatch.pipeline.worker import WorkerStart
from ocrbatch.plugin_system.host import Host

_ROW_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Batch:
    """A run. ``settings`` is all that decides the results: a journal made with others is refused. ``models`` is how
    results call detector and recognizer."""

    paths: Sequence[str]
    target: Path
    start: WorkerStart
    settings: Mapping[str, Any]
    models: tuple[str | None, str | None] = (None, None)
    selection: Selection = field(default_factory=Selection)
    skip: tuple[Path, ...] = ()
    workers: int = 1
    unit_pages: int = 4
    timeout: float = 120.0
    limit: int | None = None
    overwrite: bool = False
    retry_failed: bool = False

    @property
    def journal(self) -> Path:
        """Folder of the journal, beside the output."""
        return self.target.with_name(f"{self.target.name}.journal")


@dataclass(frozen=True, slots=True)
class Summary:
    """How a run ended: ``state`` is written, unchanged (the output was complete) or interrupted."""

    state: str
    counts: Counter[str]
    failures: Counter[str]
    progress: Progress
    stage_seconds: Mapping[str, float] = field(default_factory=dict)


class Watch(Protocol):
    """Who looks on."""

    def progress(self, progress: Progress) -> None:
        """Called several times a second."""
        ...

    def log(self, message: str) -> None:
        """Something that a person may want to know later."""
        ...

    def stopping(self) -> bool:
        """Whether to finish what was begun and stop."""
        ...


def batch_for(
    config: RunConfig,
    host: Host,
    paths: Sequence[str],
    target: Path,
    *,
    threads: int,
    pictures: Path | None,
    **told: Any,
) -> Batch:
    """The batch of a configuration; ``told`` are further fields of :class:`Batch`. Opens the bundles and builds the
    postprocessors once, so that mistakes are found before any work. Raises OcrbatchError."""
    det, rec = open_bundles(config, host)
    postprocessors(config, host)
    settings = config.settings()
    for bundle in filter(None, (det, rec)):
        settings[bundle.kind] = {**settings[bundle.kind], "bundle": bundle.identity}
    drawing = Drawing(_made(pictures), common_folder(paths)) if pictures else None
    arguments = {"config": config, "host": host, "threads": threads, "drawing": drawing}
    return Batch(
        paths,
        target,
        WorkerStart("ocrbatch.pipeline.process:build_processor", arguments, threads),
        settings,
        models=(label(det) if det else None, label(rec) if rec else None),
        skip=(pictures,) if pictures else (),
        unit_pages=config.unit_pages,
        timeout=config.timeout,
        **told,
    )


def _made(folder: Path) -> Path:
    """A folder that is there now. Raises OutputError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"Cannot draw pictures into {folder}: {error.strerror or error}.") from error
    return folder


def run_batch(batch: Batch, watch: Watch) -> Summary:
    """Run to the end, or until ``watch`` asks to stop. Raises OcrbatchError for what no page is to blame for."""
    write = writer_for(batch.target)
    if batch.target.exists() and not any(batch.journal.glob("*.segment")) and not batch.overwrite:
        raise OutputError(
            f"{batch.target} exists and has no journal to go on from: choose another --out, or --overwrite."
        )
    journal = Journal(batch.journal)
    with locked(batch.journal / "lock", batch.target), closing(journal):
        if batch.overwrite:
            journal.clear()
        settings = {"row_format": _ROW_FORMAT, **batch.settings}
        _refuse_other_settings(journal, settings, batch.target)
        with closing(Ledger(batch.journal / "index.sqlite")) as ledger:
            ledger.replay(journal.entries())
            if batch.retry_failed:
                ledger.forget_failures()
            driver = Driver(batch, journal, ledger, watch)
            driver.work(settings)
            tally = ledger.tally(batch.limit)
            if driver.interrupted:
                return Summary("interrupted", tally.counts, tally.failures, driver.progress, driver.stage_seconds)
            if not tally.counts:
                raise InputError(f"Nothing to read: no picture or PDF under {_names(batch.paths)}.")
            config = {"ocrbatch": __version__, "settings": settings}
            state = _finish(batch, journal, ledger, tally, write, config)
            return Summary(state, tally.counts, tally.failures, driver.progress, driver.stage_seconds)


def _finish(batch: Batch, journal: Journal, ledger: Ledger, tally: Tally, write: Any, config: Mapping[str, Any]) -> str:
    """Write the final file unless it is there already, as this very journal would make it."""
    marker = batch.journal / "finished.json"
    if marker.exists() and batch.target.exists() and marker.read_text() == _mark(tally.digest, batch.target):
        return "unchanged"
    write(batch.target, _batches(journal, ledger.rows(batch.limit)), config)
    partial = marker.with_suffix(".partial")
    partial.write_text(_mark(tally.digest, batch.target))
    partial.replace(marker)
    return "written"


def _mark(digest: str, target: Path) -> str:
    status = target.stat()
    return json.dumps({"digest": digest, "size": status.st_size, "mtime_ns": status.st_mtime_ns})


def _batches(journal: Journal, rows: Iterable[PageRow]) -> Iterator[pa.RecordBatch]:
    """Rows from the journal, in the order asked for."""
    for place, wanted in groupby(rows, key=lambda row: row.place):
        yield journal.rows(place).take(pa.array([row.position for row in wanted]))


def _refuse_other_settings(journal: Journal, settings: Mapping[str, Any], target: Path) -> None:
    now = _flat(settings)
    for earlier in journal.settings():
        before = _flat(earlier)
        differing = [name for name in sorted({*before, *now}) if before.get(name) != now.get(name)]
        if differing:
            changes = "; ".join(f"{name} was {_value(before, name)}, now {_value(now, name)}" for name in differing)
            raise OutputError(
                f"{target} was begun with other settings: {changes}. Start with the same settings, choose another "
                f"--out, or use --overwrite to begin anew."
            )


def _flat(values: Any, name: str = "") -> dict[str, Any]:
    if isinstance(values, Mapping):
        pairs = [(str(key), value) for key, value in values.items()]
    elif isinstance(values, list | tuple) and any(isinstance(value, Mapping) for value in values):
        pairs = [(str(number), value) for number, value in enumerate(values)]
    else:
        return {name: list(values) if isinstance(values, tuple) else values}
    flat: dict[str, Any] = {}
    for key, value in pairs:
        flat |= _flat(value, f"{name}.{key}" if name else key)
    return flat


def _value(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name, "not set")
    text = value if isinstance(value, str) else json.dumps(value)
    return f"{text[:12]}..." if len(text) == 64 else text


def _names(paths: Sequence[str]) -> str:
    shown = ", ".join(paths[:3])
    return f"{shown} and {len(paths) - 3} more" if len(paths) > 3 else shown or os.curdir
