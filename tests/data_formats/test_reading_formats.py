"""Each format as people have it, found from the path alone."""

from __future__ import annotations

import builtins
import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ocrbatch.data.formats import lmdb as lmdb_format
from ocrbatch.data.formats.table import find
from ocrbatch.data.labels import Flaw, content, line_entries, page_entries, read_lines, read_pages
from ocrbatch.data.pictures import picture_size, read_picture
from ocrbatch.errors import InputError

MakePicture = Callable[..., Path]
QUAD = [[1, 2], [30, 2], [30, 9], [1, 9]]


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))
    return path


def texts(path: Path) -> list[tuple[str | None, bool]]:
    (page,) = read_pages(path)
    return [(region.text, region.ignore) for region in page.regions]


def test_icdar_2015_with_byte_order_mark_commas_and_dont_care(tmp_path: Path, picture: MakePicture) -> None:
    picture(tmp_path / "img_1.jpg")
    rows = '1,2,30,2,30,9,1,9,Total, 5 EUR "net"\r\n1,2,30,2,30,9,1,9,###\r\n1,2,30,2,30,9,1,9\r\n\r\n'
    write(tmp_path / "gt_img_1.txt", rows, "utf-8-sig")
    assert find(tmp_path) == ("icdar", tmp_path)
    assert texts(tmp_path) == [('Total, 5 EUR "net"', False), (None, True), (None, False)]
    assert read_pages(tmp_path)[0].regions[0].points.tolist() == QUAD


@pytest.mark.parametrize(
    "rows",
    ['1, 2, 30, 9, "Tired, \\"now\\""\n1, 2, 30, 9, "x"\n', '1 2 30 9 "Tired, \\"now\\""\n1 2 30 9 "x"\n'],
    ids=["2013 test", "2013 training"],
)
def test_icdar_2013_with_four_numbers_and_quotes(tmp_path: Path, picture: MakePicture, rows: str) -> None:
    picture(tmp_path / "100.jpg")
    write(tmp_path / "gt_100.txt", rows)
    assert texts(tmp_path) == [('Tired, "now"', False), ("x", False)]
    assert read_pages(tmp_path)[0].regions[0].points.tolist() == QUAD


def test_icdar_labels_in_a_folder_of_their_own(tmp_path: Path, picture: MakePicture) -> None:
    picture(tmp_path / "images" / "a.png")
    write(tmp_path / "gt" / "a.txt", "1,2,30,2,30,9,1,9,Hi\n")
    write(tmp_path / "README.txt", "About this data set.\n")
    (page,) = read_pages(tmp_path)
    assert page.image == tmp_path / "images" / "a.png"


def test_hidden_files_and_what_hidden_folders_hold_are_no_samples(tmp_path: Path, picture: MakePicture) -> None:
    root = tmp_path / ".scans"
    for name in ("a", ".b", ".ipynb_checkpoints/c", "d/.e/f/g"):
        picture(root / f"{name}.jpg")
        write(root / f"{name}.txt", "1,2,30,2,30,9,1,9,x")
    assert [label.image for label in read_pages(root)] == [root / "a.jpg"]


def test_icdar_flaws_are_all_named(tmp_path: Path, picture: MakePicture) -> None:
    for name in ("a", "b", "lonely"):
        picture(tmp_path / f"{name}.png")
    write(tmp_path / "gt_a.txt", "1,2,30,2,30,9,1,9,fine\n1,2,30,2,30,9,only seven\n1;2;3;4;5;6;7;8;x\n")
    write(tmp_path / "gt_b.txt", "1,2,30,2,30,9,1,9,fine\n")
    write(tmp_path / "gt_ghost.txt", "1,2,30,2,30,9,1,9,fine\n")
    entries = list(page_entries(tmp_path))
    flaws = [str(entry) for entry in entries if isinstance(entry, Flaw)]
    assert len(entries) - len(flaws) == 1
    for words in ("gt_a.txt, line 2: not 8 numbers", "gt_a.txt, line 3", "no picture called ghost", "lonely.png"):
        assert any(words in flaw for flaw in flaws), flaws
    with pytest.raises(InputError, match="line 2: not 8 numbers"):
        read_pages(tmp_path)


