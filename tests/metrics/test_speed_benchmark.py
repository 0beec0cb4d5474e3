from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def speed(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.syspath_prepend(BENCHMARKS)
    return runpy.run_path(str(BENCHMARKS / "speed.py"))


def figures(ours: list[float], reference: list[float]) -> dict[str, Any]:
    times = {"ocrbatch": ours, "reference": reference}
    return {"1": {name: {"seconds": values, "cpu": values} for name, values in times.items()}}


def test_a_busy_round_does_not_count(speed: dict[str, Any]) -> None:
    times = figures([0.2, 1.0, 0.2], [0.1, 0.5, 0.1])["1"]
    assert speed["ratio"](times, "ocrbatch", "reference", "cpu") == pytest.approx(2)
    assert "0.50" in speed["table"]("1 core", times).splitlines()[-1]


@pytest.mark.parametrize(
    ("now", "slower"),
    [
        (figures([0.2], [0.1]), False),
        (figures([0.4], [0.2]), False),  # another machine, half as fast
        (figures([0.21], [0.1]), False),  # within the tolerance
        (figures([0.3], [0.1]), True),
    ],
)
def test_an_earlier_run_compares_by_the_reference(
    speed: dict[str, Any], now: dict[str, Any], slower: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    found = speed["slower_than"]({"cores": figures([0.2], [0.1])}, now, 0.1)
    assert bool(found) == slower
    assert "was 2.000" in capsys.readouterr().out


def test_busy_by_the_clock_alone_is_no_failure(speed: dict[str, Any]) -> None:
    now = figures([0.2], [0.1])
    now["1"]["ocrbatch"]["seconds"] = [0.9]
    assert speed["slower_than"]({"cores": figures([0.2], [0.1])}, now, 0.1) == []


def test_the_networks_and_the_rest_are_the_whole() -> None:
    share = runpy.run_path(str(BENCHMARKS / "network_share.py"))
    result = CliRunner().invoke(share["main"], [str(BENCHMARKS.parent / "docs/samples/letter.jpg"), "--rounds", "1"])
    assert result.exit_code == 0, result.output
    milliseconds = {line[:12].strip(): float(line[12:].split()[0]) for line in result.output.splitlines()}
    assert list(milliseconds) == ["detector", "recognizer", "the rest", "all"]
    whole = milliseconds.pop("all")
    assert min(milliseconds.values()) > 0
    assert sum(milliseconds.values()) == pytest.approx(whole, abs=0.2)
