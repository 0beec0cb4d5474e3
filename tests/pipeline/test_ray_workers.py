"""The same units on a Ray cluster give the same file, whatever happens to pages and nodes."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from pipeline_doubles import CRASH, HANG, Quiet, run, write_page, write_tiff

from ocrbatch.cli.main import cli
from ocrbatch.errors import OcrbatchError
from ocrbatch.plugin_system.host import Host

ray = pytest.importorskip("ray", reason="needs the extra ray")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A cluster of one node with one core, whose processes can import the doubles."""
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_worker_niceness", "0")  # else anything else on the machine keeps them from working at all
        cluster = Cluster()
        try:
            add_node(cluster, include_dashboard=False)
            yield cluster
        finally:
            cluster.shutdown()


PORTS = ("metrics_agent_port", "metrics_export_port", "dashboard_agent_listen_port", "runtime_env_agent_port")


def add_node(cluster: Any, **told: Any) -> Any:
    """A node of one core. With ports of its own it need not wait for its agents, for which Ray has little patience."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in PORTS]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        ports = {name: one.getsockname()[1] for name, one in zip(PORTS, sockets, strict=True)}
    try:
        return cluster.add_node(num_cpus=1, **ports, **told)
    except Exception as error:
        if "timed out during startup" in str(error):
            pytest.skip("Ray did not start in its 30 seconds")
        raise


def timeless(path: Path) -> pa.Table:
    table = pq.read_table(path)
    return table.drop_columns([name for name in table.column_names if name.startswith("seconds_")])


def test_pages_that_crash_or_hang_cost_only_themselves(
    cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the cluster's processes are elsewhere: relative paths must find their files
    handler = signal.getsignal(signal.SIGTERM)
    root = Path("in")
    for n in range(3):
        write_page(root / f"{n}.png", (10, 10, 20 + n, 10))
    write_page(root / "crash.png", fate=CRASH)
    write_page(root / "hang.png", fate=HANG)
    write_tiff(root / "5.tif", 5)
    summary = run(root, out=Path("ray.parquet"), ray=cluster.address, workers=None, timeout=8.0)
    assert (summary.counts, summary.failures) == ({"ok": 8, "failed": 2}, {"WorkerCrashed": 1, "Timeout": 1})
    run(root, out=Path("here.parquet"), timeout=8.0)
    assert timeless(Path("ray.parquet")).equals(timeless(Path("here.parquet")))
    assert not ray.is_initialized()
    assert signal.getsignal(signal.SIGTERM) is handler, "Ctrl-C and SIGTERM must stay ours"


def test_models_that_cannot_be_loaded_end_the_run(cluster: Any, tmp_path: Path) -> None:
    write_page(tmp_path / "in" / "a.png")
    with pytest.raises(OcrbatchError, match="no such model"):
        run(tmp_path / "in", out=tmp_path / "r.parquet", build="broken_build", ray=cluster.address)


def test_plugins_that_are_blocked_here_are_blocked_there(cluster: Any, tmp_path: Path) -> None:
    write_page(tmp_path / "in" / "a.png", (10, 10, 20, 10))
    host = Host.load(disable=["det_east"], environ={})
    told = {"build": "guarded_build", "arguments": {"host": host}}
    assert run(tmp_path / "in", out=tmp_path / "r.parquet", ray=cluster.address, **told).counts == {"ok": 1}


@dataclass
class NodeKiller(Quiet):
    """A watch that takes a node away once some pages are read."""

    cluster: Any = None
    node: Any = None

    def progress(self, progress: Any) -> None:
        super().progress(progress)
        if progress.read >= 4 and self.node is not None:
            self.cluster.remove_node(self.node, allow_graceful=False)
            self.node = None


@pytest.mark.slow
def test_a_node_that_is_lost_in_the_middle_costs_nothing(cluster: Any, tmp_path: Path) -> None:
    root = tmp_path / "in"
    for n in range(12):
        write_page(root / f"{n}.png", (10, 10, 20 + n, 10))
    write_tiff(root / "5.tif", 20)
    told: dict[str, Any] = {"unit_pages": 2, "arguments": {"delay": 0.3}}
    killer = NodeKiller(cluster=cluster, node=add_node(cluster))
    cluster.wait_for_nodes()
    summary = run(root, out=tmp_path / "ray.parquet", ray=cluster.address, workers=None, watch=killer, **told)
    assert killer.node is None, "the run ended before the node was killed"
    assert summary.counts == {"ok": 32}
    run(root, out=tmp_path / "here.parquet", **told)
    assert timeless(tmp_path / "ray.parquet").equals(timeless(tmp_path / "here.parquet"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--ray-address", "auto"], "--ray-address is for --executor ray"),
        (["--executor", "ray", "--ray-address", "nonsense"], "Cannot join a Ray cluster at nonsense"),
    ],
)
def test_mistakes_are_one_sentence(tmp_path: Path, options: list[str], words: str) -> None:
    page = write_page(tmp_path / "a.png")
    result = CliRunner().invoke(cli, ["run", str(page), "--out", str(tmp_path / "r.parquet"), *options])
    assert (result.exit_code, words in result.stderr) == (4, True), result.stderr


def test_without_ray_the_message_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    page = write_page(tmp_path / "a.png")
    command = ["run", os.fspath(page), "--out", str(tmp_path / "r.parquet"), "--executor", "ray"]
    result = CliRunner().invoke(cli, command)
    assert result.exit_code == 4
    assert "pip install 'ocrbatch[ray]'" in result.stderr