def test_several_pictures_of_one_name_are_no_guess(tmp_path: Path, picture: MakePicture) -> None:
    picture(tmp_path / "a.png")
    picture(tmp_path / "a.jpg")
    write(tmp_path / "gt_a.txt", "1,2,30,2,30,9,1,9,fine\n")
    with pytest.raises(InputError, match="several pictures are called a"):
        read_pages(tmp_path)


@pytest.mark.parametrize("above", [0, 1, 2])
def test_paddle_paths_may_start_in_a_folder_above(tmp_path: Path, picture: MakePicture, above: int) -> None:
    folder = tmp_path / "root" / "rec"
    image = picture(folder / "train" / "word 1.png")
    name = image.relative_to([folder, *folder.parents][above]).as_posix()
    listed = write(folder / "rec_gt_train.txt", f"{name}\ta b\n")
    assert read_lines(listed)[0].image.resolve() == image.resolve()
    assert [label.text for label in read_lines(folder)] == ["a b"], "a folder with one list stands for the list"
    assert find(folder) == ("paddle", listed)


def test_ppocrlabel_marks_difficult_regions(tmp_path: Path) -> None:
    regions = [{"transcription": "smudge", "points": QUAD, "difficult": True}]
    listed = write(tmp_path / "Label.txt", f"a.png\t{json.dumps(regions)}\n")
    assert texts(listed) == [("smudge", True)]
    assert content(listed) == "pages"


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("a/1.png some text", "a space stands"),
        ("a/1.png\\tsome text", "a backslash with a t stands"),
        ("1.jpg,text", "a comma stands"),
        ("1.JPG; text", "a semicolon stands"),
    ],
)
def test_a_wrong_separator_is_called_by_its_name(tmp_path: Path, line: str, hint: str) -> None:
    with pytest.raises(InputError, match=hint):
        read_lines(write(tmp_path / "list.txt", line + "\n"))


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ('[{"transcription": "a", "points": [[1e30, 1], [5, 5], [3, 4]]}]', "no picture has pixels for"),
        ('[{"transcription": "a", "points": [[1e400, 1], [5, 5], [3, 4]]}]', "not finite"),
        ("[{'transcription': 'a', 'points': [[1, 1], [5, 5], [3, 4]]}]", "double quotes"),
        ('[{"transcription": "a "b" c", "points": [[1, 1], [5, 5], [3, 4]]}]', "not valid JSON"),
        ('[{"transcription": "a", "points": ' + "[" * 100_000 + "]" * 100_000 + "}]", "nested too deeply"),
    ],
    ids=["far away", "infinite", "Python's quotes", "quotes inside", "deep"],
)
def test_pages_that_cannot_be_understood(tmp_path: Path, label: str, words: str) -> None:
    listed = write(tmp_path / "list.txt", f"1.png\t{label}\n")
    (flaw,) = page_entries(listed)
    assert isinstance(flaw, Flaw)
    assert words in flaw.reason
    assert len(flaw.reason) < 300


def test_a_list_that_only_looks_like_one_is_of_pages(tmp_path: Path) -> None:
    assert content(write(tmp_path / "a.txt", "1.png\t[{'transcription': 'a', 'points': []}]\n")) == "pages"


def test_texts_like_lists_are_lines(tmp_path: Path) -> None:
    assert content(write(tmp_path / "a.txt", "1.png\t[6]\n")) == "lines"
    assert content(write(tmp_path / "b.txt", "1.png\t[06\n")) == "lines"
    assert content(write(tmp_path / "c.txt", "1.png\t[]\n")) == "pages"


def test_mmocr(tmp_path: Path) -> None:
    det = {"img_path": "i/a.png", "height": 50, "width": 60, "instances": [
        {"polygon": [1, 2, 30, 2, 30, 9, 1, 9], "bbox": [1, 2, 30, 9], "bbox_label": 0, "ignore": False, "text": "A"},
        {"bbox": [1, 2, 30, 9], "bbox_label": 0, "ignore": True}]}  # fmt: skip
    rec = {"img_path": "i/w.png", "instances": [{"text": "cafe\u0301"}]}
    pages = write(tmp_path / "textdet_train.json", json.dumps({"metainfo": {}, "data_list": [det]}))
    lines = write(tmp_path / "textrecog_train.json", json.dumps({"metainfo": {}, "data_list": [rec]}))
    assert (content(pages), content(lines)) == ("pages", "lines")
    assert texts(pages) == [("A", False), (None, True)]
    (page,) = read_pages(pages)
    assert page.size == (50, 60)
    assert [region.points.tolist() for region in page.regions] == [QUAD, QUAD]
    assert [(label.image, label.text) for label in read_lines(lines)] == [(tmp_path / "i" / "w.png", "café")]
    with pytest.raises(InputError, match="several label files"):
        read_lines(tmp_path)


