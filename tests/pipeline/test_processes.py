"""Processes that are started before anybody knows what for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from multiprocessing.connection import Connection
from pathlib import Path

import psutil
import pytest
from pipeline_doubles import Quiet, batch, write_page, write_tiff

from ocrbatch.cli.run import soon_needed
from ocrbatch.pipeline.batch import run_batch
from ocrbatch.pipeline.local_workers import LocalWorkers
from ocrbatch.pipeline.processes import Processes
from ocrbatch.pipeline.units import Unit
from ocrbatch.pipeline.worker import Ready, StartFailed, WorkerStart

SECONDS = 60.0


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in which all temporary files are made."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


@pytest.fixture
def processes(scratch: Path) -> Iterator[Processes]:
    assert scratch.is_dir()
    with closing(Processes("pipeline_doubles", 1)) as processes:
        yield processes


def answer(pipe: Connection) -> object:
    assert pipe.poll(SECONDS), "no answer"
    return pipe.recv()


def children() -> list[psutil.Process]:
    return [one for one in psutil.Process().children() if "multiprocessing.spawn" in " ".join(one.cmdline())]


def test_those_that_wait_are_taken_first_and_told_once(processes: Processes) -> None:
    before = len(children())
    processes.prepare(1)
    processes.tell(WorkerStart("pipeline_doubles:build"))
    taken = [processes.take(), processes.take()]
    assert len(children()) == before + 2
    for process, pipe in taken:
        assert isinstance(answer(pipe), Ready)
        assert not pipe.poll(0.1)
        process.kill()
        process.join()


def test_those_that_were_never_told_end_with_the_run_and_leave_nothing(scratch: Path) -> None:
    processes = Processes("pipeline_doubles", 1)
    before = len(children())
    processes.prepare(2)
    assert len(children()) == before + 2
    assert list(scratch.iterdir())
    processes.close()
    processes.close()
    assert len(children()) == before
    assert not list(scratch.iterdir())


def test_a_process_whose_pipe_is_closed_before_it_was_told_ends_by_itself(processes: Processes) -> None:
    processes.tell(WorkerStart("pipeline_doubles:build"))
    process, pipe = processes.take()
    pipe.close()
    process.join(SECONDS)
    assert process.exitcode in (0, 1)


def test_what_cannot_be_imported_is_said(scratch: Path) -> None:
    assert scratch.is_dir()
    with closing(Processes.told(WorkerStart("no_such_module:build"))) as processes:
        process, pipe = processes.take()
        message = answer(pipe)
        assert isinstance(message, StartFailed)
        assert "no_such_module" in str(message.error)
        process.join(SECONDS)


def test_ctrl_c_never_reaches_a_process_that_is_still_starting(processes: Processes) -> None:
    processes.tell(WorkerStart("pipeline_doubles:build"))
    process, pipe = processes.take()
    assert process.pid is not None
    os.kill(process.pid, signal.SIGINT)
    assert isinstance(answer(pipe), Ready)
    process.kill()
    process.join()


def test_a_prepared_process_that_died_is_replaced(tmp_path: Path, processes: Processes) -> None:
    write_page(tmp_path / "in" / "a.png", (10, 10, 20, 8))
    told = batch(tmp_path / "in", out=tmp_path / "r.jsonl")
    before = {one.pid for one in children()}
    processes.prepare(1)
    for one in children():
        if one.pid not in before:
            one.kill()
            one.wait(SECONDS)
    processes.tell(told.start)
    assert run_batch(told, Quiet(), processes).counts == {"ok": 1}


def test_units_shrink_towards_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(9):
        write_page(tmp_path / "in" / f"{n}.png", (10, 10, 20, 8))
    write_tiff(tmp_path / "in" / "book.tif", 12)
    submitted: list[int] = []
    submit = LocalWorkers.submit

    def noted(self: LocalWorkers, unit: Unit) -> None:
        submitted.append(sum(1 if span.stop is None else span.stop - span.first for span in unit.spans))
        submit(self, unit)

    monkeypatch.setattr(LocalWorkers, "submit", noted)
    out = tmp_path / "r.jsonl"
    assert run_batch(batch(tmp_path / "in", out=out, workers=2, unit_pages=4), Quiet()).counts["ok"] == 21
    assert max(submitted[:-2]) > 1
    assert submitted[-2:] == [1, 1]
    submitted.clear()
    told = batch(tmp_path / "in", out=out, workers=1, unit_pages=4, overwrite=True)
    assert run_batch(told, Quiet()).counts["ok"] == 21
    assert len(submitted) <= 7  # a single worker never waits for another


@pytest.mark.parametrize(
    ("inputs", "workers", "ray", "expected"),
    [
        (["a.png"], 8, None, 1),
        (["."], 8, None, 2),
        (["."], 1, None, 1),
        (["a.png", "b.png"], 8, None, 2),
        (["s3://bucket/scans"], 8, None, 2),
        (["."], None, "auto", 0),
    ],
)
def test_workers_that_are_started_at_once(
    inputs: list[str], workers: int | None, ray: str | None, expected: int
) -> None:
    assert soon_needed(inputs, workers, ray) == expected


def test_a_run_imports_nothing_that_its_workers_alone_need() -> None:
    program = "import sys, ocrbatch.pipeline.batch as _; print(sorted(sys.modules))"
    modules = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    for unwanted in ("pypdfium2", "onnxruntime", "pandas", "keras", "ocrbatch.pipeline.chain"):
        assert f"'{unwanted}'" not in modules
