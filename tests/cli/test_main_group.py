"""The command line as a whole: fast, lazy, and one sentence for each error."""

from __future__ import annotations

import errno
import os
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from ocrbatch import __version__
from ocrbatch.cli import main
from ocrbatch.errors import ConfigError, ExitCode

HEAVY = ("keras", "tensorflow", "numpy", "cv2")
LOOK = """
import sys
from click.testing import CliRunner
from ocrbatch.cli.main import cli
result = CliRunner().invoke(cli, {arguments!r})
assert result.exit_code == 0, result.output
print([name for name in {names!r} if name in sys.modules])
"""


def _imported(arguments: list[str], names: tuple[str, ...]) -> str:
    code = LOOK.format(arguments=arguments, names=names)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_help_imports_no_command_no_plugin_and_nothing_heavy() -> None:
    modules = tuple(module for module, _ in main.COMMANDS.values())
    plugins = ("pluggy", "pydantic", "rich", "ocrbatch_det_db", "ocrbatch_det_db.plugin", "ocrbatch.plugin_system.host")
    assert _imported(["--help"], HEAVY + modules + plugins) == "[]"


@pytest.mark.parametrize("arguments", [["plugins", "list"], ["plugins", "list", "--json"], ["plugins", "show", "db"]])
def test_listing_plugins_imports_nothing_heavy(arguments: list[str]) -> None:
    assert _imported(arguments, HEAVY) == "[]"


def test_help_is_fast() -> None:
    def once() -> float:
        before = os.times()
        subprocess.run([sys.executable, "-m", "ocrbatch", "--help"], capture_output=True, check=True)
        after = os.times()
        return after.children_user - before.children_user + after.children_system - before.children_system

    assert min(once() for _ in range(5)) < 0.2  # seconds of processor time: other programs do not count


def test_every_command_of_the_table_is_there_and_can_say_help() -> None:
    overview = CliRunner().invoke(main.cli, ["--help"]).output
    for name, (_, summary) in main.COMMANDS.items():
        assert f"  {name} " in overview
        assert " ".join(summary.split()) in " ".join(overview.split())
        result = CliRunner().invoke(main.cli, [name, "--help"])
        assert result.exit_code == 0, result.output


def test_version() -> None:
    assert CliRunner().invoke(main.cli, ["--version"]).output == f"ocrbatch, version {__version__}\n"


def test_unknown_command_gets_a_suggestion() -> None:
    result = CliRunner().invoke(main.cli, ["plugin"])
    assert result.exit_code == ExitCode.USAGE
    assert "There is no command 'plugin', did you mean 'plugins'?" in result.output


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> dict[str, BaseException]:
    """A command ``fail`` that raises what is put in here."""
    box: dict[str, BaseException] = {}

    @click.command("fail")
    def fail() -> None:
        raise box["error"]

    monkeypatch.setitem(main.COMMANDS, "fail", ("tests.fail", "Fails."))
    original = main.import_module
    fake = type("Module", (), {"command": fail})
    monkeypatch.setattr(main, "import_module", lambda name: fake if name == "tests.fail" else original(name))
    return box


def test_own_errors_are_one_sentence_on_stderr_with_their_exit_code(failing) -> None:
    failing["error"] = ConfigError("The key 'a' is wrong.")
    result = CliRunner().invoke(main.cli, ["fail"])
    assert result.exit_code == ExitCode.CONFIG
    assert result.stderr == "Error: The key 'a' is wrong.\n"
    assert result.stdout == ""


def test_debug_keeps_the_traceback(failing) -> None:
    failing["error"] = ConfigError("The key 'a' is wrong.")
    result = CliRunner().invoke(main.cli, ["--debug", "fail"])
    assert result.exit_code == 1
    assert result.exception is failing["error"]


def test_an_interrupt_is_130(failing) -> None:
    failing["error"] = KeyboardInterrupt()
    result = CliRunner().invoke(main.cli, ["fail"])
    assert result.exit_code == ExitCode.INTERRUPTED
    assert result.stderr == "Interrupted.\n"


def test_an_unexpected_error_is_not_hidden(failing) -> None:
    failing["error"] = ZeroDivisionError("bug")
    result = CliRunner().invoke(main.cli, ["fail"])
    assert result.exit_code == 1
    assert isinstance(result.exception, ZeroDivisionError)


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (PermissionError(errno.EACCES, "Permission denied", "/root/x"), 5, "Error: Permission denied at /root/x ("),
        (OSError(errno.ENAMETOOLONG, "File name too long", "aaa"), 5, "Error: File name too long at aaa ("),
        (OSError(errno.ENOSPC, "No space left on device"), 6, "Error: No space left on device ("),
        (OSError("strange"), 5, "Error: strange ("),
    ],
)
def test_what_no_command_foresaw_of_the_system_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, error: OSError, code: int, said: str
) -> None:
    @click.command("plugins")
    def command() -> None:
        raise error

    monkeypatch.setattr(main.LazyGroup, "get_command", lambda *_: command)
    result = CliRunner().invoke(main.cli, ["plugins"])
    assert (result.exit_code, result.stderr[: len(said)]) == (code, said)
    assert "--debug" in result.stderr
    assert isinstance(CliRunner().invoke(main.cli, ["--debug", "plugins"]).exception, OSError)
