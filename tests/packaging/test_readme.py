"""What README.md says must be true: commands and options exist, exit codes are the real ones, links lead somewhere."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import duckdb
import numpy as np
import pytest

from ocrbatch.cli.main import cli
from ocrbatch.config.recipes import recipes
from ocrbatch.errors import ExitCode
from ocrbatch.outputs.rows import to_batch
from ocrbatch.outputs.writers import write_parquet
from ocrbatch.plugin_system.catalogue import Kind
from ocrbatch.plugin_system.host import Host
from ocrbatch.types import PageFailure, PageRef, PageResult, TextRegion

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted(ROOT.glob("docs/*.md"))]
FENCED = re.compile(r"^ *```bash\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


def commands(text: str) -> list[str]:
    """Lines of fenced bash blocks that call ocrbatch, a trailing backslash joining two."""
    blocks = (block.replace("\\\n", " ") for block in FENCED.findall(text))
    lines = (line.strip() for block in blocks for line in block.splitlines())
    return [line for line in lines if line.startswith("ocrbatch ")]


CASES = [
    pytest.param(line, id=f"{path.name}: {line}") for path in DOCUMENTS for line in commands(path.read_text("utf-8"))
]


@pytest.mark.parametrize("line", CASES)
def test_command_line_is_understood(line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    command: click.Command = cli
    context = click.Context(cli, info_name="ocrbatch")
    while isinstance(command, click.Group):
        name = words.pop(0)
        found = command.get_command(context, name)
        assert found is not None, f"There is no command {name!r}"
        command, context = found, click.Context(found, info_name=name, parent=context)
    values, _, _ = command.make_parser(context).parse_args(args=words)
    required = {parameter.name for parameter in command.params if parameter.required}
    assert {name for name in required if not values.get(str(name))} == set()


def test_there_are_commands_to_check() -> None:
    assert len(CASES) > 10


NAMED = re.compile(r" (?:-c|--augment) (?!finetune\.yml)(\S+)")
"""A recipe in a command; finetune.yml is what docs/training.md has its reader write."""


def test_recipes_are_called_by_their_names_so_that_no_checkout_is_needed() -> None:
    lines = [line for path in DOCUMENTS for line in commands(path.read_text("utf-8"))]
    named = [name for line in lines for name in NAMED.findall(line)]
    assert len(named) > 10
    assert set(named) - {recipe.name for recipe in recipes()} == set()


def test_sample_pages_exist() -> None:
    assert len([path for path in (ROOT / "docs" / "samples").iterdir() if path.suffix in {".jpg", ".png"}]) >= 2


def test_exit_codes_are_listed() -> None:
    table = README.partition("## Exit codes")[2].partition("\n## ")[0]
    assert [int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)] == list(ExitCode)


def test_choices_are_the_installed_plugins() -> None:
    host = Host.load()
    table = README.partition("| | Choices |")[2].partition("\n\n")[0]
    rows = dict(re.findall(r"^\| (\w+)s \| (.+) \|$", table, re.MULTILINE))
    ours = {row.name for row in host.rows if row.distribution == "ocrbatch"}
    named = {kind: set(re.findall(r"`(\w+)`", names)) for kind, names in rows.items()}
    assert named == {kind: set(host.names(Kind(kind))) & ours for kind in ("detector", "recognizer", "backbone")}


def test_the_script_for_checking_runs_the_readmes_test_command() -> None:
    (command,) = re.findall(r"^python -m pytest.*$", README, re.MULTILINE)
    assert (ROOT / ".ci" / "run").read_text(encoding="utf-8").rstrip().endswith(command)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    broken = [link for link in LINK.findall(path.read_text("utf-8")) if not (path.parent / link).exists()]
    assert broken == []


def test_the_query_finds_text(tmp_path: Path) -> None:
    (query,) = re.findall(r"```sql\n(.*?)```", README, re.DOTALL)
    outline = np.zeros((4, 2), np.float32)
    regions = (TextRegion(outline, text="Invoice 7"), TextRegion(outline, text="INVOICE", kept=False))
    outcomes = [
        PageResult(PageRef("a.pdf", 0, 2), "", 9, 9, regions),
        PageFailure(PageRef("a.pdf", 1, 2), "InputError", "decode", "The page is damaged."),
    ]
    write_parquet(tmp_path / "results.parquet", [to_batch(outcomes, None, None)], {})
    found = duckdb.sql(query.replace("results.parquet", str(tmp_path / "results.parquet"))).fetchall()
    assert found == [("a.pdf", 0, "Invoice 7")]
