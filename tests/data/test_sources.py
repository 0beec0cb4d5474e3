from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ocrbatch.data.sources import Selection, common_folder, list_sources


def names(*paths: Path | str, root: Path, selection: Selection | None = None, skip: tuple[Path, ...] = ()) -> list[str]:
    """Sources below ``root`` as relative paths."""
    found = list_sources([str(path) for path in paths], selection or Selection(), skip)
    return [os.path.relpath(file.source, root) for file in found]


def fill(root: Path, *relative: str) -> Path:
    for name in relative:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return root


def test_folders_are_walked_in_the_order_of_whole_paths(tmp_path: Path) -> None:
    fill(tmp_path, "b/1.png", "a.png", "a/2.png", "a/1.jpg", "a-b.png", "c.PDF")
    assert names(tmp_path, root=tmp_path) == ["a-b.png", "a.png", "a/1.jpg", "a/2.png", "b/1.png", "c.PDF"]


def test_only_pictures_and_pdfs_are_taken_from_folders_but_any_file_that_is_named(tmp_path: Path) -> None:
    fill(tmp_path, "a.png", "notes.txt", "table.parquet", ".hidden.png", "noext")
    assert names(tmp_path, root=tmp_path) == ["a.png"]
    assert names(tmp_path / "notes.txt", tmp_path / "gone.png", root=tmp_path) == ["notes.txt", "gone.png"]


def test_the_walk_is_lazy(tmp_path: Path) -> None:
    fill(tmp_path, "a/1.png", "b/2.png")
    walk: Iterator = list_sources([str(tmp_path)])
    assert next(walk).path.endswith("1.png")
    fill(tmp_path, "b/3.png")
    assert [Path(file.path).name for file in walk] == ["2.png", "3.png"]


def test_patterns(tmp_path: Path) -> None:
    fill(tmp_path, "a.png", "a.scan", "old/b.png", "old/c.jpg", ".d.png")
    assert names(tmp_path, root=tmp_path, selection=Selection(include=("*.scan", "*.jpg"))) == ["a.scan", "old/c.jpg"]
    assert names(tmp_path, root=tmp_path, selection=Selection(exclude=("old",))) == ["a.png"]
    assert names(tmp_path, root=tmp_path, selection=Selection(exclude=("old/*.png",))) == ["a.png", "old/c.jpg"]
    assert names(tmp_path, root=tmp_path, selection=Selection(include=(".d.png",))) == [".d.png"]


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    fill(tmp_path, "a/1.png", "b/2.png")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "a" / "b").symlink_to(tmp_path / "b")
    (tmp_path / "self").symlink_to(tmp_path / "self")
    (tmp_path / "dead.png").symlink_to(tmp_path / "nowhere")
    assert names(tmp_path, root=tmp_path) == ["a/1.png", "a/b/2.png", "b/2.png", "dead.png"]


def test_a_file_that_cannot_be_looked_at_has_no_size(tmp_path: Path) -> None:
    (tmp_path / "dead.png").symlink_to(tmp_path / "nowhere")
    (file,) = list_sources([str(tmp_path)])
    assert (file.size, file.mtime_ns) == (-1, -1)


def test_names_that_are_no_text(tmp_path: Path) -> None:
    raw = os.fsencode(tmp_path) + b"/caf\xe9.png"
    try:
        Path(os.fsdecode(raw)).write_bytes(b"x")
    except OSError:
        pytest.skip("this file system takes only UTF-8 names")
    (file,) = list_sources([str(tmp_path)])
    assert file.source.endswith("caf\\xe9.png")
    assert os.fsencode(file.path) == raw


def test_folders_to_skip_are_not_entered(tmp_path: Path) -> None:
    fill(tmp_path, "a.png", "drawn/a.png")
    assert names(tmp_path, root=tmp_path, skip=(tmp_path / "drawn",)) == ["a.png"]


def test_sources_are_called_as_the_person_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, "scans/1.png")
    monkeypatch.chdir(tmp_path)
    assert [file.source for file in list_sources(["./scans/"])] == ["scans/1.png"]
    assert [file.source for file in list_sources(["."])] == ["scans/1.png"]


@pytest.mark.parametrize(
    ("paths", "folder"),
    [(["/a/b/1.png", "/a/c"], "/a"), (["x/1.png", "x/2.png"], "x"), (["1.png"], ""), (["/a/1.png", "b/1.png"], "")],
)
def test_common_folder(paths: list[str], folder: str) -> None:
    assert common_folder(paths) == folder
