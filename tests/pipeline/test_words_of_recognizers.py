"""Words with their own boxes and scores, from the alignment of each kind of recognizer to the documents of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import PIL.Image
import pypdfium2 as pdfium
import pytest

from ocrbatch import Chain
from ocrbatch.charset import Charset
from ocrbatch.config.schema import RecognizerInput
from ocrbatch.contracts import RecognizerCodec
from ocrbatch.data.ctc_decode import CtcCodec
from ocrbatch.data.images import Reading
from ocrbatch.outputs.conversion import convert
from ocrbatch.outputs.documents import Outcome
from ocrbatch.outputs.rows import to_batch
from ocrbatch.outputs.targets import target_of
from ocrbatch.outputs.writers import writer_of
from ocrbatch.pipeline.recognize import Recognizer
from ocrbatch.types import PageResult
from ocrbatch_rec_rare.codec import AttentionCodec

CHARSET = Charset("Tür zu")
WIDTH, HEIGHT, STEPS = 400, 32, 100
INPUT = RecognizerInput(height=HEIGHT, widths=(WIDTH,))
TEXT, PLACES = "Tür zu", (10, 20, 30, 50, 70, 80)
SCORES = (0.9, 0.9, 0.9, 0.8, 0.6, 0.7)
BOXES = {"Tür": (5 / STEPS, 40 / STEPS), "zu": (60 / STEPS, 85 / STEPS)}
"""Where the words stand, as fractions of the line: characters meet halfway between their places."""


def probabilities(steps: int, classes: int, chosen: dict[int, tuple[int, float]], otherwise: int) -> np.ndarray:
    """(1, steps, classes): at each step the class and its probability, ``otherwise`` where nothing is chosen."""
    rows = np.zeros((1, steps, classes), np.float32)
    for step in range(steps):
        class_, score = chosen.get(step, (otherwise, 0.99))
        rows[0, step] = (1 - score) / (classes - 1)
        rows[0, step, class_] = score
    return rows


def ctc(batch: np.ndarray) -> tuple[np.ndarray, ...]:
    chosen = {
        place: (identity + 1, score)
        for place, identity, score in zip(PLACES, CHARSET.encode(TEXT), SCORES, strict=True)
    }
    return (np.repeat(probabilities(STEPS, len(CHARSET) + 1, chosen, 0), len(batch), axis=0),)


def attention(batch: np.ndarray) -> tuple[np.ndarray, ...]:
    end = len(CHARSET) + 1
    chosen = {
        step: (identity + 1, score)
        for step, (identity, score) in enumerate(zip(CHARSET.encode(TEXT), SCORES, strict=True))
    }
    weights = np.zeros((1, 10, STEPS), np.float32)
    for step in range(10):
        weights[0, step, PLACES[min(step, len(PLACES) - 1)]] = 1
    several = (probabilities(10, end + 1, chosen, end), weights)
    return tuple(np.repeat(array, len(batch), axis=0) for array in several)


@pytest.fixture(params=["ctc", "attention"])
def page(request: pytest.FixtureRequest, tmp_path: Path) -> PageResult:
    """A page that is one line, read."""
    codecs: dict[str, tuple[RecognizerCodec, Callable]] = {
        "ctc": (CtcCodec(INPUT, CHARSET), ctc),
        "attention": (AttentionCodec(INPUT, CHARSET), attention),
    }
    codec, session = codecs[request.param]
    PIL.Image.new("RGB", (WIDTH, HEIGHT), "white").save(tmp_path / "page.png", dpi=(72, 72))
    chain = Chain(None, Recognizer(codec, session, 8, 1.5, "rec"), (), Reading())
    return chain.read(tmp_path / "page.png")


def test_words_have_boxes_and_scores_of_their_own(page: PageResult) -> None:
    (region,) = page.regions
    assert region.text == TEXT
    assert region.rec_score == pytest.approx(np.mean(SCORES))
    assert {word.text: word.score for word in region.words} == pytest.approx({"Tür": 0.9, "zu": 0.65})
    for word in region.words:
        left, right = (share * WIDTH for share in BOXES[word.text])
        expected = [[left, 0], [right, 0], [right, HEIGHT], [left, HEIGHT]]
        np.testing.assert_allclose(word.points, expected, atol=0.6 * WIDTH / STEPS)


def test_documents_have_them_too(page: PageResult, tmp_path: Path) -> None:
    results = tmp_path / "r.parquet"
    writer_of("parquet")(results, [to_batch([page], None, "rec")], {})
    for form in ("hocr", "alto", "pagexml", "pdf"):
        told: list[Outcome] = []
        convert(results, target_of(tmp_path / form, form), told.append)
        assert [outcome.problem for outcome in told] == [None]
    shares = {word.text: (word.points[0, 0], word.points[1, 0]) for word in page.regions[0].words}
    for found in (hocr_words, alto_words, page_words):
        words = found(tmp_path)
        assert {text: score for text, (_, _, score) in words.items()} == pytest.approx(
            {"Tür": 0.9, "zu": 0.65}, abs=6e-3
        )
        for text, (left, right, _) in words.items():
            assert (left, right) == pytest.approx(shares[text], abs=1)
    text = pdfium.PdfDocument(tmp_path / "pdf/page.png.pdf")[0].get_textpage()
    assert text.get_text_range().split() == ["Tür", "zu"]
    for word, (left, right) in shares.items():
        index, count = text.search(word).get_next()
        boxes = [text.get_charbox(number) for number in range(index, index + count)]
        assert (boxes[0][0], boxes[-1][2]) == pytest.approx((left, right), abs=0.5)


Words = dict[str, tuple[float, float, float]]
"""Left, right and score of each word."""


def hocr_words(folder: Path) -> Words:
    root = ElementTree.parse(folder / "hocr/page.png.hocr").getroot()
    nodes = [node for node in root.iter() if node.get("class") == "ocrx_word"]
    fields = {node.text: node.get("title").replace(";", "").split() for node in nodes}
    return {text: (float(title[1]), float(title[3]), float(title[6]) / 100) for text, title in fields.items()}


def alto_words(folder: Path) -> Words:
    nodes = [node for node in ElementTree.parse(folder / "alto/page.png.alto.xml").iter() if "CONTENT" in node.attrib]
    return {
        node.get("CONTENT"): (
            float(node.get("HPOS")),
            float(node.get("HPOS")) + float(node.get("WIDTH")),
            float(node.get("WC")),
        )
        for node in nodes
    }


def page_words(folder: Path) -> Words:
    space = "{http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15}"
    words: Words = {}
    for node in ElementTree.parse(folder / "pagexml/page.png.page.xml").iter(f"{space}Word"):
        across = [float(point.split(",")[0]) for point in node.find(f"{space}Coords").get("points").split()]
        told = node.find(f"{space}TextEquiv")
        words[told.findtext(f"{space}Unicode")] = (min(across), max(across), float(told.get("conf")))
    return words
