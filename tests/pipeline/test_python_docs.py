"""docs/python.md: its snippets run one after another, and the one for processes as a program of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "docs/python.md").read_text("utf-8"), re.DOTALL)
PROGRAM = next(block for block in BLOCKS if "__main__" in block)
COMMENT = re.compile(r"print\(.*\)  # (.+)")


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the sample pages, and this environment's programs on the path."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/samples").symlink_to(ROOT / "docs/samples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=":")
    return tmp_path


@pytest.mark.usefixtures("checkout")
def test_snippets_in_their_order(capfd: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    for block in BLOCKS:
        if block != PROGRAM:
            exec(block, names)
    assert "Rechnung" in names["page"].text
    assert names["fine"].how.dpi == 300
    assert names["lines"].detector is None
    assert names["plain"].recognizer.model != names["chain"].recognizer.model  # its lexicon is part of what it is
    assert "SUPPORT" in " ".join(names["words"]).upper()
    assert "10-11-1972" in "".join(names["texts"])
    printed = capfd.readouterr().out
    (promised,) = COMMENT.findall("".join(BLOCKS))
    assert promised in printed.splitlines()
    assert [line.split()[1] for line in printed.splitlines() if line.startswith("docs/samples/")] == ["ok"] * 3


def test_the_program_reads_in_processes(checkout: Path) -> None:
    (checkout / "program.py").write_text(PROGRAM, encoding="utf-8")
    ended = subprocess.run([sys.executable, "program.py"], capture_output=True, text=True, check=True)
    assert "Rechnung" in ended.stdout
    assert "10-11-1972" in ended.stdout
