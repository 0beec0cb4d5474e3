from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pipeline_doubles import Quiet, run, write_page, write_tiff

from ocrbatch.pipeline.driver import Progress


class Scale(Quiet):
    """Remembers the memory of all processes over the pages."""

    def __init__(self) -> None:
        super().__init__()
        self.points: list[tuple[int, int]] = []

    def progress(self, progress: Progress) -> None:
        if progress.memory:
            self.points.append((progress.read, progress.memory))


@pytest.mark.slow
def test_memory_does_not_grow_with_the_pages(tmp_path: Path) -> None:
    picture = write_page(tmp_path / "page.png", (10, 10, 20, 10), (10, 40, 30, 10))
    (tmp_path / "in").mkdir()
    for n in range(3000):
        (tmp_path / "in" / f"{n:05d}.png").symlink_to(picture)
    write_tiff(tmp_path / "in" / "long.tif", 500)
    watch = Scale()
    summary = run(tmp_path / "in", out=tmp_path / "r.parquet", watch=watch, workers=2)
    assert summary.counts == {"ok": 3500}
    pages, memory = np.array(watch.points, float).T
    late = pages > 1000
    assert np.polyfit(pages[late], memory[late], 1)[0] * 1000 < 5 * 2**20
