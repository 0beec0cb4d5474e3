from __future__ import annotations

import contextlib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocrbatch.bundles.archive import is_bundle, read_member, write_archive
from ocrbatch.errors import BundleError, OutputError

SHAPES = pytest.mark.parametrize("name", ["folder", "file.ocrb"])


@SHAPES
@settings(max_examples=25)
@given(content=st.binary(max_size=300))
def test_what_is_written_is_read_back(tmp_path_factory: pytest.TempPathFactory, name: str, content: bytes) -> None:
    target = tmp_path_factory.mktemp("any") / "new" / name
    write_archive(target, {"bundle.json": b"{}", "model.onnx": content})
    assert is_bundle(target)
    assert read_member(target, "model.onnx", 300) == content
    assert [path.name for path in target.parent.iterdir()] == [name]


@SHAPES
def test_a_file_longer_than_announced_is_refused(tmp_path: Path, name: str) -> None:
    write_archive(tmp_path / name, {"bundle.json": b"x" * 101})
    with pytest.raises(BundleError, match="longer than the 100 bytes"):
        read_member(tmp_path / name, "bundle.json", 100)


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.ocrb"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bundle.json", b"\0" * 50_000_000)
    with pytest.raises(BundleError, match="longer than"):
        read_member(bomb, "bundle.json", 1000)


@SHAPES
@pytest.mark.parametrize("member", ["../secret", "/etc/passwd", "a/b", "..", "", "C:\\x", ".hidden", "a\0b"])
def test_nothing_outside_is_reached(tmp_path: Path, name: str, member: str) -> None:
    (tmp_path / "secret").write_text("secret")
    write_archive(tmp_path / name, {"bundle.json": b"{}"})
    with pytest.raises(BundleError, match="plain file names"):
        read_member(tmp_path / name, member, 100)


@SHAPES
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    write_archive(tmp_path / name, {"bundle.json": b"{}"})
    with pytest.raises(BundleError, match=r"lacks model\.onnx"):
        read_member(tmp_path / name, "model.onnx", 100)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no zip file at all"])
def test_a_file_that_is_no_zip_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.ocrb").write_bytes(content)
    with pytest.raises(BundleError, match="cannot be read"):
        read_member(tmp_path / "x.ocrb", "bundle.json", 100)


@settings(max_examples=25)
@given(place=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_a_zip_with_a_changed_byte_never_gives_other_content(
    tmp_path_factory: pytest.TempPathFactory, place: int, bit: int
) -> None:
    target = tmp_path_factory.mktemp("any") / "x.ocrb"
    write_archive(target, {"bundle.json": bytes(range(200))})
    content = bytearray(target.read_bytes())
    content[place % len(content)] ^= 1 << bit
    target.write_bytes(content)
    with contextlib.suppress(BundleError):
        assert read_member(target, "bundle.json", 1000) == bytes(range(200))


@SHAPES
def test_replacing_must_be_asked_for(tmp_path: Path, name: str) -> None:
    target = tmp_path / name
    write_archive(target, {"bundle.json": b"old", "extra": b"old"})
    with pytest.raises(OutputError, match="--overwrite"):
        write_archive(target, {"bundle.json": b"new"})
    assert read_member(target, "bundle.json", 10) == b"old"
    write_archive(target, {"bundle.json": b"new"}, overwrite=True)
    assert read_member(target, "bundle.json", 10) == b"new"
    with pytest.raises(BundleError):
        read_member(target, "extra", 10)


def test_what_is_no_bundle_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "me.jpg").write_bytes(b"jpg")
    with pytest.raises(OutputError, match="left alone"):
        write_archive(tmp_path / "photos", {"bundle.json": b"new"}, overwrite=True)
    assert (tmp_path / "photos" / "me.jpg").exists()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="Cannot write"):
        write_archive(tmp_path / "file" / "x.ocrb", {"bundle.json": b"new"})


class FullDisk(dict[str, bytes]):
    """Files of which the last cannot be written."""

    def items(self) -> Any:
        yield from super().items()
        raise OSError(28, "No space left on device")


@SHAPES
def test_a_failure_leaves_nothing_behind(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError, match="No space left"):
        write_archive(tmp_path / name, FullDisk({"bundle.json": b"{}"}))
    assert list(tmp_path.iterdir()) == []
