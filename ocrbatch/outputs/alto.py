"""ALTO 4.4: a page as the libraries' XML (https://www.loc.gov/standards/alto/)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from xml.etree.ElementTree import Element, SubElement

from ocrbatch import __version__
from ocrbatch.outputs.layout import Box, Layout, Line
from ocrbatch.outputs.xml_text import around, clean, fragment
from ocrbatch.types import Polygon

_NAMESPACE = "http://www.loc.gov/standards/alto/ns-v4#"
_SCHEMA = "http://www.loc.gov/standards/alto/v4/alto-4-4.xsd"


LEVEL = 2
"""How deep a page stands in the document."""


def alto(page: Layout) -> bytes:
    """The page as an ALTO document, in pixels."""
    head, tail = frame((page.source,), page.models)
    return head + fragment(page_element(page), LEVEL) + tail


def frame(sources: Sequence[str], models: Iterable[str]) -> tuple[bytes, bytes]:
    """The document before and after its pages, one for each of ``sources``."""
    root = Element(
        "alto",
        {
            "xmlns": _NAMESPACE,
            "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
            "xsi:schemaLocation": f"{_NAMESPACE} {_SCHEMA}",
            "SCHEMAVERSION": "4.4",
        },
    )
    description = SubElement(root, "Description")
    SubElement(description, "MeasurementUnit").text = "pixel"
    _name(SubElement(description, "sourceImageInformation"), sources)
    processing = SubElement(description, "Processing", {"ID": "ocr_1"})
    SubElement(processing, "processingStepDescription").text = clean(" ".join(["text recognition", *models]))
    software = SubElement(processing, "processingSoftware")
    SubElement(software, "softwareName").text = "ocrbatch"
    SubElement(software, "softwareVersion").text = __version__
    return around(root, SubElement(root, "Layout"))


def page_element(page: Layout, number: int = 1) -> Element:
    """The page, which is the document's ``number``-th."""
    size = {"WIDTH": str(page.width), "HEIGHT": str(page.height)}
    element = Element("Page", {"ID": f"page_{number}", "PHYSICAL_IMG_NR": str(page.page + 1), **size})
    space = SubElement(element, "PrintSpace", {"HPOS": "0", "VPOS": "0", **size})
    for block_number, lines in enumerate(page.blocks, 1):
        identity = f"{number}_{block_number}"
        block = SubElement(space, "TextBlock", _place(f"block_{identity}", page.box(page.around(lines))))
        for line_number, line in enumerate(lines, 1):
            _line(block, page, f"{identity}_{line_number}", line)
    return element


def _name(image: Element, sources: Sequence[str]) -> None:
    """ALTO has room for one file's name; of several files, each page's is an identifier, in the order of the pages."""
    if len(set(sources)) == 1:
        SubElement(image, "fileName").text = clean(sources[0])
        return
    for source in sources:
        SubElement(image, "fileIdentifier").text = clean(source)


def _line(block: Element, page: Layout, number: str, line: Line) -> None:
    element = SubElement(block, "TextLine", _place(f"line_{number}", page.box(line.outline)))
    _shape(element, page, line.outline)
    end = None
    for word_number, word in enumerate(line.words, 1):
        box = page.box(word.points)
        if end is not None:
            gap = {"HPOS": str(end), "VPOS": str(box[1]), "WIDTH": str(max(0, box[0] - end))}
            SubElement(element, "SP", gap)
        attributes = _place(f"string_{number}_{word_number}", box)
        _shape(
            SubElement(element, "String", {**attributes, "CONTENT": clean(word.text), "WC": f"{word.score:.4f}"}),
            page,
            word.points,
        )
        end = box[2]


def _shape(element: Element, page: Layout, points: Polygon) -> None:
    corners = " ".join(f"{x},{y}" for x, y in page.corners(points))
    SubElement(SubElement(element, "Shape"), "Polygon", {"POINTS": corners})


def _place(identity: str, box: Box) -> dict[str, str]:
    left, top, right, bottom = box
    return {
        "ID": identity,
        "HPOS": str(left),
        "VPOS": str(top),
        "WIDTH": str(right - left),
        "HEIGHT": str(bottom - top),
    }
