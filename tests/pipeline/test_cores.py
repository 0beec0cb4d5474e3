from __future__ import annotations

from pathlib import Path

import pytest

from ocrbatch.pipeline.cores import share_cores, usable_cores


@pytest.mark.parametrize(
    ("cores", "workers", "threads", "expected"),
    [
        (8, None, None, (8, 1)),
        (8, 2, None, (2, 4)),
        (8, None, 4, (2, 4)),
        (2, 3, None, (3, 1)),
        (4, 1, 1, (1, 1)),
        (2, 100_000, None, (8, 1)),
        (2, None, 100_000, (1, 8)),
    ],
)
def test_cores_are_shared_out(cores: int, workers: int | None, threads: int | None, expected: tuple[int, int]) -> None:
    assert share_cores(cores, workers, threads) == expected


@pytest.mark.parametrize(
    ("files", "granted"),
    [
        ({"cpu.max": "100000 100000\n"}, 1),
        ({"cpu.max": "20000 100000\n"}, 1),
        ({"cpu.max": "max 100000\n"}, None),
        ({"cpu.max": "nonsense\n"}, None),
        ({"cpu/cpu.cfs_quota_us": "50000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 1),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ({"cpu.max": "100000000 100000\n"}, None),
        ({}, None),
    ],
)
def test_a_container_may_grant_fewer_cores_than_there_are(
    tmp_path: Path, files: dict[str, str], granted: int | None
) -> None:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    assert usable_cores(tmp_path) == (granted or usable_cores(tmp_path / "none"))
