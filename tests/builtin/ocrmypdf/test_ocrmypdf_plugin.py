"""ocrbatch as OCRmyPDF's engine. OCRmyPDF asks for a tesseract program in every run, whichever engine it uses."""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import ocrmypdf
import PIL.Image
import pypdfium2 as pdfium
import pytest
from ocrmypdf.font import MultiFontManager
from ocrmypdf.fpdf_renderer import Fpdf2PdfRenderer
from ocrmypdf.hocrtransform import HocrParser
from ocrmypdf.pluginspec import OcrEngine

import ocrbatch_ocrmypdf.plugin
from ocrbatch import Chain, __version__
from ocrbatch.outputs.layout import Layout, Line
from ocrbatch.types import PageRef, PageResult, Word
from ocrbatch_ocrmypdf import reading
from ocrbatch_ocrmypdf.engine import OcrbatchEngine
from ocrbatch_ocrmypdf.tree import tree_of

SAMPLES = Path(__file__).parents[3] / "docs/samples"
FONTS = MultiFontManager(Path(ocrmypdf.__file__).parent / "data")
OPTIONS = SimpleNamespace(ocr_engine="ocrbatch", ocrbatch=SimpleNamespace(det="det", rec="rec"))
DPI = 150
needs_tesseract = pytest.mark.skipif(shutil.which("tesseract") is None, reason="OCRmyPDF wants a tesseract program")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page image such as OCRmyPDF hands over."""
    path = tmp_path_factory.mktemp("page") / "page.png"
    PIL.Image.open(SAMPLES / "invoice.jpg").convert("RGB").save(path, dpi=(DPI, DPI))
    return path


@pytest.fixture(scope="module")
def scan(page: Path) -> Path:
    """A PDF of two scanned pages without text."""
    document = pdfium.PdfDocument.new()
    for name in ("invoice.jpg", "letter.jpg"):
        image = pdfium.PdfImage.new(document)
        image.load_jpeg(str(SAMPLES / name))
        width, height = (side * 72 / DPI for side in image.get_px_size())
        image.set_matrix(pdfium.PdfMatrix().scale(width, height))
        added = document.new_page(width, height)
        added.insert_obj(image)
        added.gen_content()
    document.save(page.with_name("scan.pdf"))
    return page.with_name("scan.pdf")


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ocrmypdf", "--output-type", "pdf", "--optimize", "0", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def place(page: pdfium.PdfPage, word: str) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of a word on a page, in pixels of ``DPI``."""
    text = page.get_textpage()
    index, count = text.search(word, match_case=True).get_next()
    boxes = np.array([text.get_charbox(number) for number in range(index, index + count)])
    left, bottom, right, top = *boxes[:, :2].min(axis=0), *boxes[:, 2:].max(axis=0)
    scale, height = DPI / 72, page.get_height()
    return left * scale, (height - top) * scale, right * scale, (height - bottom) * scale


def quad(x: float, y: float, width: float, height: float, degrees: float) -> np.ndarray:
    """A box with its top left corner at a place, turned clockwise about it."""
    angle = np.radians(degrees)
    across, down = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    corners = np.stack([0 * across, width * across, width * across + height * down, height * down])
    return (corners + np.array([x, y])).astype(np.float32)


def expect_words_in_place(document: pdfium.PdfDocument, page: Path) -> None:
    """Some words of the invoice stand on the first page where they are read on its image."""
    words = {word.text: word.points for region in Chain.default().read(page).regions for word in region.words}
    for text in ("Bangladeshi", "Rechnung", "PHILOSOPHY", "24.03.92"):
        left, top, right, bottom = place(document[0], text)
        (x0, y0), (x1, y1) = words[text].min(axis=0).tolist(), words[text].max(axis=0).tolist()
        assert (left, right) == pytest.approx((x0, x1), abs=max(6, 0.05 * (x1 - x0))), text
        assert (top + bottom) / 2 == pytest.approx((y0 + y1) / 2, abs=0.3 * (y1 - y0)), text


