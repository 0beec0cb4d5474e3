from __future__ import annotations

import errno
import io
import re
import shutil
import subprocess
from dataclasses import replace
from html import unescape
from pathlib import Path

import numpy as np
import PIL.Image
import pypdfium2 as pdfium
import pytest
from PIL import ImageDraw

from ocrbatch.data.images import stamp
from ocrbatch.data.problems import MissingFile
from ocrbatch.outputs.conversion import convert
from ocrbatch.outputs.documents import Outcome
from ocrbatch.outputs.layout import layout_of
from ocrbatch.outputs.page_pictures import PageFiles
from ocrbatch.outputs.rows import to_batch
from ocrbatch.outputs.searchable_pdf import SearchablePdf
from ocrbatch.outputs.targets import target_of
from ocrbatch.outputs.writers import writer_of
from ocrbatch.types import PageFailure, PageRef, PageResult, TextRegion, Word

TEXT = "Größe 12 €, naïve façade"


def box(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


def line(text: str, left: float, top: float, right: float, bottom: float, number: int = 0) -> TextRegion:
    """A region whose words have a gap of ten pixels between them."""
    parts = text.split(" ")
    width = (right - left) / len(parts)
    starts = [left + width * index for index in range(len(parts))]
    words = tuple(
        Word(part, box(start, top, start + width - 10, bottom), 0.9) for part, start in zip(parts, starts, strict=True)
    )
    return TextRegion(box(left, top, right, bottom), None, text, 0.9, 0.9, True, number, number, 0, words)


def picture(path: Path, size: tuple[int, int] = (600, 400), **options: object) -> Path:
    """A white page with a red square at its top left corner."""
    canvas = PIL.Image.new("RGB", size, "white")
    ImageDraw.Draw(canvas).rectangle((0, 0, 60, 60), fill="red")
    canvas.save(path, **options)
    return path


def outcome(path: Path, *regions: TextRegion, page: int = 0, n_pages: int = 1, size: tuple[int, int] = (600, 400)):
    return PageResult(PageRef(str(path), page, n_pages), stamp(path)[0], *size, regions, "")


def converted(folder: Path, *outcomes: PageResult | PageFailure, **options: object) -> list[Outcome]:
    results = folder / "r.parquet"
    writer_of("parquet")(results, [to_batch(outcomes)], {})
    told: list[Outcome] = []
    convert(results, target_of(folder / "out", "pdf"), told.append, **options)
    return told


def words_of(path: Path, page: int = 0) -> tuple[str, pdfium.PdfTextPage, tuple[float, float]]:
    opened = pdfium.PdfDocument(path)[page]
    text = opened.get_textpage()
    return text.get_text_range(), text, opened.get_size()


def place(text: pdfium.PdfTextPage, word: str) -> tuple[float, float, float, float]:
    """Left, bottom, right, top of the first time that a word stands on the page, in points."""
    index, count = text.search(word).get_next()
    boxes = [text.get_charbox(number) for number in range(index, index + count)]
    return (*np.min(boxes, axis=0)[:2].tolist(), *np.max(boxes, axis=0)[2:].tolist())


def test_text_comes_back_where_it_was_read(tmp_path: Path) -> None:
    image = picture(tmp_path / "p.png", dpi=(144, 144))
    two = (line(TEXT, 50, 100, 550, 130), line("zweite Zeile", 50, 150, 300, 180, 1))
    assert [found.problem for found in converted(tmp_path, outcome(image, *two))] == [None]
    content, text, size = words_of(tmp_path / "out/p.png.pdf")
    assert content.split() == f"{TEXT} zweite Zeile".split()
    assert [row.split() for row in content.splitlines()] == [TEXT.split(), ["zweite", "Zeile"]]
    assert size == pytest.approx((300, 200), abs=0.1)
    assert place(text, "Größe") == pytest.approx((25, 200 - 65, 25 + 45, 200 - 50), abs=0.7)
    assert place(text, "façade") == pytest.approx((225, 135, 270, 150), abs=0.7)


def test_a_missing_file_takes_no_more_memory_with_each_page() -> None:
    files, traces = PageFiles(), []
    for _ in range(3):
        with pytest.raises(MissingFile) as caught:
            files.picture({"source": "gone.pdf"})
        traces.append(len(caught.traceback))
    assert traces[1:] == traces[:1] * 2


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="needs pdftotext (Debian: poppler-utils)")
def test_poppler_finds_every_word_whole_and_in_its_place(tmp_path: Path) -> None:
    """Accents, signs, other scripts, and the words of lines that slant by some degrees."""
    image = picture(tmp_path / "p.png", dpi=(72, 72))
    regions = [line(TEXT, 50, 20, 550, 50), line("Żółw Straße Ἑλλάς Москва", 50, 70, 550, 100, 1)]
    for number, slope in enumerate((0.05, -0.06), 2):
        level = line("Élan señor Ærø", 50, 110 + 90 * (number - 1), 500, 140 + 90 * (number - 1), number)
        shear = np.array([[1, slope], [0, 1]], np.float32)
        words = tuple(Word(word.text, word.points @ shear, word.score) for word in level.words)
        regions.append(replace(level, points=level.points @ shear, words=words))
    converted(tmp_path, outcome(image, *regions))
    path = tmp_path / "out/p.png.pdf"
    lines = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, text=True, check=True).stdout
    assert sorted(lines.split()) == sorted(word.text for region in regions for word in region.words)
    assert TEXT.split() in [text.split() for text in lines.splitlines()]
    html = subprocess.run(["pdftotext", "-bbox", path, "-"], capture_output=True, text=True, check=True).stdout
    found = re.findall(r'xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)">(.+?)</word>', html)
    boxes = [(unescape(text), *map(float, corners)) for *corners, text in found]
    places = sorted((text, (y0 + y1) / 2, (x0 + x1) / 2, x1 - x0) for text, x0, y0, x1, y1 in boxes)
    words = [word for region in regions for word in region.words]
    middles = [word.points.mean(axis=0).tolist() for word in words]
    expected = sorted(
        (word.text, y, x, float(np.ptp(word.points[:, 0]))) for word, (x, y) in zip(words, middles, strict=True)
    )
    assert [text for text, *_ in places] == [text for text, *_ in expected]
    for (text, *place), (_, *wanted) in zip(places, expected, strict=True):
        assert place == pytest.approx(wanted, abs=2), text