def test_mmocr_flaws_name_the_entry(tmp_path: Path) -> None:
    bad = [{"img_path": "a.png"}, {"img_path": "a.png", "instances": [{"ignore": False}]}, 7]
    path = write(tmp_path / "x.json", json.dumps({"data_list": bad}))
    flaws = list(page_entries(path))
    assert all(isinstance(flaw, Flaw) for flaw in flaws)
    assert "data_list[1]: region 0: neither a 'polygon'" in str(flaws[1])


def test_a_folder_of_lines(tmp_path: Path, picture: MakePicture) -> None:
    picture(tmp_path / "b" / "1.png")
    picture(tmp_path / "2.bin.png")
    picture(tmp_path / "bare.png")
    write(tmp_path / "b" / "1.gt.txt", " kept spaces \n")
    write(tmp_path / "2.gt.txt", "two")
    write(tmp_path / "3.gt.txt", "ghost\n")
    entries = list(line_entries(tmp_path))
    good = {entry.image.name: entry.text for entry in entries if not isinstance(entry, Flaw)}
    assert good == {"1.png": " kept spaces ", "2.bin.png": "two"}
    flaws = " ".join(str(entry) for entry in entries if isinstance(entry, Flaw))
    assert "bare.png: no text file" in flaws
    assert "3.gt.txt: no picture" in flaws
    write(tmp_path / "2.gt.txt", "two\nlines\n")
    assert any("2 lines of text" in str(entry) for entry in line_entries(tmp_path))


def test_a_database_is_read_as_it_is(tmp_path: Path, picture: MakePicture) -> None:
    image = picture(tmp_path / "1.png")
    database = tmp_path / "db"
    assert lmdb_format.write(database, [(image, "one"), (tmp_path / "none.png", "x"), (image, "Ü")]) != []
    assert find(database) == ("lmdb", database)
    labels = read_lines(database)
    assert labels == read_lines(database / "data.mdb")
    assert [label.text for label in labels] == ["one", "Ü"]
    assert all(np.array_equal(read_picture(label.image), read_picture(image)) for label in labels)
    assert picture_size(labels[0].image) == picture_size(image)
    assert "image-000000002" in str(labels[1].image)
    with pytest.raises(InputError, match="holds no image-000000007"):
        read_picture(labels[0].image.with_name("image-000000007"))
    taken = list(lmdb_format.extract(database, tmp_path / "out"))
    assert [label.text for label in taken if not isinstance(label, Flaw)] == ["one", "Ü"]
    assert all(label.image.read_bytes() == image.read_bytes() for label in taken if not isinstance(label, Flaw))


def test_databases_in_folders_below_are_read_one_after_the_other(tmp_path: Path, picture: MakePicture) -> None:
    image = picture(tmp_path / "1.png")
    for name in ("MJ/train", "ST"):
        (tmp_path / "all" / name).mkdir(parents=True)
        lmdb_format.write(tmp_path / "all" / name, [(image, name)])
    assert [label.text for label in read_lines(tmp_path / "all")] == ["MJ/train", "ST"]
    taken = [label.image for label in lmdb_format.extract(tmp_path / "all", tmp_path / "out")]  # type: ignore[union-attr]
    assert len(set(taken)) == 2


def test_flaws_of_a_database_are_named(tmp_path: Path) -> None:
    lmdb = pytest.importorskip("lmdb")
    with lmdb.open(str(tmp_path / "db")) as database, database.begin(write=True) as transaction:
        for key, value in {"num-samples": b"4", "image-000000001": b"x", "label-000000002": b"two",
                           "image-000000003": b"x", "label-000000003": b"\xff"}.items():  # fmt: skip
            transaction.put(key.encode(), value)
    reasons = [str(entry) for entry in line_entries(tmp_path / "db")]
    for reason, words in zip(reasons, ("no label", "no picture", "not UTF-8", "no label"), strict=True):
        assert words in reason
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"no data\.mdb in it or below"):
        read_lines(tmp_path / "empty", "lmdb")
    with lmdb.open(str(tmp_path / "other")) as database, database.begin(write=True) as transaction:
        transaction.put(b"key", b"value")
    with pytest.raises(InputError, match="no number under 'num-samples'"):
        read_lines(tmp_path / "other")