@needs_tesseract
def test_a_scan_becomes_searchable(scan: Path, page: Path, tmp_path: Path) -> None:
    done = run("--ocr-engine", "ocrbatch", "--sidecar", tmp_path / "text.txt", scan, tmp_path / "out.pdf")
    assert done.returncode == 0, done.stderr
    document = pdfium.PdfDocument(tmp_path / "out.pdf")
    texts = [page.get_textpage().get_text_range() for page in document]
    texts += (tmp_path / "text.txt").read_text(encoding="utf-8").split("\f")[:2]
    for text in texts[::2]:
        assert {"Bangladeshi", "Rechnung", "PHILOSOPHY", "24.03.92", "AND", "OURSELVES"} <= set(text.split())
    for text in texts[1::2]:
        assert {"Stereotypes", "Trading", "Skeptics", "10-11-1972", "Dear"} <= set(text.split())
    expect_words_in_place(document, page)
    assert f"ocrbatch {__version__}" in document.get_metadata_value("Creator")


@needs_tesseract
@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="needs pdftotext (Debian: poppler-utils)")
def test_the_sandwich_renderer_gives_the_same_text_back(scan: Path, page: Path, tmp_path: Path) -> None:
    engine = ("--ocr-engine", "ocrbatch")
    done = run(*engine, "--pdf-renderer", "sandwich", "--sidecar", tmp_path / "s.txt", scan, tmp_path / "sandwich.pdf")
    assert done.returncode == 0, done.stderr
    told = subprocess.run(["pdftotext", tmp_path / "sandwich.pdf", "-"], capture_output=True, text=True, check=True)
    assert told.stderr == ""
    first, second = told.stdout.split("\f")[:2]
    assert {"Bangladeshi", "Rechnung", "PHILOSOPHY", "24.03.92", "AND", "OURSELVES"} <= set(first.split())
    assert {"Stereotypes", "Trading", "Skeptics", "10-11-1972", "Dear"} <= set(second.split())
    read, found = Counter((tmp_path / "s.txt").read_text(encoding="utf-8").split()), Counter(told.stdout.split())
    assert (read - found).total() <= 0.02 * read.total()  # poppler joins a few that almost touch
    document = pdfium.PdfDocument(tmp_path / "sandwich.pdf")
    expect_words_in_place(document, page)
    before = pdfium.PdfDocument(scan)[0].render().to_numpy()
    assert np.array_equal(document[0].render().to_numpy(), before), "the text can be seen"


def test_a_page_of_text_alone_fits_upon_the_scan(page: Path, tmp_path: Path) -> None:
    OcrbatchEngine.generate_pdf(page, tmp_path / "p.pdf", tmp_path / "p.txt", OPTIONS)
    document = pdfium.PdfDocument(tmp_path / "p.pdf")
    width, height = PIL.Image.open(page).size
    assert document[0].get_size() == pytest.approx((width * 72 / DPI, height * 72 / DPI), abs=0.1)
    assert np.all(document[0].render().to_numpy() == 255)
    expect_words_in_place(document, page)
    assert "Rechnung" in (tmp_path / "p.txt").read_text(encoding="utf-8")


