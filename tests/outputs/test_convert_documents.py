from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from ocrbatch.errors import InputError, OutputError
from ocrbatch.outputs import conversion
from ocrbatch.outputs.alto import alto
from ocrbatch.outputs.documents import Outcome
from ocrbatch.outputs.formats import DOCUMENTS
from ocrbatch.outputs.hocr import hocr
from ocrbatch.outputs.layout import Layout, layout_of
from ocrbatch.outputs.naming import Places, common_base
from ocrbatch.outputs.pagexml import pagexml
from ocrbatch.outputs.results import read_rows
from ocrbatch.outputs.rows import to_batch
from ocrbatch.outputs.targets import target_of
from ocrbatch.outputs.writers import writer_of
from ocrbatch.types import PageFailure, PageRef, PageResult, TextRegion, Word

ALTO = "{http://www.loc.gov/standards/alto/ns-v4#}"
PAGE = "{http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15}"
XHTML = "{http://www.w3.org/1999/xhtml}"
NASTY = "a<b>&\"'\x00\x1b\ud800ü"
CLEAN = "a<b>&\"'\ufffd\ufffd\ufffdü"


def box(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


def region(text: str, points: np.ndarray, order: int, line: int, block: int = 0, kept: bool = True) -> TextRegion:
    """A region with a word of equal width for each part of its text."""
    parts = text.split(" ")
    cuts = np.linspace(0, 1, len(parts) + 1)
    tl, tr, br, bl = points
    words = tuple(
        Word(part, np.stack([tl + (tr - tl) * a, tl + (tr - tl) * b, bl + (br - bl) * b, bl + (br - bl) * a]), 0.9)
        for part, a, b in zip(parts, cuts, cuts[1:], strict=False)
    )
    return TextRegion(points, None, text, 0.8, 0.9, kept, order, line, block, words)


REGIONS = (
    region("Zweite Zeile", box(10, 60, 150, 80), 2, 1),
    region("Größe", box(10, 20, 80, 40), 0, 0),
    region("12 €", box(100, 20, 160, 40), 1, 0),
    region("noise", box(0, 0, 5, 5), -1, -1, -1, kept=False),
    region("Fuß", box(-20, 180, 400, 300), 3, 2, 1),
)
GOOD = PageResult(PageRef("scans/a/1.png"), "", 200, 200, REGIONS, "Größe 12 €\nZweite Zeile\n\nFuß")
BAD = PageFailure(PageRef("scans/b/1.png"), "DamagedFile", "open", "It is damaged.")
EMPTY = PageResult(PageRef("scans/doc.pdf", 1, 2), "", 50, 60, (), "")
FIRST = PageResult(PageRef("scans/doc.pdf", 0, 2), "", 50, 60, (region("eins", box(1, 1, 40, 9), 0, 0),), "eins")


def page(*regions: TextRegion, source: str = "p.png") -> Layout:
    result = PageResult(PageRef(source), "", 200, 200, regions)
    row = {**dict.fromkeys(("det_model", "rec_model")), **to_batch([result], "det@1").to_pylist()[0]}
    return layout_of(row)


def wild(text: str) -> Layout:
    """A page whose strings no Arrow column would take."""
    row = to_batch([GOOD], "det@1").to_pylist()[0]
    row["source"] = text
    row["regions"] = row["regions"][:1]
    row["regions"][0] |= {"text": text, "words": []}
    return layout_of(row)


def results(folder: Path, suffix: str = ".parquet") -> Path:
    path = folder / f"results{suffix}"
    writer_of(path.suffix[1:])(path, [to_batch([GOOD, BAD]), to_batch([FIRST, EMPTY], "det@1", "rec@2")], {"dpi": 200})
    return path


def convert(path: Path, form: str, out: Path, **options: bool) -> list[Outcome]:
    told: list[Outcome] = []
    conversion.convert(path, target_of(out, form), told.append, **options)
    return told


def page_document(layout: Layout) -> bytes:
    return pagexml(layout, datetime(2024, 2, 3, 4, 5, 6, tzinfo=UTC))


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl", ".json"])
def test_rows_come_back_from_every_format(tmp_path: Path, suffix: str) -> None:
    rows = list(read_rows(results(tmp_path, suffix)))
    assert [row["source"] for row in rows] == ["scans/a/1.png", "scans/b/1.png", "scans/doc.pdf", "scans/doc.pdf"]
    assert rows[0]["regions"][1]["words"][0]["text"] == "Größe"
    assert rows[2]["rec_model"] == "rec@2"


def test_json_may_be_laid_out_in_any_way(tmp_path: Path) -> None:
    rows = [{"source": f"{n}.png", "status": "ok", "text": "[]}{, ü" * 1000} for n in range(400)]
    path = tmp_path / "r.json"
    for text in (json.dumps(rows), json.dumps(rows, indent=2), f"  {json.dumps(rows, ensure_ascii=False)}\n\n"):
        path.write_text(text, encoding="utf-8")
        assert [row["source"] for row in read_rows(path)] == [f"{n}.png" for n in range(400)]
    path.write_text("[]")
    assert list(read_rows(path)) == []


def test_an_array_is_read_about_as_fast_as_lines(tmp_path: Path) -> None:
    rows = [json.dumps({"source": f"{number}.png", "status": "ok"}) for number in range(20_000)]
    (tmp_path / "r.json").write_text(f"[{','.join(rows)}]")
    (tmp_path / "r.jsonl").write_text("\n".join(rows))
    seconds = []
    for name in ("r.json", "r.jsonl"):
        start = time.process_time()
        assert sum(1 for _ in read_rows(tmp_path / name)) == 20_000
        seconds.append(time.process_time() - start)
    assert seconds[0] < 3 * seconds[1]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("r.json", '[{"source": "a", "status": "ok"}'),
        ("r.json", '[{"source": "a", "status": "ok"},]\n'),
        ("r.json", "{}"),
        ("r.json", ""),
        ("r.jsonl", '{"source"'),
        ("r.jsonl", "[1]"),
        ("r.jsonl", '{"text": ""}'),
        ("r.parquet", "PAR1"),
        ("r.csv", "a,b"),
        ("r.jsonl", "\x80"),
    ],
)
def test_what_is_no_results_file_is_said_in_a_sentence(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(InputError, match=re.escape(str(path))):
        list(read_rows(path))


def test_a_layout_is_what_was_kept_in_reading_order() -> None:
    layout = page(*REGIONS)
    assert [[line.text for line in block] for block in layout.blocks] == [["Größe 12 €", "Zweite Zeile"], ["Fuß"]]
    assert [word.text for word in layout.blocks[0][0].words] == ["Größe", "12", "€"]
    assert layout.blocks[0][0].outline.tolist() == box(10, 20, 160, 40).tolist()


def test_regions_without_order_are_lines_of_their_own() -> None:
    loose = [TextRegion(box(1, 1, 9, 9), text=text) for text in ("one", "two")]
    assert [[line.text for line in block] for block in page(*loose).blocks] == [["one", "two"]]


def test_hocr_holds_boxes_words_and_confidences() -> None:
    root = ElementTree.fromstring(hocr(page(*REGIONS, source="scans/ä.png")))
    kinds = {node.get("class") for node in root.iter() if node.get("class")}
    capabilities = root.find(f"{XHTML}head/{XHTML}meta[@name='ocr-capabilities']").get("content").split()
    assert kinds <= set(capabilities)
    place = root.find(f".//{XHTML}div[@class='ocr_page']").get("title")
    assert place == 'image "scans/ä.png"; bbox 0 0 200 200; ppageno 0'
    words = root.findall(f".//{XHTML}span[@class='ocrx_word']")
    assert [(word.text, word.get("title")) for word in words][:2] == [
        ("Größe", "bbox 10 20 80 40; x_wconf 90"),
        ("12", "bbox 100 20 130 40; x_wconf 90"),
    ]
    lines = root.findall(f".//{XHTML}span[@class='ocr_line']")
    assert lines[-1].get("title") == "bbox 0 180 200 200; poly 0 180 200 180 200 200 0 200"


def test_alto_holds_what_its_schema_asks_for() -> None:
    root = ElementTree.fromstring(alto(page(*REGIONS)))
    assert [child.tag.removeprefix(ALTO) for child in root] == ["Description", "Layout"]
    assert root.find(f"{ALTO}Layout/{ALTO}Page").attrib == {
        "ID": "page_1",
        "PHYSICAL_IMG_NR": "1",
        "WIDTH": "200",
        "HEIGHT": "200",
    }
    strings = list(root.iter(f"{ALTO}String"))
    assert [string.get("CONTENT") for string in strings] == ["Größe", "12", "€", "Zweite", "Zeile", "Fuß"]
    assert {float(string.get("WC")) for string in strings} == {0.9}
    first = next(root.iter(f"{ALTO}TextLine"))
    assert [child.tag.removeprefix(ALTO) for child in first] == ["Shape", "String", "SP", "String", "SP", "String"]
    assert first[2].attrib == {"HPOS": "80", "VPOS": "20", "WIDTH": "20"}
    for node in root.iter():
        if node.get("HPOS") and node.get("HEIGHT"):
            assert 0 <= int(node.get("HPOS")) <= int(node.get("HPOS")) + int(node.get("WIDTH")) <= 200
            assert 0 <= int(node.get("VPOS")) <= int(node.get("VPOS")) + int(node.get("HEIGHT")) <= 200
    identities = [node.get("ID") for node in root.iter() if node.get("ID")]
    assert len(set(identities)) == len(identities)


def test_page_xml_holds_what_its_schema_asks_for() -> None:
    root = ElementTree.fromstring(page_document(page(*REGIONS)))
    assert [node.tag.removeprefix(PAGE) for node in root[0]] == ["Creator", "Created", "LastChange"]
    assert root.find(f"{PAGE}Metadata/{PAGE}Created").text == "2024-02-03T04:05:06+00:00"
    order = [node.attrib for node in root.iter(f"{PAGE}RegionRefIndexed")]
    assert order == [{"index": "0", "regionRef": "region_1"}, {"index": "1", "regionRef": "region_2"}]
    points = [node.get("points") for node in root.iter(f"{PAGE}Coords")]
    assert all(re.fullmatch(r"(\d+,\d+ )+\d+,\d+", text) for text in points)
    texts = [node.findtext(f"{PAGE}TextEquiv/{PAGE}Unicode") for node in root.iter(f"{PAGE}TextRegion")]
    assert texts == ["Größe 12 €\nZweite Zeile", "Fuß"]


@pytest.mark.parametrize("render", [hocr, alto, page_document])
def test_any_text_makes_a_document_that_can_be_read(render: object) -> None:
    content = render(wild(NASTY)).decode()  # type: ignore[operator]
    ElementTree.fromstring(content.encode())
    written = content.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"').replace("&amp;", "&")
    assert written.count(CLEAN) >= 1
    ElementTree.fromstring(render(page()))  # type: ignore[operator]


@pytest.mark.parametrize("form", ["hocr", "alto", "pagexml"])
def test_each_page_becomes_a_file_and_failed_ones_are_told(tmp_path: Path, form: str) -> None:
    outcomes = convert(results(tmp_path), form, tmp_path / "out")
    assert [outcome.problem for outcome in outcomes] == [None, "not read (DamagedFile: It is damaged.)", None, None]
    files = sorted(str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.*"))
    end = DOCUMENTS[form]
    assert files == [f"a/1.png{end}", f"doc.pdf.page0001{end}", f"doc.pdf.page0002{end}"]


def test_rows_with_damaged_regions_are_told_and_left_out(tmp_path: Path) -> None:
    regions = ([{}], [None], "text", [{"kept": True, "text": "a", "order": 0, "block": 0, "line": 0}])
    rows = [
        {"source": f"{number}.png", "status": "ok", "width": 9, "height": 9, "regions": damaged}
        for number, damaged in enumerate(regions)
    ]
    path = tmp_path / "r.json"
    path.write_text(json.dumps([*rows, {"source": "z.png", "status": "empty", "width": 9, "height": 9}]))
    outcomes = convert(path, "alto", tmp_path / "out")
    assert [outcome.problem is None for outcome in outcomes] == [False, False, False, False, True]
    assert outcomes[0].problem == "a region or word of the row has no 'kept'"


def test_text_has_a_form_feed_after_each_page(tmp_path: Path) -> None:
    outcomes = convert(results(tmp_path), "txt", tmp_path / "out")
    assert sum(outcome.problem is not None for outcome in outcomes) == 1
    written = (tmp_path / "out/a/1.png.txt").read_text(encoding="utf-8")
    assert written == "Größe 12 €\nZweite Zeile\n\nFuß\n\f"
    assert (tmp_path / "out/doc.pdf.txt").read_text(encoding="utf-8") == "eins\n\f\f"


def test_a_folder_in_use_and_pages_that_come_twice_are_refused(tmp_path: Path) -> None:
    source = results(tmp_path)
    convert(source, "alto", tmp_path / "out")
    with pytest.raises(OutputError, match="not empty"):
        convert(source, "alto", tmp_path / "out")
    convert(source, "alto", tmp_path / "out", overwrite=True)
    twice = tmp_path / "twice.parquet"
    writer_of("parquet")(twice, [to_batch([GOOD, GOOD])], {})
    with pytest.raises(OutputError, match="twice"):
        convert(twice, "hocr", tmp_path / "other")


def test_equal_names_in_two_folders_never_meet(tmp_path: Path) -> None:
    assert common_base(["/s/a/1.png", "/s/b/1.png"]) == "/s"
    assert common_base(["/s/ab/1.png", "/s/a/1.png"]) == "/s"
    assert common_base(["s/1.png", "/s/1.png"]) == common_base([]) == ""
    places = Places(tmp_path, "/s", ".txt")
    names = ["/s/a/1.png", "/s/b/1.png", "/s/1.jpg", "/s/1.png", "../1.png", "x/" + "n" * 250 + ".png"]
    files = [places.of_source(name) for name in names]
    assert len(set(files)) == len(names)
    assert all(file.is_relative_to(tmp_path) and ".." not in file.parts for file in files)
    assert max(len(file.name) for file in files) < 255
    assert places.of_page("/s/1.png", 3, 9) == tmp_path / "1.png.page0004.txt"