def test_without_the_package_lmdb_there_is_a_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = builtins.__import__

    def refuse(name: str, *rest: Any, **more: Any) -> Any:
        if name == "lmdb":
            raise ImportError(name)
        return original(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(InputError, match=r"ocrbatch\[lmdb\]"):
        lmdb_format.write(tmp_path / "db", [])


def test_the_other_kind_of_labels_is_refused_by_name(tmp_path: Path, picture: MakePicture) -> None:
    picture(tmp_path / "a.png")
    write(tmp_path / "gt_a.txt", "1,2,30,2,30,9,1,9,Hi\n")
    with pytest.raises(InputError, match=r"icdar, which labels pages.*--crops"):
        read_lines(tmp_path)
    with pytest.raises(InputError, match="no format 'icdra', did you mean 'icdar'"):
        read_pages(tmp_path, "icdra")


def test_a_path_is_relative_to_the_label_file(tmp_path: Path) -> None:
    path = write(tmp_path / "labels.jsonl", '{"image": "x.png", "regions": [], "width": 5, "height": 7}\n')
    (page,) = read_pages(path.parent)
    assert (page.image, page.size) == (tmp_path / "x.png", (7, 5))
    assert np.array_equal([len(page.regions)], [0])


MANY = "1" + "0" * 400
DEEP = "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        (
            "a.jsonl",
            f'{{"image": "a.png", "regions": [{{"points": [[{MANY}, 1], [5, 5], [3, 4]]}}]}}',
            "hundreds of digits",
        ),
        ("a.jsonl", f'{{"image": "a.png", "regions": [{{"points": [[{"1" * 5000}, 1]]}}]}}', "thousands of digits"),
        (
            "a.jsonl",
            f'{{"image": "a.png", "regions": [], "width": {MANY}, "height": 5}}',
            "'height' or 'width' is more",
        ),
        ("a.jsonl", f'{{"image": "a.png", "regions": {DEEP}}}', "nested too deeply"),
        (
            "a.jsonl",
            '{"image": "a.png", "regions": [{"points": [[1, 1], [5, 5], [3, 4]], "text": "a\\ud800"}]}',
            "ud800",
        ),
        ("a.jsonl", '{"image": "a\\udfff.png", "regions": []}', "'image' holds \\udfff, half of a character"),
        ("a.txt", f'a.png\t[{{"transcription": "a", "points": [[{MANY}, 1], [5, 5], [3, 4]]}}]', "hundreds of digits"),
        ("a.txt", 'a.png\t[{"transcription": "\\ud800", "points": [[1, 1], [5, 5], [3, 4]]}]', "'transcription' holds"),
        (
            "a.json",
            f'{{"data_list": [{{"img_path": "a", "instances": [{{"bbox": [{MANY}, 2, 3, 4]}}]}}]}}',
            "hundreds of",
        ),
        ("a.json", f'{{"data_list": {DEEP}}}', "nested too deeply"),
    ],
)
def test_numbers_texts_and_depths_that_nothing_holds_are_flaws(
    tmp_path: Path, name: str, text: str, words: str
) -> None:
    (flaw,) = page_entries(write(tmp_path / name, text + "\n"))
    assert isinstance(flaw, Flaw)
    assert words in flaw.reason
    assert len(str(flaw)) < len(str(tmp_path)) + 200