@needs_tesseract
def test_models_are_loaded_once_however_many_pages_and_threads(
    scan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[tuple[str, str]] = []
    empty = PageResult(PageRef("page.png"), "", 100, 100, ())

    def load(det: str, rec: str, *, threads: int) -> object:
        assert threads == 1
        loaded.append((det, rec))
        return SimpleNamespace(read=lambda path: empty)  # noqa: ARG005

    monkeypatch.setattr(reading, "Chain", SimpleNamespace(load=load))
    reading._load.cache_clear()
    settings = {"output_type": "pdf", "optimize": 0, "progress_bar": False, "jobs": 2, "use_threads": True}
    assert ocrmypdf.ocr(scan, tmp_path / "out.pdf", ocr_engine="ocrbatch", **settings) == 0
    reading._load.cache_clear()
    assert loaded == [("det", "rec")]


@needs_tesseract
def test_processes_instead_of_threads_work_as_well(scan: Path, tmp_path: Path) -> None:
    done = run("--ocr-engine", "ocrbatch", "--no-use-threads", "--jobs", 2, scan, tmp_path / "out.pdf")
    assert done.returncode == 0, done.stderr
    assert "Rechnung" in pdfium.PdfDocument(tmp_path / "out.pdf")[0].get_textpage().get_text_range()


@needs_tesseract
def test_a_wrong_bundle_is_said_in_a_sentence(scan: Path, tmp_path: Path) -> None:
    done = run("--ocr-engine", "ocrbatch", "--ocrbatch-rec", tmp_path / "no.ocrb", scan, tmp_path / "out.pdf")
    assert done.returncode == ocrmypdf.ExitCode.bad_args
    assert "no.ocrb" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out.pdf").exists()


def test_it_stands_back_unless_it_is_chosen() -> None:
    code = (
        "import sys; from ocrmypdf._plugin_manager import get_plugin_manager; from ocrmypdf.cli import get_parser\n"
        "from types import SimpleNamespace as Options\n"
        "manager = get_plugin_manager([])\n"
        "manager.add_options(parser=(parser := get_parser()))\n"
        "for name in ('auto', 'tesseract', 'none', 'ocrbatch'):\n"
        "    engine = manager.get_ocr_engine(options=Options(ocr_engine=name))\n"
        "    print(name, type(engine).__name__)\n"
        "print(parser.parse_args(['--ocr-engine', 'ocrbatch', 'a', 'b']).ocr_engine)\n"
        "print(sorted({'onnxruntime', 'cv2', 'keras', 'pyarrow', 'ocrbatch.pipeline'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        *("auto TesseractOcrEngine", "tesseract TesseractOcrEngine", "none NullOcrEngine", "ocrbatch OcrbatchEngine"),
        *("ocrbatch", "[]"),
    ]


def test_ocrbatch_needs_no_ocrmypdf() -> None:
    code = "import sys; sys.modules['ocrmypdf'] = None\nfrom ocrbatch.cli.main import cli\ncli(['plugins', 'list'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, "ocrmypdf" in done.stdout + done.stderr) == (0, False)


def test_an_older_ocrmypdf_gets_no_hooks(monkeypatch: pytest.MonkeyPatch) -> None:
    hooks = {"add_options", "check_options", "get_ocr_engine", "register_options"}
    assert hooks <= vars(ocrbatch_ocrmypdf.plugin).keys()
    monkeypatch.delattr(OcrEngine, "generate_ocr")
    for name in hooks:
        monkeypatch.delattr(ocrbatch_ocrmypdf.plugin, name)
    assert not hooks & vars(importlib.reload(ocrbatch_ocrmypdf.plugin)).keys()


@pytest.mark.parametrize("degrees", [0, 0.2, 4, -6, 90, 270])
def test_words_stay_whole_and_in_their_places(tmp_path: Path, degrees: float) -> None:
    texts = ["Größe", "naïve", "12,50€"]
    words = tuple(
        Word(
            text,
            quad(400 + x * np.cos(np.radians(degrees)), 400 + x * np.sin(np.radians(degrees)), 120, 40, degrees),
            1,
        )
        for text, x in zip(texts, (0, 140, 280), strict=True)
    )
    line = Line(" ".join(texts), words[0].points, 0.9, words)
    tree = tree_of(Layout("p.png", 0, 1, 1000, 1000, ((line,),)), DPI)
    Fpdf2PdfRenderer(tree, DPI, FONTS).render(tmp_path / "out.pdf")
    page = pdfium.PdfDocument(tmp_path / "out.pdf")[0]
    assert page.get_textpage().get_text_range().split() == texts
    for word in words:
        left, top, right, bottom = place(page, word.text)
        middle = word.points.mean(axis=0)
        assert ((left + right) / 2, (top + bottom) / 2) == pytest.approx(middle, abs=12), word.text
        assert max(right - left, bottom - top) == pytest.approx(120, abs=15), word.text


def test_hocr_is_what_ocrmypdf_reads(page: Path, tmp_path: Path) -> None:
    OcrbatchEngine.generate_hocr(page, tmp_path / "p.hocr", tmp_path / "p.txt", OPTIONS)
    tree = HocrParser(tmp_path / "p.hocr").parse()
    direct, text = OcrbatchEngine.generate_ocr(page, OPTIONS)
    assert [word.text for word in tree.words] == [word.text for word in direct.words]
    assert [(word.bbox.left, word.bbox.top) for word in tree.words] == [
        pytest.approx((word.bbox.left, word.bbox.top), abs=8) for word in direct.words
    ]
    assert (tmp_path / "p.txt").read_text(encoding="utf-8") == text


@pytest.mark.parametrize("degrees", [-3.0, 0.0, 5.0])
def test_skew_is_measured_the_way_that_ocrmypdf_turns(page: Path, tmp_path: Path, degrees: float) -> None:
    turned = PIL.Image.open(page).rotate(-degrees, PIL.Image.Resampling.BICUBIC, fillcolor="white")
    turned.save(tmp_path / "turned.png")
    assert OcrbatchEngine.get_deskew(tmp_path / "turned.png", OPTIONS) == pytest.approx(degrees, abs=0.5)


def test_an_empty_page_is_level_and_has_no_text(tmp_path: Path) -> None:
    PIL.Image.new("L", (200, 300), 255).save(tmp_path / "empty.png")
    tree, text = OcrbatchEngine.generate_ocr(tmp_path / "empty.png", OPTIONS, 4)
    assert (tree.children, text, tree.page_number, tree.bbox.right) == ([], "", 4, 200)
    assert OcrbatchEngine.get_deskew(tmp_path / "empty.png", OPTIONS) == 0.0


def test_an_empty_page_fits_upon_the_scan_too(tmp_path: Path) -> None:
    PIL.Image.new("L", (200, 300), 255).save(tmp_path / "empty.png")
    OcrbatchEngine.generate_pdf(tmp_path / "empty.png", tmp_path / "p.pdf", tmp_path / "p.txt", OPTIONS)
    assert pdfium.PdfDocument(tmp_path / "p.pdf")[0].get_textpage().get_text_range() == ""


def test_a_damaged_page_image_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"no picture")
    with pytest.raises(ocrmypdf.exceptions.InputFileError, match=r"bad\.png is no picture"):
        OcrbatchEngine.generate_ocr(tmp_path / "bad.png", OPTIONS)


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_which_way_up_a_page_lies_is_found_out(page: Path, tmp_path: Path, quarters: int) -> None:
    lying = PIL.Image.open(page).rotate(-90 * quarters, expand=True)
    lying.save(tmp_path / "page.png")
    found = OcrbatchEngine.get_orientation(tmp_path / "page.png", OPTIONS)
    assert (found.angle, found.confidence) == (90 * quarters, 100)


def test_an_empty_page_lies_upright_for_all_that_is_known(tmp_path: Path) -> None:
    PIL.Image.new("RGB", (300, 400), "white").save(tmp_path / "page.png")
    found = OcrbatchEngine.get_orientation(tmp_path / "page.png", OPTIONS)
    assert (found.angle, found.confidence) == (0, 0)


@needs_tesseract
@pytest.mark.parametrize("quarters", [1, 2])
def test_pages_are_turned_upright(page: Path, tmp_path: Path, quarters: int) -> None:
    lying = PIL.Image.open(page).rotate(-90 * quarters, expand=True)
    lying.save(tmp_path / "scan.pdf", resolution=DPI)
    done = run("--ocr-engine", "ocrbatch", "--rotate-pages", tmp_path / "scan.pdf", tmp_path / "out.pdf")
    assert done.returncode == 0, done.stderr
    document = pdfium.PdfDocument(tmp_path / "out.pdf")
    picture = document[0].render(scale=DPI / 72, rev_byteorder=True).to_numpy()[..., :3]
    upright = Chain.default().read(np.ascontiguousarray(picture))
    assert (upright.warnings, "Bangladeshi" in upright.text) == ((), True)
    assert "Bangladeshi" in document[0].get_textpage().get_text_range()
