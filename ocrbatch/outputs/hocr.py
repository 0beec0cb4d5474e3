"""hOCR 1.2: a page as XHTML with boxes and confidences (http://kba.github.io/hocr-spec/1.2/)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from xml.etree.ElementTree import Element, SubElement

from ocrbatch import __version__
from ocrbatch.outputs.layout import Box, Layout, Line
from ocrbatch.outputs.xml_text import around, clean, fragment

_DOCTYPE = (
    '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" '
    '"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">\n'
)
_CAPABILITIES = "ocr_page ocr_carea ocr_par ocr_line ocrx_word ocrp_poly ocrp_wconf"


LEVEL = 2
"""How deep a page stands in the document."""


def hocr(page: Layout) -> bytes:
    """The page as an hOCR document."""
    head, tail = frame((page.source,), page.models)
    return head + fragment(page_element(page), LEVEL) + tail


def frame(sources: Sequence[str], models: Iterable[str]) -> tuple[bytes, bytes]:
    """The document before and after its pages, one for each of ``sources``."""
    root = Element("html", {"xmlns": "http://www.w3.org/1999/xhtml", "lang": "und", "xml:lang": "und"})
    head = SubElement(root, "head")
    SubElement(head, "title").text = clean(sources[0] if len(set(sources)) == 1 else f"{len(sources)} pages")
    SubElement(head, "meta", {"http-equiv": "Content-Type", "content": "text/html; charset=utf-8"})
    for name, content in (
        ("ocr-system", " ".join([f"ocrbatch {__version__}", *models])),
        ("ocr-capabilities", _CAPABILITIES),
        ("ocr-number-of-pages", str(len(sources))),
    ):
        SubElement(head, "meta", {"name": name, "content": clean(content)})
    return around(root, SubElement(root, "body"), _DOCTYPE)


def page_element(page: Layout, number: int = 1) -> Element:
    """The page, which is the document's ``number``-th."""
    title = f"image {_quoted(page.source)}; bbox 0 0 {page.width} {page.height}; ppageno {page.page}"
    body = Element("div", _attributes("ocr_page", f"page_{number}", title))
    for block, lines in enumerate(page.blocks, 1):
        _block(body, page, f"{number}_{block}", lines)
    return body


def _block(body: Element, page: Layout, number: str, lines: tuple[Line, ...]) -> None:
    title = _bbox(page.box(page.around(lines)))
    area = SubElement(body, "div", _attributes("ocr_carea", f"block_{number}", title))
    paragraph = SubElement(area, "p", _attributes("ocr_par", f"par_{number}", title))
    for line_number, line in enumerate(lines, 1):
        _line(paragraph, page, f"{number}_{line_number}", line)


def _line(paragraph: Element, page: Layout, number: str, line: Line) -> None:
    poly = " ".join(f"{x} {y}" for x, y in page.corners(line.outline))
    title = f"{_bbox(page.box(line.outline))}; poly {poly}"
    span = SubElement(paragraph, "span", _attributes("ocr_line", f"line_{number}", title))
    for word_number, word in enumerate(line.words, 1):
        title = f"{_bbox(page.box(word.points))}; x_wconf {round(100 * word.score)}"
        SubElement(span, "span", _attributes("ocrx_word", f"word_{number}_{word_number}", title)).text = clean(
            word.text
        )


def _attributes(kind: str, identity: str, title: str) -> dict[str, str]:
    return {"class": kind, "id": identity, "title": clean(title)}


def _bbox(box: Box) -> str:
    return "bbox {} {} {} {}".format(*box)


def _quoted(text: str) -> str:
    """A string of the hOCR grammar, which knows no escapes: quotes inside become percent codes, and so do semicolons,
    at which some readers cut without looking for quotes."""
    return '"' + text.replace('"', "%22").replace(";", "%3B") + '"'
