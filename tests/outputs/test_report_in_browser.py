"""The report as a person sees it: opened from a file in a real browser."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from PIL import ImageDraw
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait

from ocrbatch.data.images import stamp
from ocrbatch.outputs.report import ReportOptions, write_report
from ocrbatch.outputs.rows import to_batch
from ocrbatch.outputs.writers import writer_of
from ocrbatch.types import PageFailure, PageRef, PageResult, TextRegion, Word

NASTY = "</script><script>document.title='gone'</script><img src=x onerror=\"document.title='gone'\">"
MANY = 2000


def box(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


def region(text: str, score: float, number: int, kept: bool = True) -> TextRegion:
    points = box(200, 100 + 60 * number, 500, 140 + 60 * number)
    words = tuple(Word(word, points, score) for word in text.split())
    return TextRegion(points, None, text, 0.75, score, kept, number if kept else -1, number, 0, words)


def outcomes(picture: Path) -> Iterator[PageResult | PageFailure]:
    """A page with its picture, one that failed, a hostile one, and thousands without a picture."""
    good = (region("Façade 12 €", 0.97, 0), region("Total 7", 0.62, 1), region("noise", 0.11, 2, kept=False))
    yield PageResult(PageRef(str(picture)), stamp(picture)[0], 600, 400, good, "Façade 12 €\nTotal 7", ("Mended.",))
    yield PageFailure(PageRef("scans/broken.pdf"), "DamagedFile", "open", NASTY)
    yield PageResult(PageRef(f"scans/{NASTY}.png"), "", 600, 400, (region(NASTY, 0.97, 0),), NASTY)
    for number in range(MANY):
        line = region(f"page number {number}", 0.97, 0)
        yield PageResult(PageRef("scans/long.pdf", number, MANY), "", 600, 800, (line,), line.text)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    picture = PIL.Image.new("RGB", (600, 400), "white")
    ImageDraw.Draw(picture).rectangle((0, 0, 150, 399), fill="red")
    picture.save(folder / "first.png")
    results = folder / "r.parquet"
    writer_of("parquet")(results, [to_batch(list(outcomes(folder / "first.png")), "det@1", "rec@2")], {})
    list(write_report(results, folder / "r.html", ReportOptions(pictures=5)))
    (folder / "first.png").unlink()
    return folder / "r.html"


@pytest.fixture
def opened(browser: Chrome, report: Path) -> Chrome:
    browser.get("about:blank")
    browser.get(report.as_uri())
    assert browser.find_element(By.TAG_NAME, "html").get_attribute("data-ready") == "yes"
    return browser


def one(browser: Chrome, selector: str) -> WebElement:
    return browser.find_element(By.CSS_SELECTOR, selector)


def many(browser: Chrome, selector: str) -> list[WebElement]:
    return browser.find_elements(By.CSS_SELECTOR, selector)


def until(browser: Chrome, true: Callable[[], object]) -> None:
    WebDriverWait(browser, 30, 0.05).until(lambda _: true())


def search(browser: Chrome, text: str, count: int) -> None:
    one(browser, "#search").clear()
    one(browser, "#search").send_keys(text or " ")
    until(browser, lambda: one(browser, "#count").text == f"{count:,} of {MANY + 3:,} pages")


def names(browser: Chrome) -> list[str]:
    """Of the rows from top to bottom, in one look: scrolling replaces rows at any time."""
    return browser.execute_script("""
        const rows = [...document.querySelectorAll("#list .row")]
        rows.sort((one, other) => one.getBoundingClientRect().y - other.getBoundingClientRect().y)
        return rows.map(row => row.querySelector(".source").textContent)
    """)


def test_a_page_is_shown_with_its_picture_boxes_and_texts(opened: Chrome, tmp_path: Path) -> None:
    assert f"{MANY + 3:,} pages · {MANY + 2:,} ok · 1 failed" in one(opened, "#figures").text
    assert [box.get_attribute("class") for box in many(opened, "#stage polygon")] == ["kept", "kept", "rejected"]
    assert [line.text.split("\n")[0] for line in many(opened, "#texts button")] == ["Façade 12 €", "Total 7", "noise"]
    assert "Mended." in one(opened, "#notes").text
    shot = opened.get_screenshot_as_png()
    (tmp_path / "report.png").write_bytes(shot)
    pixels = np.asarray(PIL.Image.open(io.BytesIO(shot)).convert("RGB")).astype(int)
    stage = one(opened, "#stage svg").rect
    scale = stage["width"] / 600
    left, top = round(stage["x"]), round(stage["y"])
    assert np.abs(pixels[top + 50, left + round(75 * scale)] - [255, 0, 0]).max() < 40
    assert pixels[top + 50, left + round(180 * scale)].min() > 235
    boxes = one(opened, "#stage polygon").rect
    assert (boxes["x"] - stage["x"]) / scale == pytest.approx(200, abs=3)
    assert boxes["width"] / scale == pytest.approx(300, abs=6)


def test_hovering_tells_text_and_scores(opened: Chrome) -> None:
    assert not one(opened, "#tip").is_displayed()
    ActionChains(opened).move_to_element(one(opened, "#stage polygon")).perform()
    until(opened, one(opened, "#tip").is_displayed)
    assert one(opened, "#tip").text.splitlines()[:2] == ["Façade 12 €", "read 0.970, found 0.750"]
    assert "Façade 0.97" in one(opened, "#tip").text
    assert "now" in many(opened, "#texts button")[0].get_attribute("class")
    assert len(many(opened, "#stage polygon.word")) == 3
    ActionChains(opened).move_to_element(one(opened, "h1")).perform()
    until(opened, lambda: not one(opened, "#tip").is_displayed())
    assert many(opened, "#stage polygon.word") == []


def test_search_finds_without_accents_and_marks_what_it_found(opened: Chrome) -> None:
    search(opened, "FACADE total", 1)
    assert [name.rpartition("/")[2] for name in names(opened)] == ["first.png"]
    kinds = [box.get_attribute("class") for box in many(opened, "#stage polygon")]
    assert kinds == ["kept found", "kept found", "rejected"]
    search(opened, f"number {MANY - 1}", 1)
    last = f"scans/long.pdf, page {MANY} of {MANY}"
    until(opened, lambda: one(opened, "#name").text == last)  # one page matched before, too
    search(opened, "nothing like it", 0)
    assert many(opened, "#stage polygon") == []
    search(opened, "", MANY + 3)


def test_a_page_without_picture_shows_its_text_instead(opened: Chrome) -> None:
    search(opened, "number 1717", 1)
    assert many(opened, "#stage image") == []
    assert one(opened, "#stage text").text == "page number 1717"
    assert "No picture: " in one(opened, "#notes").text


def test_failures_are_listed_with_their_reasons(opened: Chrome) -> None:
    one(opened, "#reasons button").click()
    assert one(opened, "#count").text.startswith("1 of")
    assert one(opened, "#notes").text == f"This page failed: DamagedFile in stage open. {NASTY}"
    one(opened, "#reasons button").click()
    one(opened, "#statuses input[value=failed]").click()
    assert one(opened, "#count").text.startswith(f"{MANY + 2:,} of")


def test_hostile_text_stays_text_and_nothing_is_loaded(opened: Chrome) -> None:
    search(opened, "onerror", 2)
    many(opened, "#list .row")[1].click()
    ActionChains(opened).move_to_element(one(opened, "#stage polygon")).perform()
    until(opened, one(opened, "#tip").is_displayed)
    assert one(opened, "#tip b").text == NASTY
    assert opened.title == "ocrbatch: r.parquet"
    assert many(opened, "img[src=x]") == []
    loaded = opened.execute_script("return performance.getEntriesByType('resource').map(entry => entry.name)")
    assert [name for name in loaded if not name.startswith("data:")] == []
    assert [entry for entry in opened.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")] == []


def test_scores_are_filtered_by_the_histogram_and_by_hand(opened: Chrome) -> None:
    bars = many(opened, "#histogram .hit")
    assert bars[12].find_element(By.CSS_SELECTOR, "title").get_attribute("textContent") == (
        "0.60 to 0.65: 1 regions kept, 0 rejected"
    )
    ActionChains(opened).move_to_element(bars[12]).click().perform()
    assert one(opened, "#count").text.startswith("1 of")
    kinds = [box.get_attribute("class") for box in many(opened, "#stage polygon")]
    assert kinds == ["kept dim", "kept", "rejected dim"]
    Select(one(opened, "#to")).select_by_visible_text("1.00")
    Select(one(opened, "#from")).select_by_visible_text("0.95")
    assert one(opened, "#count").text.startswith(f"{MANY + 2:,} of")


def test_pages_are_put_in_another_order(opened: Chrome) -> None:
    Select(one(opened, "#order")).select_by_value("lowest")
    until(opened, lambda: names(opened)[0].endswith("first.png"))
    assert "broken.pdf" not in " ".join(names(opened))


def test_thousands_of_pages_stay_usable(opened: Chrome) -> None:
    assert len(many(opened, "#list .row")) < 30
    opened.execute_script("document.getElementById('list').scrollTop = 1e9")
    until(opened, lambda: names(opened)[-1].endswith(f"page {MANY} of {MANY}"))
    assert len(many(opened, "#list .row")) < 30


def test_keys_move_from_page_to_page_and_the_address_keeps_the_place(opened: Chrome, report: Path) -> None:
    one(opened, "body").send_keys("j")
    assert one(opened, "#name").text == "scans/broken.pdf"
    one(opened, "body").send_keys("/")
    one(opened, "#search").send_keys("j", Keys.BACKSPACE)
    assert one(opened, "#name").text == "scans/broken.pdf"
    address = opened.current_url
    assert address == f"{report.as_uri()}#2"
    opened.get("about:blank")
    opened.get(address)
    assert one(opened, "#name").text == "scans/broken.pdf"


def test_boxes_words_and_sizes_follow_the_buttons(opened: Chrome) -> None:
    one(opened, "#rejected").click()
    assert len(many(opened, "#stage polygon")) == 2
    one(opened, "#words").click()
    assert len(many(opened, "#stage polygon.word")) == 5
    one(opened, "#letters").click()
    assert [text.text for text in many(opened, "#stage text")] == ["Façade 12 €", "Total 7"]
    before = one(opened, "#stage svg").rect["width"]
    one(opened, "#larger").click()
    assert one(opened, "#stage svg").rect["width"] == pytest.approx(before * 1.25, rel=0.01)
    one(opened, "#fit").click()
    assert one(opened, "#stage svg").rect["width"] == pytest.approx(before, rel=0.01)
