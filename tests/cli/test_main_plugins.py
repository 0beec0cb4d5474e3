"""``ocrbatch plugins``."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from ocrbatch.cli import main
from ocrbatch.cli.main import cli
from ocrbatch.cli.options import pass_host
from ocrbatch.errors import ExitCode
from ocrbatch.plugin_system import host as host_module
from ocrbatch.plugin_system.catalogue import Kind
from ocrbatch.plugin_system.host import Host


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An installed plugin that cannot be imported."""
    (tmp_path / "broken_one.py").write_text("import no_such_module")
    info = tmp_path / "broken_one-1.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-one\nVersion: 1.5\n")
    (info / "entry_points.txt").write_text("[ocrbatch.plugins]\nbroken_one = broken_one\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return "broken_one"


def test_list_is_aligned_and_says_what_is_wrong(broken: str) -> None:
    lines = _run("plugins", "list").output.splitlines()
    assert lines[0].split() == ["name", "kind", "distribution", "version", "status"]
    column = lines[0].index("status")
    assert {line[column:].split()[0] for line in lines[1:]} >= {"ok", "failed"}
    [line] = [line for line in lines if line.startswith(broken)]
    assert line.split()[:5] == [broken, "-", "broken-one", "1.5", "failed"]
    assert line.endswith("ModuleNotFoundError: No module named 'no_such_module'")
    assert any(line.split()[:3] == ["db", "detector", "ocrbatch"] for line in lines)


def test_list_as_json(broken: str) -> None:
    records = json.loads(_run("plugins", "list", "--json").stdout)
    record = next(record for record in records if record["entry_point"] == broken)
    assert (record["status"], record["kind"], record["version"]) == ("failed", None, "1.5")
    assert {"name", "kind", "distribution", "version", "status", "entry_point", "reason"} == set(record)


def test_strict_turns_a_failed_row_into_exit_code_3_after_the_list(broken: str) -> None:
    result = _run("--strict-plugins", "plugins", "list")
    assert result.exit_code == ExitCode.PLUGIN
    assert "db " in result.stdout
    assert "'broken_one' of broken-one 1.5" in result.stderr
    assert _run("--strict-plugins", "--disable-plugin", broken, "plugins", "list").exit_code == 0


def test_other_commands_warn_of_broken_plugins_and_go_on(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command("count")
    @pass_host
    def count(host: Host) -> None:
        click.echo(f"{len(host.names(Kind.DETECTOR)) > 0}")

    monkeypatch.setattr(main.LazyGroup, "get_command", lambda *_: count)
    result = _run("plugins")
    assert (result.exit_code, result.stdout) == (0, "True\n")
    assert result.stderr == (
        f"Warning: the plugin {broken!r} of broken-one 1.5 cannot be used: "
        "ModuleNotFoundError: No module named 'no_such_module'.\n"
    )
    strict = _run("--strict-plugins", "plugins")
    assert (strict.exit_code, strict.stdout) == (ExitCode.PLUGIN, "")


def test_disabled_plugin_is_listed_as_blocked() -> None:
    lines = _run("--disable-plugin", "det_db", "plugins", "list").output.splitlines()
    assert any(line.split()[:5] == ["det_db", "-", "ocrbatch", line.split()[3], "blocked"] for line in lines)
    assert not any(line.startswith("db ") for line in lines)


def test_show_gives_provider_and_every_option() -> None:
    output = _run("plugins", "show", "db").output
    assert output.startswith("db (detector), ok, from ocrbatch ")
    assert "\n  input.limit_side: int, >= 32, <= 8192 (default 960)\n" in output
    assert "\n  score_mode: 'fast' | 'slow' (default \"fast\")\n" in output
    fields = {
        field["key"]: field
        for record in json.loads(_run("plugins", "show", "db", "--json").stdout)
        for field in record["config"]
    }
    assert fields["input.divisor"]["default"] == 32
    assert all(field["description"] for field in fields.values())


def test_show_says_why_a_plugin_failed_and_suggests_names(broken: str) -> None:
    assert "no_such_module" in _run("plugins", "show", broken).output
    result = _run("plugins", "show", "dbx")
    assert result.exit_code == ExitCode.PLUGIN
    assert "did you mean 'db'?" in result.stderr


def test_without_metadata_the_list_says_how_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_module, "find_plugins", list)
    assert "pip install -e ." in _run("plugins", "list").output


@pytest.mark.parametrize("name", ["Db", "my_algo", "9lives", "a--b", "-x", "a" * 41, "ünicode", "../up"])
def test_new_refuses_names_that_no_package_can_have(name: str, tmp_path: Path) -> None:
    result = _run("plugins", "new", "--out", str(tmp_path), "--", "det", name)
    assert result.exit_code == ExitCode.PLUGIN
    assert "cannot be the name of a plugin" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_new_refuses_taken_names_and_existing_folders(tmp_path: Path) -> None:
    taken = _run("plugins", "new", "det", "db", "--out", str(tmp_path))
    assert taken.exit_code == ExitCode.PLUGIN
    assert "a detector 'db' already" in taken.stderr
    assert _run("plugins", "new", "det", "fresh", "--out", str(tmp_path)).exit_code == 0
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    again = _run("plugins", "new", "det", "fresh", "--out", str(tmp_path))
    assert again.exit_code == ExitCode.OUTPUT
    assert "exists already" in again.stderr
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
