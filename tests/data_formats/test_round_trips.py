"""What is written in a format is read back as it was, or its loss was counted."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ocrbatch.charset import normalize
from ocrbatch.data.convert import Target, convert
from ocrbatch.data.label_types import LineLabel, PageLabel, RegionLabel
from ocrbatch.data.labels import read_lines, read_pages

QUICK = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))

unicode_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20).map(normalize)
awkward = st.sampled_from(
    ["", " ", "###", "*", "a,b", '"quoted"', ",", "1,2,3", "5", "\u2028", "\x85", "\r", "[]", "{", "a\tb", "a\nb", "é"]
)
text = unicode_text | awkward | st.tuples(awkward, unicode_text).map("".join).map(normalize)
corner = st.integers(-5, 3000).map(float)
quad = st.lists(st.tuples(corner, corner), min_size=4, max_size=4)
region = st.builds(
    lambda points, text, ignore: RegionLabel(np.array(points, np.float32), text, ignore),
    quad,
    st.none() | text,
    st.booleans(),
)


def kept(label: PageLabel) -> list[tuple[list[list[float]], str | None, bool]]:
    return [(region.points.tolist(), region.text, region.ignore) for region in label.regions]


@pytest.mark.parametrize("to", ["labels", "paddle", "mmocr"])
@QUICK
@given(texts=st.lists(text, min_size=1, max_size=5))
def test_lines(to: Target, texts: list[str]) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        labels = [LineLabel(folder / f"{number}.png", text) for number, text in enumerate(texts)]
        done = convert(labels, "lines", folder, to)
        fine = [label for label in labels if to != "paddle" or not set("\t\n\r") & set(label.text)]
        assert done.written == len(fine)
        assert len(done.left_out) == len(labels) - len(fine)
        assert not done.altered
        if fine:
            read = [(label.image.resolve(), label.text) for label in read_lines(folder)]
            assert read == [(label.image.resolve(), label.text) for label in fine]


@pytest.mark.parametrize("to", ["labels", "mmocr"])
@QUICK
@given(regions=st.lists(region, max_size=4))
def test_pages_where_everything_can_be_said(to: Target, regions: list[RegionLabel]) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        label = PageLabel(folder / "a.png", tuple(regions), (40, 50))
        assert not convert([label], "pages", folder, to).altered
        (read,) = read_pages(folder)
        assert read.size == label.size
        assert kept(read) == kept(label)


@pytest.mark.parametrize("to", ["paddle", "icdar"])
@QUICK
@given(regions=st.lists(region, max_size=4))
def test_pages_are_equal_or_the_loss_is_counted(to: Target, regions: list[RegionLabel]) -> None:
    with TemporaryDirectory() as name:
        source, folder = Path(name, "from"), Path(name, "to")
        source.mkdir()
        folder.mkdir()
        (source / "a.png").write_bytes(b"not looked at")
        label = PageLabel(source / "a.png", tuple(regions))
        done = convert([label], "pages", folder, to)
        assert (done.written, done.left_out) == (1, [])
        (read,) = read_pages(folder)
        assert len(read.regions) == len(regions)
        same = kept(read) == kept(label)
        assert same == (not done.altered), (kept(read), kept(label), done.altered)
        for before, after in zip(regions, read.regions, strict=True):
            assert after.points.tolist() == before.points.tolist()
            assert after.ignore >= before.ignore, "nothing becomes a target that was none"


@QUICK
@given(texts=st.lists(text, min_size=1, max_size=5))
def test_lines_with_a_text_file_each(texts: list[str]) -> None:
    with TemporaryDirectory() as name:
        source, folder = Path(name, "from"), Path(name, "to")
        source.mkdir()
        folder.mkdir()
        for number in range(len(texts)):
            (source / f"{number}.png").write_bytes(b"not looked at")
        done = convert(
            [LineLabel(source / f"{n}.png", text) for n, text in enumerate(texts)], "lines", folder, "folder"
        )
        fine = {f"{n}.png": t for n, t in enumerate(texts) if not ("\n" in t or t.endswith("\r") or t[:1] == "\ufeff")}
        assert (done.written, len(done.left_out)) == (len(fine), len(texts) - len(fine))
        if fine:
            assert {label.image.name: label.text for label in read_lines(folder)} == fine


def test_pictures_of_one_name_are_numbered_without_trying_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    class Counting(type(Path())):  # type: ignore[misc]
        @property
        def stem(self) -> str:
            tried.append(self)
            return str(super().stem)

    monkeypatch.setattr("shutil.copyfile", lambda *_: None)
    names = ["a_2", *["a"] * 50, "a_2", "b"]
    labels = [LineLabel(Counting(tmp_path, str(n), f"{name}.png"), "x") for n, name in enumerate(names)]
    out = tmp_path / "out"
    out.mkdir()
    assert convert(labels, "lines", out, "labels", copy=True).written == len(names)
    stems = [label.image.stem for label in read_lines(out)]
    assert stems == ["a_2", "a", *(f"a_{number}" for number in range(3, 52)), "a_2_2", "b"]
    assert len(tried) < 5 * len(names)


def test_pictures_that_a_reader_of_folders_would_not_find_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.pgm").write_bytes(b"not looked at")
    for to in ("folder", "icdar"):
        out = tmp_path / to
        out.mkdir()
        label = LineLabel(tmp_path / "a.pgm", "x") if to == "folder" else PageLabel(tmp_path / "a.pgm", ())
        done = convert([label], "lines" if to == "folder" else "pages", out, to)  # type: ignore[arg-type]
        assert (done.written, len(done.left_out)) == (0, 1)


def test_outlines_that_icdar_cannot_hold_are_counted(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"not looked at")
    out = tmp_path / "out"
    out.mkdir()
    pentagon = RegionLabel(np.array([[0, 0], [9, 0], [12, 3], [9, 6], [0, 6]], np.float32), "five")
    between = RegionLabel(np.array([[0.4, 0], [9, 0], [9, 6], [0, 6]], np.float32), "half")
    done = convert([PageLabel(tmp_path / "a.png", (pentagon, between))], "pages", out, "icdar")
    assert [times for what, times in done.altered.items() if "no quadrilaterals" in what] == [1]
    assert any("between pixels" in what for what in done.altered)
    (page,) = read_pages(out)
    assert [region.points.shape for region in page.regions] == [(4, 2), (4, 2)]
    assert page.regions[1].points.tolist() == [[0, 0], [9, 0], [9, 6], [0, 6]]