def test_text_cannot_be_seen_and_the_page_can(tmp_path: Path) -> None:
    image = picture(tmp_path / "p.png")
    converted(tmp_path, outcome(image, line("black text", 100, 100, 500, 200)))
    page = pdfium.PdfDocument(tmp_path / "out/p.png.pdf")[0]
    pixels = page.render(scale=600 / page.get_width(), rev_byteorder=True).to_numpy()[..., :3]
    assert pixels.shape == (400, 600, 3)
    assert pixels[100:200, 100:500].min() > 240
    assert np.abs(pixels[20, 20].astype(int) - [255, 0, 0]).max() < 30


def test_pictures_turned_by_exif_stand_upright(tmp_path: Path) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = 6  # shown after a quarter turn clockwise: the square moves to the top right
    image = picture(tmp_path / "p.jpg", (400, 600), exif=exif)
    converted(tmp_path, outcome(image, line("upright", 100, 100, 300, 140)))
    _, text, (width, height) = words_of(tmp_path / "out/p.jpg.pdf")
    assert width / height == pytest.approx(1.5)
    left, _, right, top = place(text, "upright")
    assert (left / width, right / width, 1 - top / height) == pytest.approx((100 / 600, 290 / 600, 0.25), abs=0.01)
    page = pdfium.PdfDocument(tmp_path / "out/p.jpg.pdf")[0]
    pixels = page.render(scale=600 / width, rev_byteorder=True).to_numpy()[..., :3]
    assert pixels[20, 580, 1] < 40
    assert pixels[20, 20, 1] > 220


def test_slanted_and_downward_text_can_be_found(tmp_path: Path) -> None:
    image = picture(tmp_path / "p.png")
    slanted = np.array([[100, 300], [300, 200], [310, 220], [110, 320]], np.float32)
    downwards = np.array([[500, 50], [500, 250], [470, 250], [470, 50]], np.float32)
    regions = [TextRegion(quad, text=text) for quad, text in ((slanted, "slanted"), (downwards, "downwards"))]
    converted(tmp_path, outcome(image, *regions))
    content, text, (width, _) = words_of(tmp_path / "out/p.png.pdf")
    assert sorted(content.split()) == ["downwards", "slanted"]
    scale = 600 / width
    left, bottom, right, top = (value * scale for value in place(text, "downwards"))
    assert (left, right, 400 - top, 400 - bottom) == pytest.approx((470, 500, 50, 250), abs=1)


