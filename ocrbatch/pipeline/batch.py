"""A batch run: what it is told, what it tells, and its course from the listing to the final file."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ocrbatch import __version__
from ocrbatch.config.differences import differences
from ocrbatch.data.places import shown_as
from ocrbatch.data.shards import Shard
from ocrbatch.data.sources import Selection
from ocrbatch.errors import ConfigError, InputError, OutputError
from ocrbatch.outputs.lock import locked
from ocrbatch.outputs.target_folders import Parts
from ocrbatch.outputs.targets import Target, refuse_inputs, target_of
from ocrbatch.pipeline.driver import Driver, Progress
from ocrbatch.pipeline.ending import Ending
from ocrbatch.pipeline.journal import Journal
from ocrbatch.pipeline.ledger import open_ledger
from ocrbatch.pipeline.preparation import Preparation
from ocrbatch.pipeline.worker import WorkerStart

if TYPE_CHECKING:
    from ocrbatch.pipeline.processes import Processes

_ROW_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Batch:
    """A run. ``settings`` is all that decides the results: a journal made with others is refused. ``models`` is how
    results call detector and recognizer. With ``ray``, the address of a Ray cluster, workers are there, as many as it
    has room for when ``workers`` is None. More than ``max_failures`` failed pages end it, as an interruption does."""

    paths: Sequence[str]
    target: str | Path
    start: WorkerStart
    settings: Mapping[str, Any]
    models: tuple[str | None, str | None] = (None, None)
    selection: Selection = field(default_factory=Selection)
    skip: tuple[Path, ...] = ()
    workers: int | None = 1
    unit_pages: int = 4
    timeout: float = 120.0
    limit: int | None = None
    max_failures: int | None = None
    overwrite: bool = False
    retry_failed: bool = False
    shard: Shard | None = None
    ray: str | None = None
    journal_at: Path | None = None
    form: str | None = None

    @property
    def output(self) -> Target:
        """Where the results go, in the format ``form`` unless the name of ``target`` says it."""
        return target_of(self.target, self.form)

    @property
    def name(self) -> str:
        """How messages call the output."""
        return self.output.name

    @property
    def journal(self) -> Path:
        """Folder of the journal: beside the output unless another was named, or the output is elsewhere."""
        return self.journal_at or self.output.journal


@dataclass(frozen=True, slots=True)
class Summary:
    """How a run ended: ``state`` is written, unchanged (the output was complete), interrupted, or given up because too
    many pages failed; ``left_out`` counts pages that were read but are in no document, because their picture could not
    be had, ``warned`` those that were read now with warnings."""

    state: str
    counts: Counter[str]
    failures: Counter[str]
    progress: Progress
    stage_seconds: Mapping[str, float] = field(default_factory=dict)
    left_out: int = 0
    warned: int = 0


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


def batch_of(prepared: Preparation, target: str | Path, **told: Any) -> Batch:
    """The batch of what was prepared; ``told`` are further fields of :class:`Batch`."""
    config = prepared.config
    return Batch(
        prepared.paths,
        target,
        prepared.start,
        prepared.settings,
        models=prepared.models,
        skip=(prepared.pictures,) if prepared.pictures else (),
        unit_pages=config.unit_pages,
        timeout=config.timeout,
        **told,
    )


def run_batch(batch: Batch, watch: Watch, processes: Processes | None = None) -> Summary:
    """Run to the end, or until ``watch`` asks to stop, in ``processes`` that were told what to do, or in new ones.
    Raises OcrbatchError for what no page is to blame for."""
    target = batch.output
    target.check()
    if not isinstance(target, Parts):  # those may stand in a folder of pictures
        refuse_inputs(target, batch.paths, "one of the inputs")
    _refuse_impossible_shard(batch, target)
    if not batch.overwrite and not any(batch.journal.glob("*.segment")) and target.mark():
        raise OutputError(
            f"{target.name} exists and has no journal to go on from: choose another --out, or --overwrite."
        )
    journal = Journal(batch.journal)
    with locked(batch.journal / "lock", target.name), closing(journal):
        if batch.overwrite:
            journal.clear()
        settings = {"row_format": _ROW_FORMAT, **batch.settings}
        kept = {"ocrbatch": __version__, **settings, **_bound_to(batch, target)}
        _refuse_other_settings(journal, kept, target.name)
        ending = Ending(batch.journal, target, batch.paths, {"ocrbatch": __version__, "settings": settings})
        if not batch.overwrite:
            ending.refuse_changed()
        with open_ledger(batch.journal / "index.sqlite") as ledger:
            ledger.replay(journal.entries())
            if batch.retry_failed:
                ledger.forget_failures()
            driver = Driver(batch, journal, kept, ledger, watch, processes)
            driver.work()
            tally = ledger.tally(batch.limit)
            summary = partial(
                Summary,
                counts=tally.counts,
                failures=tally.failures,
                progress=driver.progress,
                stage_seconds=driver.stage_seconds,
                warned=driver.warned,
            )
            if driver.interrupted:
                return summary("given up" if driver.gave_up else "interrupted")
            if not tally.counts and not (driver.roll and driver.roll.files):
                raise InputError(f"Nothing to read: no picture or PDF under {_names(batch.paths)}.")
            if not journal.settings():  # a shard without files: the next start must know whose output it is
                journal.start(kept)
            state, left_out = ending.write(journal, ledger, batch.limit, driver.roll, watch.log)
            return summary(state, left_out=left_out)


def _bound_to(batch: Batch, target: Target) -> dict[str, str]:
    """What else a journal goes with: the shard, and the output where the place of the journal does not say it."""
    shard = {"shard": str(batch.shard)} if batch.shard else {}
    return shard | ({"out": target.name} if batch.journal_at else {})


def _refuse_impossible_shard(batch: Batch, target: Target) -> None:
    if batch.shard is None:
        return
    if target.form != "parquet" or isinstance(target, Parts):
        raise OutputError(
            f"A shard's results are one .parquet file, not {target.name}: `ocrbatch merge` makes others of them."
        )
    if batch.limit is not None:
        raise ConfigError("A limit counts the pages of all shards, which no shard knows: leave out --limit or --shard.")


def _refuse_other_settings(journal: Journal, settings: Mapping[str, Any], target: str) -> None:
    for earlier in journal.settings():
        if changes := differences(earlier, settings):
            raise OutputError(
                f"{target} was begun with other settings: {changes}. Start with the same settings, choose another "
                f"--out, or use --overwrite to begin anew."
            )


def _names(paths: Sequence[str]) -> str:
    shown = ", ".join(shown_as(path) for path in paths[:3])
    return f"{shown} and {len(paths) - 3} more" if len(paths) > 3 else shown or os.curdir
