from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ocrbatch.data.labels import LineLabel, read_lines, read_pages
from ocrbatch.errors import ExitCode, InputError

QUAD = [[0, 0], [10, 0], [10, 5], [0, 5]]


def write(path: Path, content: str, *, encoding: str = "utf-8") -> Path:
    path.write_bytes(content.encode(encoding))
    return path


def page(**region: object) -> str:
    return json.dumps({"image": "a.png", "regions": [{"points": QUAD, **region}]})


def test_lines_of_a_folder_are_relative_to_it(tmp_path: Path) -> None:
    write(tmp_path / "labels.jsonl", '{"image": "x/1.png", "text": " two  words ", "width": 3}\n')
    assert read_lines(tmp_path) == [LineLabel(tmp_path / "x" / "1.png", " two  words ")]


def test_bom_crlf_and_blank_lines_are_tolerated(tmp_path: Path) -> None:
    content = '{"image": "1.png", "text": "a"}\r\n\r\n  \r\n{"image": "2.png", "text": "b"}'
    labels = read_lines(write(tmp_path / "l.jsonl", content, encoding="utf-8-sig"))
    assert [label.text for label in labels] == ["a", "b"]


def test_unicode_line_separators_do_not_split_a_label(tmp_path: Path) -> None:
    labels = read_lines(write(tmp_path / "l.txt", "1.png\ta\u2028b\x85c\n"))
    assert [label.text for label in labels] == ["a\u2028b\x85c"]


def test_text_is_composed_and_keeps_its_spaces(tmp_path: Path) -> None:
    labels = read_lines(write(tmp_path / "l.txt", "1.png\tcafe\u0301 \tx \n2.png\t\n"))
    assert [label.text for label in labels] == ["café \tx ", ""]


def test_page_regions(tmp_path: Path) -> None:
    regions = [
        {"points": QUAD, "text": "A b", "ignore": False},
        {"points": [*QUAD, [-1.5, 2]], "text": None, "ignore": True},
        {"points": QUAD, "difficult": True},
    ]
    (label,) = read_pages(
        write(tmp_path / "l.jsonl", json.dumps({"image": "a.png", "level": "line", "regions": regions}))
    )
    assert label.image == tmp_path / "a.png"
    assert [(region.text, region.ignore) for region in label.regions] == [("A b", False), (None, True), (None, True)]
    assert label.regions[1].points.shape == (5, 2)
    assert label.regions[1].points.dtype == np.float32


def test_a_page_may_have_no_text(tmp_path: Path) -> None:
    (label,) = read_pages(write(tmp_path / "l.jsonl", '{"image": "a.png", "regions": []}'))
    assert label.regions == ()


def test_paddle_detection_list(tmp_path: Path) -> None:
    regions = [{"points": QUAD, "transcription": "A"}, {"points": QUAD, "transcription": "###"}]
    (label,) = read_pages(write(tmp_path / "l.txt", f"d/a.png\t{json.dumps(regions)}\n"))
    assert label.image == tmp_path / "d" / "a.png"
    assert [(region.text, region.ignore) for region in label.regions] == [("A", False), (None, True)]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ('{"image": "1.png", "text": ', "line 2: not valid JSON"),
        ('{"image": "1.png"}', "line 2: 'text' is missing"),
        ('{"image": "1.png", "text": 5}', "line 2: 'text' is missing or no string"),
        ('{"text": "a"}', "line 2: 'image' is missing"),
        ("1.png a", "line 2: neither a JSON object nor a path"),
        (page(text="a"), "line 2: a page with 'regions'"),
        ('1.png\t[{"points": [[0, 0]], "transcription": "a"}]', "line 2: a page with outlines"),
    ],
)
def test_wrong_lines_name_file_and_line(tmp_path: Path, content: str, complaint: str) -> None:
    path = write(tmp_path / "bad.jsonl", f'{{"image": "0.png", "text": "fine"}}\n{content}\n')
    with pytest.raises(InputError, match=r"bad\.jsonl, " + complaint):
        read_lines(path)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("[1, 2]", "neither a JSON object"),
        ('{"image": "1.png", "text": "a"}', "'regions' is missing"),
        ('{"image": "1.png", "regions": [7]}', "region 0: not an object"),
        (page(points=None), "region 0: 'points' needs at least three"),
        (page(points=[[0, 0], [1, 1]]), "region 0: 'points' needs at least three"),
        (page(points=[[0, 0], [1, 1], [2]]), "region 0: 'points' is no list"),
        (page(points=[[0, 0], [1, 1], ["x", "y"]]), "region 0: 'points' is no list"),
        (page(points=[[0, 0], [1, 1], [float("nan"), 3]]), "region 0: 'points' holds a number that is not finite"),
        (page(text=3), "region 0: 'text' is neither"),
        (page(ignore="no"), "region 0: 'ignore' is neither"),
        ("1.png\tplain text", "not valid JSON"),
        ('1.png\t[{"points": [[0, 0], [1, 0], [1, 1]]}]', "region 0: not an object with 'points' and 'transcription'"),
    ],
)
def test_wrong_pages_name_file_line_and_region(tmp_path: Path, content: str, complaint: str) -> None:
    with pytest.raises(InputError, match=f"line 1: {complaint}") as caught:
        read_pages(write(tmp_path / "bad.jsonl", content))
    assert caught.value.exit_code is ExitCode.INPUT


def test_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Cannot read the labels"):
        read_lines(tmp_path)
    with pytest.raises(InputError, match="holds no label"):
        read_lines(write(tmp_path / "empty.jsonl", "\n\n"))
    (tmp_path / "latin.txt").write_bytes(b"1.png\tok\n2.png\tcaf\xe9\n")
    with pytest.raises(InputError, match="line 2: not UTF-8"):
        read_lines(tmp_path / "latin.txt")