def test_such_lines_are_flaws_and_do_not_hide_the_others(tmp_path: Path) -> None:
    rows = [
        f'{{"image": "1.png", "x": {DEEP}}}',
        '{"image": "2.png", "text": "\\ud800"}',
        '{"image": "3.png", "text": "a"}',
    ]
    path = write(tmp_path / "labels.jsonl", "\n".join(rows))
    assert content(path) == "lines"
    deep, half, fine = line_entries(path)
    assert str(deep) == f"{path}, line 1: not valid JSON (nested too deeply)."
    assert str(half) == f"{path}, line 2: 'text' holds \\ud800, half of a character: write the character itself."
    assert not isinstance(fine, Flaw)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (f"{MANY},2,30,2,30,9,1,9,x", "not finite"),
        ("1e39,2,3,2,3,9,1,9,x", "not finite"),
        ("1e30,2,3,2,3,9,1,9,x", "no picture"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_coordinates_of_icdar_are_bounded_too(tmp_path: Path, picture: MakePicture, row: str, words: str) -> None:
    picture(tmp_path / "a.png")
    write(tmp_path / "gt_a.txt", row + "\n")
    (flaw,) = page_entries(tmp_path)
    assert isinstance(flaw, Flaw)
    assert (words in flaw.reason, flaw.where) == (True, f"{tmp_path / 'gt_a.txt'}, line 1")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"regions": [{"points": [int(MANY), 1, 5, 5, 3, 4]}]}, "region 0: 'points' holds a number of hundreds"),
        ({"regions": [{"points": [{}, 1, 5, 5, 3, 4]}]}, "region 0: 'points' is no list"),
        ({"regions": [{"points": 5}]}, "region 0: it has no outline"),
        ({"regions": 5}, "'regions' is missing or no list"),
        ({"regions": [{"points": [1, 1, 5, 5, 3, 4], "text": "\ud800"}]}, "region 0: 'text' holds \\ud800"),
        ({"height": int(MANY)}, "'height' or 'width' is more than any picture has"),
        ({"height": None}, "'height' and 'width' of the page are missing"),
        ({"page": [1]}, "'page' is no number of pages"),
        ({"n_pages": int(MANY)}, "'n_pages' is no number of pages"),
        ({"source": "\ud800"}, "'source' holds \\ud800"),
        ({"source": "a" * 5000}, "Cannot open"),
    ],
)  # fmt: skip
def test_rows_of_results_that_cannot_be_understood(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    row = {"source": "a.png", "status": "ok", "height": 9, "width": 9, "sha256": "x", "regions": []}
    if "source" not in change:
        del row["sha256"]
    (flaw,) = page_entries(write(tmp_path / "r.jsonl", json.dumps(row | change) + "\n"))
    assert isinstance(flaw, Flaw)
    assert words in flaw.reason


@contextmanager
def ending() -> Iterator[None]:
    """What is done inside is broken off after some seconds."""

    def stop(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(60)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".txt", ".parquet"])
def test_pipes_and_devices_are_no_labels(tmp_path: Path, suffix: str) -> None:
    os.mkfifo(tmp_path / f"pipe{suffix}")
    (tmp_path / f"null{suffix}").symlink_to("/dev/null")
    for name in ("pipe", "null"):
        with ending(), pytest.raises(InputError, match="it is no regular file"):
            read_pages(tmp_path / f"{name}{suffix}")


def test_pipes_are_no_pictures(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    for read in (read_picture, picture_size):
        with ending(), pytest.raises(InputError, match="it is no regular file"):
            read(tmp_path / "a.png")
    with ending():
        (flaw,) = lmdb_format.write(tmp_path / "db", [(tmp_path / "a.png", "a")])
    assert "it is no regular file" in flaw.reason


@pytest.mark.parametrize("count", [b"100000000000000", b"6", b"1" * 5000])
def test_a_database_that_claims_more_than_it_holds_is_refused(tmp_path: Path, count: bytes) -> None:
    lmdb = pytest.importorskip("lmdb")
    with lmdb.open(str(tmp_path)) as database, database.begin(write=True) as transaction:
        for key in (b"image-000000001", b"label-000000001", b"image-000000002", b"label-000000002"):
            transaction.put(key, b"x")
        transaction.put(b"num-samples", count)
    with ending(), pytest.raises(InputError, match="is damaged or was never finished: it holds 5 entries"):
        read_lines(tmp_path)


def test_a_count_may_have_zeros_before_it(tmp_path: Path) -> None:
    lmdb = pytest.importorskip("lmdb")
    with lmdb.open(str(tmp_path)) as database, database.begin(write=True) as transaction:
        for key, value in {
            b"image-000000001": b"x",
            b"label-000000001": b"a",
            b"num-samples": b"0" * 30 + b"1",
        }.items():
            transaction.put(key, value)
    assert [label.text for label in read_lines(tmp_path)] == ["a"]


def test_a_picture_may_have_a_name_that_is_not_utf_8(tmp_path: Path, picture: MakePicture) -> None:
    picture(tmp_path / "a.png").rename(tmp_path / os.fsdecode(b"\xff.png"))
    (label,) = read_lines(write(tmp_path / "a.jsonl", json.dumps({"image": "\udcff.png", "text": "a"})))
    assert picture_size(label.image) == (32, 120)
