from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from pipeline_doubles import GreyCodec, Same, page, tiny_chain, write_page, write_tiff

from ocrbatch import Chain
from ocrbatch.charset import load_charset
from ocrbatch.config.schema import RecognizerInput
from ocrbatch.contracts import Reading
from ocrbatch.data.ctc_decode import CtcCodec
from ocrbatch.errors import InputError
from ocrbatch.pipeline.recognize import Recognizer, with_texts
from ocrbatch.pipeline.text import page_text
from ocrbatch.types import TextRegion


def box(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


def region(text: str, order: int = -1, line: int = -1, block: int = -1, kept: bool = True) -> TextRegion:
    return TextRegion(box(0, 0, 1, 1), text=text, order=order, line=line, block=block, kept=kept)


def test_a_page_is_read(tmp_path: Path) -> None:
    result = tiny_chain().read(write_page(tmp_path / "p.png", (10, 10, 20, 10), (10, 40, 30, 12)))
    assert result.text == "w20 g10\nw30 g20"
    assert (result.width, result.height, result.ref.n_pages) == (160, 120, 1)
    assert [word.text for word in result.regions[0].words] == ["w20", "g10"]
    assert result.regions[0].words[0].points[0].tolist() == [10, 10]
    assert result.regions[0].words[1].points[0, 0] > result.regions[0].words[0].points[1, 0]


def test_arrays_and_files_of_many_pages(tmp_path: Path) -> None:
    assert tiny_chain().read(page((10, 10, 20, 10))).text == "w20 g10"
    path = write_tiff(tmp_path / "many.tif", 3)
    assert [result.text for result in tiny_chain().read_all(path)] == ["w5 g10", "w6 g10", "w7 g10"]
    assert tiny_chain().read(str(path), page=2).text == "w7 g10"
    with pytest.raises(InputError, match="no page 3"):
        tiny_chain().read(path, page=3)
    with pytest.raises(InputError, match=r"nowhere\.png"):
        tiny_chain().read("nowhere.png")


@pytest.mark.parametrize(
    "picture",
    [np.zeros((0, 0, 3), np.uint8), np.zeros((20, 20), np.uint8), np.zeros((20, 20, 4), np.uint8), np.zeros((9, 9, 3))],
    ids=["empty", "grey", "alpha", "float"],
)
def test_an_array_that_is_no_picture_is_refused(picture: np.ndarray) -> None:
    with pytest.raises(InputError, match=r"must be RGB, uint8, \(H, W, 3\)"):
        tiny_chain().read(picture)


def test_a_line_reads_the_same_whatever_its_neighbours() -> None:
    rng = np.random.default_rng(0)
    recognizer = Recognizer(GreyCodec(), Same(), 3, 1.5, "m")
    lines = [recognizer.line(rng.integers(0, 255, (8, int(width), 3), np.uint8)) for width in rng.integers(1, 140, 20)]
    alone = [recognizer.read([line])[0].text for line in lines]
    assert [reading.text for reading in recognizer.read(lines)] == alone
    order = rng.permutation(20)
    assert [reading.text for reading in recognizer.read([lines[n] for n in order])] == [alone[n] for n in order]


@pytest.mark.parametrize("held", [0, 3000, 10**9])
def test_how_many_outputs_are_decoded_together_changes_nothing(held: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    recognizer = Recognizer(GreyCodec(), Same(), 3, 1.5, "m")
    lines = [recognizer.line(rng.integers(0, 255, (8, int(width), 3), np.uint8)) for width in rng.integers(1, 140, 20)]
    alone = [recognizer.read([line])[0].text for line in lines]
    monkeypatch.setattr("ocrbatch.pipeline.recognize._HELD", held)
    assert [reading.text for reading in recognizer.read(lines)] == alone


def test_padding_beyond_the_next_step_is_not_read() -> None:
    codec, rng = GreyCodec((64, 128, 640)), np.random.default_rng(0)
    pictures = [rng.integers(0, 255, (8, width, 3), np.uint8) for width in (3, 64, 65, 129, 200, 608, 609, 700)]
    trimmed, whole = (Recognizer(codec, Same(), 4, 1.5, "m", step=step) for step in (32, None))
    lines = [trimmed.line(picture) for picture in pictures]
    assert [line.pixels.shape[1] for line in lines] == [64, 64, 96, 160, 224, 608, 640, 640]
    expected = whole.read([whole.line(picture) for picture in pictures])
    for reading, other in zip(trimmed.read(lines), expected, strict=True):
        assert reading.text == other.text


def test_batches_hold_one_shape_and_no_more_than_allowed() -> None:
    shapes: list[tuple[int, ...]] = []

    class Watching(Same):
        def __call__(self, batch: np.ndarray) -> tuple[np.ndarray, ...]:
            shapes.append(batch.shape)
            return super().__call__(batch)

    recognizer = Recognizer(GreyCodec(), Watching(), 4, 1.5, "m")
    recognizer.read([recognizer.line(np.zeros((8, 10 + 50 * (n % 2), 3), np.uint8)) for n in range(10)])
    assert shapes == [(4, 8, 16, 3), (1, 8, 16, 3), (4, 8, 64, 3), (1, 8, 64, 3)]


def test_tall_boxes_are_read_turned_and_single_letters_both_ways() -> None:
    recognizer = Recognizer(GreyCodec(), Same(), 4, 1.5, "m")
    picture = page((10, 10, 10, 100), (50, 10, 20, 40), (90, 10, 40, 20))
    tall = recognizer.views(picture, [TextRegion(box(10, 10, 20, 110))])[0]
    letter = recognizer.views(picture, [TextRegion(box(50, 10, 70, 50))])[0]
    wide = recognizer.views(picture, [TextRegion(box(90, 10, 130, 30))])[0]
    assert [len(views) for views in (tall, letter, wide)] == [1, 2, 1]
    assert tall[0].points.tolist() == box(10, 10, 20, 110)[[1, 2, 3, 0]].tolist()
    assert tall[0].lines[0].pixels.shape[1] >= 64


def test_of_a_box_the_middle_is_read_across_the_text() -> None:
    recognizer = Recognizer(GreyCodec(), Same(), 4, 1.5, "m", crop_height=0.5)
    rows = np.broadcast_to(np.arange(100, dtype=np.uint8)[:, None, None], (100, 100, 3)).copy()

    def seen(picture: np.ndarray, left: int, top: int, right: int, bottom: int) -> list[tuple[int, int]]:
        views = recognizer.views(picture, [TextRegion(box(left, top, right, bottom))])[0]
        lines = [view.lines[0] for view in views]
        read = [line.pixels[:, : round(line.used * line.pixels.shape[1])] for line in lines]
        return [(int(pixels.min()), int(pixels.max())) for pixels in read]

    ((lowest, highest),) = seen(rows, 10, 20, 90, 60)
    assert lowest >= 30
    assert 45 < highest < 50
    columns = np.ascontiguousarray(rows.swapaxes(0, 1))
    ((lowest, highest),) = seen(columns, 20, 0, 60, 100 * 2)
    assert 30 <= lowest < 35
    assert highest < 50
    assert [lowest for lowest, _ in seen(rows, 10, 20, 30, 60)] == [20, 20]  # a letter: which way is not known yet


def test_lines_of_a_gray_page_are_those_of_the_page() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (80, 120, 3), np.uint8)
    picture = np.asarray(cv2.GaussianBlur(noise, (5, 5), 0), np.uint8)
    codec = CtcCodec(RecognizerInput(color="gray", mean=(0.5,), std=(0.5,), widths=(64, 128)), load_charset("ascii"))
    slanted = np.array([[5.5, 42.5], [60.25, 45.5], [60.25, 64], [5.5, 61]], np.float32)
    regions = [TextRegion(box(10, 10, 90, 40)), TextRegion(slanted)]
    in_color = Recognizer(codec, Same(), 4, 1.5, "m").views(picture, regions)
    in_gray = Recognizer(codec, Same(), 4, 1.5, "m", gray=True).views(picture, regions)
    for (one,), (other,) in zip(in_color, in_gray, strict=True):
        assert one.lines[0].pixels.shape == other.lines[0].pixels.shape
        assert np.abs(one.lines[0].pixels.astype(int) - other.lines[0].pixels).max() <= 2


def test_the_more_certain_view_wins_and_any_text_beats_none() -> None:
    spans = np.array([[0, 1]], np.float32)
    upright, turned = box(0, 0, 2, 4), box(0, 0, 2, 4)[[1, 2, 3, 0]]
    sure, unsure = Reading("1", 0.9, spans), Reading("-", 0.3, spans)
    none = Reading("", 0.99, np.zeros((0, 2), np.float32))
    plain = TextRegion(upright)
    one, two, three, four = with_texts(
        [plain] * 4,
        [
            [(upright, sure), (turned, unsure)],
            [(upright, unsure), (turned, sure)],
            [(upright, none), (turned, unsure)],
            [(upright, none)],
        ],
    )
    assert (one.text, three.text, four.text) == ("1", "-", "")
    assert np.array_equal(two.points, turned)
    assert four.rec_score == 0.0


def test_words_stand_where_their_characters_do_on_every_line() -> None:
    def reading(text: str) -> Reading:
        edges = np.linspace(0, 1, len(text) + 1, dtype=np.float32)
        scores = np.linspace(0.5, 0.9, len(text), dtype=np.float32)
        return Reading(text, 0.7, np.stack([edges[:-1], edges[1:]], axis=1), scores)

    texts = ["", "ab  cde ", "   ", "x"]
    boxes = [box(100 * n, 10 * n, 100 * n + 8, 10 * n + 5) for n in range(len(texts))]
    regions = with_texts(
        [TextRegion(points) for points in boxes],
        [[(points, reading(text))] for points, text in zip(boxes, texts, strict=True)],
    )
    assert [[word.text for word in region.words] for region in regions] == [[], ["ab", "cde"], [], ["x"]]
    first, second = regions[1].words
    assert np.allclose(first.points, box(100, 10, 102, 15))
    assert np.allclose(second.points, box(104, 10, 107, 15))
    assert second.score == pytest.approx(reading(texts[1]).scores[4:7].mean())
    assert np.array_equal(regions[3].words[0].points, boxes[3])


def test_text_of_a_page() -> None:
    regions = [
        region("right", 1, 0, 0),
        region("left", 0, 0, 0),
        region("below", 2, 1, 0),
        region("noise", 3, 2, 0, kept=False),
        region("apart", 4, 3, 1),
    ]
    assert page_text(regions) == "left right\nbelow\n\napart"
    assert page_text([region("one"), region(""), region("two")]) == "one\ntwo"
    assert page_text([]) == ""


def test_without_a_recognizer_only_boxes_are_found() -> None:
    chain = tiny_chain()
    found = Chain(chain.detector, None, (), chain.how).read(page((10, 10, 20, 10)))
    assert (len(found.regions), found.text) == (1, "")


def test_without_a_detector_a_picture_is_one_line(tmp_path: Path) -> None:
    chain = tiny_chain()
    Image.new("RGB", (40, 8), (7, 7, 7)).save(tmp_path / "crop.png")
    found = Chain(None, chain.recognizer, (), chain.how).read(tmp_path / "crop.png")
    assert found.text == "w40 g7"
    assert found.regions[0].points.tolist() == [[0, 0], [40, 0], [40, 8], [0, 8]]


def test_importing_the_package_costs_nothing() -> None:
    code = "import sys, ocrbatch; sys.exit(bool({'numpy', 'cv2', 'keras', 'pyarrow'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_runs_imports_no_keras() -> None:
    code = (
        "import sys; from ocrbatch import Chain; import ocrbatch.pipeline.batch, ocrbatch.cli.run;"
        "sys.exit(bool({'keras', 'tensorflow'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
