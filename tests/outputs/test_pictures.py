from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ocrbatch.outputs.pictures import Drawing, draw
from ocrbatch.types import PageRef, TextRegion

WHITE = np.full((200, 300, 3), 255, np.uint8)


def box(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


def dark(picture: np.ndarray) -> int:
    """Number of nearly black pixels."""
    return int((picture.max(axis=2) < 90).sum())


def test_text_stands_beside_the_page_where_it_was_read() -> None:
    picture = np.asarray(draw(WHITE, [TextRegion(box(20, 40, 180, 70), text="Hello world")]))
    assert picture.shape == (200, 600, 3)
    assert dark(picture[:, :300]) == 0
    assert dark(picture[40:70, 320:480]) > 100
    assert dark(picture) == dark(picture[40:70, 320:480])


def test_long_text_is_made_to_fit() -> None:
    picture = np.asarray(draw(WHITE, [TextRegion(box(10, 40, 290, 80), text="long " * 12)]))
    assert dark(picture[:, 300:310]) == 0
    assert dark(picture[:, 590:]) == 0


def test_rejected_regions_are_grey_and_have_no_text() -> None:
    picture = np.asarray(draw(WHITE, [TextRegion(box(20, 40, 180, 70), text="noise", kept=False)]))
    assert (picture[:, 300:] == 255).all()
    assert {tuple(pixel) for pixel in picture[40, 30:170]} == {(153, 153, 153)}


@pytest.mark.parametrize("text", ["Größe 12 €", "漢字かな", "שלום", "नमस्ते", "a\x00b\nc", "\U0001f600", "\ud800", "  "])
def test_any_text_can_be_drawn(text: str) -> None:
    draw(WHITE, [TextRegion(box(20, 40, 180, 70), text=text)])


def test_slanted_vertical_and_degenerate_boxes() -> None:
    slanted = np.array([[50, 100], [150, 60], [160, 85], [60, 125]], np.float32)
    downwards = np.array([[280, 20], [280, 180], [250, 180], [250, 20]], np.float32)
    regions = [TextRegion(quad, text="text") for quad in (slanted, downwards, box(5, 5, 5, 5), box(-50, -9, 900, 900))]
    assert draw(WHITE, regions).size == (600, 200)


def test_large_pages_are_drawn_smaller() -> None:
    assert max(draw(np.full((100, 5000, 3), 255, np.uint8), []).size) <= 4800


def test_equal_names_do_not_meet(tmp_path: Path) -> None:
    drawing = Drawing(tmp_path, "/scans")
    refs = [
        PageRef("/scans/a/1.png"),
        PageRef("/scans/b/1.png"),
        PageRef("/scans/1.png"),
        PageRef("/scans/1.jpg"),
        PageRef("/scans/1.pdf", 0, 2),
        PageRef("/scans/1.pdf", 1, 2),
        PageRef("/other/1.png"),
        PageRef("../1.tif"),
        PageRef("1.tif"),
        PageRef("x" * 250 + ".png"),
    ]
    paths = [drawing.path(ref) for ref in refs]
    assert len(set(paths)) == len(refs)
    assert all(path.is_relative_to(tmp_path) and ".." not in path.parts for path in paths)
    assert paths[0] == tmp_path / "a" / "1.png.jpg"
    assert drawing.write(refs[9], WHITE, []).exists()
    assert Image.open(drawing.write(refs[0], WHITE, [])).size == (600, 200)