def test_plain_jpegs_are_kept_byte_for_byte(tmp_path: Path) -> None:
    image = picture(tmp_path / "p.jpg", quality=30)
    converted(tmp_path, outcome(image))
    assert image.read_bytes() in (tmp_path / "out/p.jpg.pdf").read_bytes()


def test_all_pages_of_a_source_make_one_pdf(tmp_path: Path) -> None:
    pages = [PIL.Image.new("L", (300, 200), 255 - 40 * number) for number in range(3)]
    pages[0].save(tmp_path / "p.tif", save_all=True, append_images=pages[1:])
    read = [
        outcome(tmp_path / "p.tif", line(f"page {n}", 10, 10, 200, 40), page=n, n_pages=3, size=(300, 200))
        for n in (0, 2)
    ]
    failed = PageFailure(PageRef(str(tmp_path / "p.tif"), 1, 3), "Timeout", "detect", "It took long.")
    problems = [found.problem for found in converted(tmp_path, read[0], failed, read[1])]
    assert problems == [None, "not read (Timeout: It took long.)", None]
    written = tmp_path / "out/p.tif.pdf"
    assert [words_of(written, number)[0].split() for number in (0, 1)] == [["page", "0"], ["page", "2"]]
    grey = [pdfium.PdfDocument(written)[number].render().to_numpy()[5, 5, 0] for number in (0, 1)]
    assert [int(value) for value in grey] == pytest.approx([255, 175], abs=3)


def test_a_pdf_keeps_the_size_of_its_pages(tmp_path: Path) -> None:
    document = pdfium.PdfDocument.new()
    document.new_page(300, 150)
    document.save(tmp_path / "p.pdf")
    converted(tmp_path, outcome(tmp_path / "p.pdf", line("again", 100, 100, 300, 200), size=(600, 300)))
    _, text, size = words_of(tmp_path / "out/p.pdf.pdf")
    assert size == pytest.approx((300, 150), abs=0.1)
    assert place(text, "again") == pytest.approx((50, 50, 145, 100), abs=0.7)


def test_pages_that_are_gone_or_changed_are_told(tmp_path: Path) -> None:
    kept, changed, gone = (picture(tmp_path / f"{name}.png") for name in ("kept", "changed", "gone"))
    outcomes = [outcome(path, line("text", 10, 10, 90, 30)) for path in (changed, gone, kept)]
    picture(changed, (300, 200))
    gone.unlink()
    problems = [found.problem or "" for found in converted(tmp_path, *outcomes)]
    assert "has changed since" in problems[0]
    assert "Cannot open gone.png" in problems[1]
    assert problems[2] == ""
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["kept.png.pdf"]


def test_pictures_may_have_moved(tmp_path: Path) -> None:
    (tmp_path / "moved/a").mkdir(parents=True)
    image = picture(tmp_path / "moved/a/p.png")
    read = outcome(image, line("text", 10, 10, 90, 30))
    moved = PageResult(PageRef("scans/a/p.png"), read.sha256, 600, 400, read.regions, "")
    assert [found.problem for found in converted(tmp_path, moved, images=tmp_path / "moved")] == [None]


def test_characters_beyond_the_font_stay_visible_to_a_search(tmp_path: Path) -> None:
    image = picture(tmp_path / "p.png")
    converted(tmp_path, outcome(image, line("漢字 \U0001f600\x07 שלום", 10, 10, 590, 60)))
    content, _, _ = words_of(tmp_path / "out/p.png.pdf")
    assert "漢字" in content
    assert "\ufffd" in content


class FullDisk(io.RawIOBase):
    """Takes the first bytes and no more."""

    def open(self, _: str) -> io.RawIOBase:
        return self

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self.left = getattr(self, "left", 500) - len(data)
        if self.left < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return len(data)


def test_a_full_disk_is_said(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    with SearchablePdf(io.BytesIO()) as document:
        document.add_text(layout_of(to_batch([outcome(picture(tmp_path / "a.png"))]).to_pylist()[0]), 72)
        with pytest.raises(OSError, match="No space left"):
            document.save(FullDisk())  # type: ignore[arg-type]
    assert not recwarn.list
