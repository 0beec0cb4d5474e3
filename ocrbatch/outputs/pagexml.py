"""PAGE 2019-07-15: a page as the XML of PRImA (https://github.com/PRImA-Research-Lab/PAGE-XML)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from xml.etree.ElementTree import Element, SubElement

from ocrbatch import __version__
from ocrbatch.outputs.layout import Layout, Line
from ocrbatch.outputs.xml_text import around, clean, fragment
from ocrbatch.types import Polygon

_NAMESPACE = "http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15"


LEVEL = 1
"""How deep a page stands in the document."""


def pagexml(page: Layout, created: datetime) -> bytes:
    """The page as a PAGE document. ``created``, with a time zone, is when it was read."""
    head, tail = frame((page.source,), page.models, created)
    return head + fragment(page_element(page), LEVEL) + tail


def frame(sources: Sequence[str], models: Iterable[str], created: datetime) -> tuple[bytes, bytes]:  # noqa: ARG001
    """The document before and after its page."""
    root = Element(
        "PcGts",
        {
            "xmlns": _NAMESPACE,
            "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
            "xsi:schemaLocation": f"{_NAMESPACE} {_NAMESPACE}/pagecontent.xsd",
        },
    )
    metadata = SubElement(root, "Metadata")
    SubElement(metadata, "Creator").text = clean(" ".join([f"ocrbatch {__version__}", *models]))
    for name in ("Created", "LastChange"):
        SubElement(metadata, name).text = created.isoformat(timespec="seconds")
    return around(root, root)


def page_element(page: Layout, number: int = 1) -> Element:  # noqa: ARG001
    """The page, the only one of its document."""
    size = {"imageWidth": str(page.width), "imageHeight": str(page.height)}
    place = Element("Page", {"imageFilename": clean(page.source), **size})
    if page.blocks:
        order = SubElement(SubElement(place, "ReadingOrder"), "OrderedGroup", {"id": "reading_order"})
        for block, _ in enumerate(page.blocks):
            SubElement(order, "RegionRefIndexed", {"index": str(block), "regionRef": f"region_{block + 1}"})
    for block, lines in enumerate(page.blocks, 1):
        _block(place, page, block, lines)
    return place


def _block(place: Element, page: Layout, number: int, lines: tuple[Line, ...]) -> None:
    region = SubElement(place, "TextRegion", {"id": f"region_{number}", "type": "paragraph"})
    _coords(region, page, page.around(lines))
    for line_number, line in enumerate(lines, 1):
        element = SubElement(region, "TextLine", {"id": f"line_{number}_{line_number}"})
        _coords(element, page, line.outline)
        for word_number, word in enumerate(line.words, 1):
            child = SubElement(element, "Word", {"id": f"word_{number}_{line_number}_{word_number}"})
            _coords(child, page, word.points)
            _text(child, word.text, word.score)
        _text(element, line.text, line.score)
    _text(region, "\n".join(line.text for line in lines), min(line.score for line in lines))


def _coords(element: Element, page: Layout, points: Polygon) -> None:
    SubElement(element, "Coords", {"points": " ".join(f"{x},{y}" for x, y in page.corners(points))})


def _text(element: Element, text: str, score: float) -> None:
    SubElement(SubElement(element, "TextEquiv", {"conf": f"{score:.4f}"}), "Unicode").text = clean(text)
