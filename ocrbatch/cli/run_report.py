"""What a person sees of a run: a bar on a terminal, a log file, a closing summary."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from ocrbatch.errors import ExitCode, OutputError
from ocrbatch.outputs.formats import DOCUMENTS

if TYPE_CHECKING:
    from ocrbatch.pipeline.batch import Batch, Summary
    from ocrbatch.pipeline.driver import Progress

_ADVICE: Mapping[str, str] = {
    "ChangedFile": "start again when nobody writes the files any more",
    "DamagedFile": "scan or copy them again",
    "EmptyFile": "they have no content: copy them again",
    "EncryptedFile": "save copies without a password",
    "MissingFile": "look at their place and permissions",
    "PixelLimit": "allow more with --set pixel_limit=NUMBER",
    "Timeout": "give them more time: --timeout SECONDS --retry-failed",
    "UnknownFormat": "they are no pictures: leave them out with --exclude",
    "WorkerCrashed": "try again with fewer --workers (memory) and --retry-failed",
}


class TerminalWatch:
    """Shows progress on a terminal, writes the log, and asks a run to stop at Ctrl-C or SIGTERM."""

    def __init__(self, console: Console, log: TextIO | None) -> None:
        self.console = console
        self._log = log
        self._stopping = False
        columns = (
            SpinnerColumn(),
            MofNCompleteColumn(),
            TextColumn("pages"),
            BarColumn(),
            TextColumn("{task.fields[state]}"),
        )
        self.bar = Bar(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal)
        self._task = self.bar.add_task("", total=None, state="starting")

    def progress(self, progress: Progress) -> None:
        """Move the bar."""
        speed = progress.read / progress.seconds if progress.seconds else 0.0
        state = f"{speed:.1f}/s  {progress.failed} failed  {_bytes(progress.memory)}"
        total = progress.total if progress.listed else None
        self.bar.update(self._task, completed=progress.read + progress.skipped, total=total, state=state)

    def log(self, message: str) -> None:
        """Append a line with the time to the log file; one that cannot be written any more ends, not the run."""
        if self._log is None:
            return
        try:
            self._log.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {message}\n")
            self._log.flush()
        except OSError as error:
            log, self._log = self._log, None
            self.say(f"Warning: the log {log.name} ends here: {error.strerror or error}.")

    def say(self, message: str) -> None:
        """Tell the person, and the log."""
        self.console.print(message, markup=False, highlight=False, soft_wrap=True)
        self.log(message)

    def stopping(self) -> bool:
        """Whether a signal came."""
        return self._stopping

    def stop(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """First signal: finish what was begun. Second one: stop at once."""
        if self._stopping:
            raise KeyboardInterrupt
        self._stopping = True
        self.say("Stopping: finishing the pages that were begun (once more to stop at once).")


@contextmanager
def open_watch(*, quiet: bool, log_file: Path | None) -> Iterator[TerminalWatch]:
    """A watch that catches signals and writes its log as long as the block lasts; its bar needs a block of its own.
    Raises OutputError for a log that cannot be written."""
    try:
        log = log_file.open("a", encoding="utf-8", errors="backslashreplace") if log_file else None
    except OSError as error:
        raise OutputError(f"Cannot write the log {log_file}: {error.strerror or error}.") from error
    watch = TerminalWatch(Console(stderr=True, quiet=quiet), log)
    before = {number: signal.signal(number, watch.stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield watch
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if log is not None:
            with suppress(OSError):  # of a full disk, which was told of
                log.close()


def say_start(watch: TerminalWatch, batch: Batch) -> None:
    """What is going to happen."""
    what = f"Reading shard {batch.shard}" if batch.shard else "Reading"
    workers = "all workers" if batch.workers is None else _count(batch.workers, "worker")
    where = f" on the Ray cluster at {batch.ray}" if batch.ray else ""
    watch.say(f"{what} into {batch.name} with {workers} of {_count(batch.start.threads, 'thread')}{where}.")
    if batch.journal != Path(f"{batch.name.rstrip('/')}.journal"):
        watch.say(f"What is read is kept in {batch.journal} until then.")


def say_summary(watch: TerminalWatch, batch: Batch, summary: Summary) -> None:
    """How it went, and what to do about what went wrong."""
    counts, progress = summary.counts, summary.progress
    pages = sum(counts.values())
    if summary.state == "unchanged":
        watch.say(f"Nothing to do: {batch.name} has all {_count(pages, 'page')} already.")
    elif summary.state in ("interrupted", "given up"):
        if summary.state == "given up":
            watch.say(f"Given up: {_count(progress.failed, 'page')} failed, more than --max-failures allows.")
        watch.say(f"Interrupted: {_count(pages, 'page')} are kept in {batch.journal}.")
        watch.say("Start the same command again to go on" + (" (without --overwrite)." if batch.overwrite else "."))
    else:
        watch.say(f"Wrote {_count(pages, 'page')} to {batch.name}.")
    watch.say(f"  {counts['ok']} ok, {counts['empty']} empty, {counts['failed']} failed")
    if progress.read:
        speed = progress.read / max(progress.seconds, 1e-9)
        peak = _bytes(progress.peak_memory)
        watch.say(
            f"  {progress.read} read now in {progress.seconds:.1f} s: {speed:.2f} pages/s, at most {peak} of memory"
        )
        watch.say(f"  time by stage: {_stages(summary.stage_seconds)}")
    if summary.warned:
        watch.say(f"  {_count(summary.warned, 'page')} with warnings: see their column 'warnings', or --log-file")
    for kind, number in summary.failures.most_common():
        watch.say(f"  {_count(number, 'page')} {kind}: {_ADVICE.get(kind, 'see error_message of these rows')}")
    if summary.left_out:
        watch.say(f"  {_count(summary.left_out, 'page')} left out, whose picture could not be had: see --log-file")
    if summary.failures and batch.output.form in DOCUMENTS:
        watch.say("  Failed pages are left out; --retry-failed reads them again.")
    elif summary.failures:
        watch.say("  Rows with status 'failed' say which and why; --retry-failed reads them again.")


def exit_code(summary: Summary) -> ExitCode:
    """0 when all is well, 10 when pages failed or were left out, 130 when interrupted."""
    if summary.state == "interrupted":
        return ExitCode.INTERRUPTED
    return ExitCode.PARTIAL if summary.counts["failed"] or summary.left_out else ExitCode.OK


def _stages(seconds: Mapping[str, float]) -> str:
    whole = sum(seconds.values()) or 1.0
    return ", ".join(f"{stage} {spent:.1f} s ({spent / whole:.0%})" for stage, spent in seconds.items())


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def _bytes(number: int) -> str:
    return f"{number / 2**20:,.0f} MB"
