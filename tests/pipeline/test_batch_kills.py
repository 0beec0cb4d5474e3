"""kill -9 of driver and workers at random moments, then the same command: nothing lost, nothing doubled."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pipeline_doubles import run, write_page, write_tiff

DRIVER = """
import sys
from pathlib import Path
from pipeline_doubles import run
if __name__ == "__main__":
    run(Path(sys.argv[1]), out=Path(sys.argv[2]), workers=2, unit_pages=3, arguments={"delay": float(sys.argv[3])})
"""


def table(path: Path) -> pa.Table:
    rows = pq.read_table(path)
    return rows.drop_columns([name for name in rows.column_names if name.startswith("seconds_")])


def start(folder: Path, root: Path, out: Path, delay: float) -> subprocess.Popen[bytes]:
    script = folder / "driver.py"
    script.write_text(DRIVER)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    return subprocess.Popen([sys.executable, str(script), str(root), str(out), str(delay)], env=environment)


def segments(out: Path) -> int:
    """Bytes in the journal."""
    return sum(path.stat().st_size for path in out.with_name(f"{out.name}.journal").glob("*.segment"))


def workers_of(driver: int) -> list[psutil.Process]:
    try:
        return [one for one in psutil.Process(driver).children() if "multiprocessing.spawn" in " ".join(one.cmdline())]
    except psutil.Error:
        return []


def kill_somebody(driver: subprocess.Popen[bytes], rng: random.Random, who: str) -> None:
    workers = workers_of(driver.pid)
    if who == "worker" and workers:
        rng.choice(workers).kill()
    else:
        driver.send_signal(signal.SIGKILL)
        driver.wait()
        psutil.wait_procs(workers, timeout=30)
        assert not any(worker.is_running() for worker in workers), "a worker outlived its driver"


def run_with_kills(tmp_path: Path, kills: int, n_files: int, delay: float) -> None:
    root = tmp_path / "in"
    for n in range(n_files):
        write_page(root / f"{n:03d}.png", (10, 10, 20 + n % 90, 10))
    write_tiff(root / "005.tif", n_files)
    run(root, out=tmp_path / "fresh.parquet")
    rng = random.Random(5)
    out = tmp_path / "r.parquet"
    driver = start(tmp_path, root, out, delay)
    for number in range(kills):
        written = segments(out)
        deadline = time.monotonic() + 60
        while driver.poll() is None and segments(out) == written and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(rng.uniform(0, 0.3))
        if driver.poll() is not None:
            break
        kill_somebody(driver, rng, "driver" if number % 2 else "worker")
        if driver.poll() is not None:
            driver = start(tmp_path, root, out, delay)
    assert driver.wait(timeout=300) == 0
    assert number == kills - 1, "the run ended before all kills"
    rows = pq.read_table(out)
    places = list(zip(rows["source"].to_pylist(), rows["page"].to_pylist(), strict=True))
    assert len(places) == len(set(places)) == 2 * n_files
    assert table(out).equals(table(tmp_path / "fresh.parquet"))


def test_a_few_kills(tmp_path: Path) -> None:
    run_with_kills(tmp_path, kills=4, n_files=30, delay=0.05)


@pytest.mark.slow
def test_twenty_kills(tmp_path: Path) -> None:
    run_with_kills(tmp_path, kills=20, n_files=150, delay=0.1)
