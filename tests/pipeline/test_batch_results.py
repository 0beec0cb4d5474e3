"""Every file ends as rows, whatever it is."""

from __future__ import annotations

import io
import json
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from pipeline_doubles import CRASH, ERROR, GARBAGE, HANG, KILL, MODELS, Quiet, page, run, write_page, write_tiff

from ocrbatch.errors import InputError, OcrbatchError, OutputError
from ocrbatch.pipeline.local_workers import LocalWorkers

BOX = (10, 10, 20, 10)


def png_head(width: int, height: int) -> bytes:
    """A PNG that claims to be large and holds nothing."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head)) + b"\0\0\0\0IEND"


def hostile_folder(root: Path) -> dict[str, list[str]]:
    """Files of all kinds; gives the statuses (or kinds of error) of the pages of each."""
    good = Image.fromarray(page(BOX))
    expected: dict[str, list[str]] = {}

    def save(name: str, picture: Image.Image = good, becomes: str = "ok", **options: object) -> None:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(path, **options)
        expected[name] = [becomes]

    def raw(name: str, content: bytes, becomes: str) -> None:
        (root / name).write_bytes(content)
        expected[name] = [becomes]

    save("plain.png")
    save("ünï/文件 名.png")
    save("a/same.png")
    save("b/same.png")
    save("UPPER.PNG")
    save("space and 'quotes'.png")
    save("percent%20#?.png")
    save("new\nline.png")
    save("x" * 200 + ".png")
    save("one.png", good.convert("1"))
    save("grey.png", good.convert("L"))
    save("palette.png", good.convert("P"))
    save("alpha.png", good.convert("RGBA"))
    save("grey_alpha.png", good.convert("LA"))
    save("deep.png", Image.fromarray(np.asarray(good.convert("L")).astype(np.uint16) * 257))
    save("deep.tif", Image.fromarray(np.asarray(good.convert("L")).astype(np.int32) * 257))
    save("float.tif", Image.fromarray(np.asarray(good.convert("L")).astype(np.float32)))
    save("cmyk.tif", good.convert("CMYK"))
    save("cmyk.jpg", good.convert("CMYK"), quality=95)
    save("photo.jpg", quality=95)
    save("progressive.jpg", quality=95, progressive=True)
    save("fax.tif", good.convert("1"), compression="group4")
    save("lzw.tif", compression="tiff_lzw")
    save("a.bmp")
    save("a.gif")
    save("a.webp", lossless=True)
    save("a.ppm")
    save("turned.png", good.transpose(Image.Transpose.ROTATE_90), exif=exif(6))
    save("blank.png", Image.new("RGB", (50, 50), "white"), "empty")
    save("dot.png", Image.new("RGB", (1, 1), "white"), "empty")
    save("thin.png", Image.new("RGB", (3000, 1), "white"), "empty")
    save("long.png", Image.new("RGB", (20, 5000), "white"), "empty")
    save("one.pdf", resolution=72)
    png = (root / "plain.png").read_bytes()
    raw("png_called.jpg", png, "ok")
    raw("png_called.pdf", png, "ok")
    raw("pdf_called.png", (root / "one.pdf").read_bytes(), "ok")
    raw("zero.png", b"", "EmptyFile")
    raw("words.png", b"not a picture", "UnknownFormat")
    raw("noise.jpg", np.random.default_rng(0).bytes(3000), "UnknownFormat")
    raw("head.jpg", b"\xff\xd8\xff\xe0\x00\x10JFIF\x00", "DamagedFile")
    raw("claims.png", png_head(60_000, 60_000), "PixelLimit")
    raw("nothing_inside.png", png_head(50, 50), "DamagedFile")
    raw("cut.pdf", (root / "one.pdf").read_bytes()[:200], "DamagedFile")
    raw("cut.png", png[: len(png) * 3 // 4], "recovered")
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (99, 99, 3), np.uint8)).save(buffer, "JPEG")
    raw("cut.jpg", buffer.getvalue()[:-500], "recovered")
    raw("plain.tiff", b"II*\x00\x08\x00\x00\x00\xff\xff", "UnknownFormat")
    raw("notes.txt", b"left alone", "")
    raw(".hidden.png", png, "")
    del expected["notes.txt"], expected[".hidden.png"]
    write_tiff(root / "three.tif", 3)
    expected["three.tif"] = ["ok"] * 3
    write_tiff(root / "many.tif", 11, {2: ERROR, 5: CRASH})
    expected["many.tif"] = ["ok"] * 2 + ["ValueError"] + ["ok"] * 2 + ["WorkerCrashed"] + ["ok"] * 5
    for name, fate, kind in (
        ("crash.png", CRASH, "WorkerCrashed"),
        ("kill.png", KILL, "WorkerCrashed"),
        ("hang.png", HANG, "Timeout"),
        ("error.png", ERROR, "ValueError"),
        ("garbage.png", GARBAGE, "AxisError"),
    ):
        write_page(root / name, fate=fate)
        expected[name] = [kind]
    (root / "folder.png").mkdir()
    os.mkfifo(root / "pipe.png")
    expected["pipe.png"] = ["MissingFile"]
    (root / "dead_link.png").symlink_to(root / "nowhere")
    expected["dead_link.png"] = ["MissingFile"]
    (root / "linked.png").symlink_to(root / "plain.png")
    expected["linked.png"] = ["ok"]
    (root / "a" / "loop").symlink_to(root)
    return expected


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags


def test_a_hostile_folder_ends_as_rows(tmp_path: Path) -> None:
    root = tmp_path / "scans"
    root.mkdir()
    expected = hostile_folder(root)
    assert len(expected) >= 40
    summary = run(root, out=tmp_path / "r.parquet", workers=2, timeout=8.0)
    rows = pq.read_table(tmp_path / "r.parquet").to_pylist()
    found: dict[str, list[str]] = {}
    for row in rows:
        recovered = "recovered" if row["warnings"] else row["status"]
        name = os.path.relpath(row["source"], root)
        found.setdefault(name, []).append(row["error_kind"] or recovered)
        assert (row["page"], row["n_pages"]) == (len(found[name]) - 1, len(expected[name]))
        assert bool(row["error_message"]) == bool(row["error_stage"]) == (row["status"] == "failed")
        assert (row["det_model"], row["rec_model"]) == MODELS
    assert found == expected
    assert summary.counts["failed"] == sum(row["status"] == "failed" for row in rows)
    turned = next(row for row in rows if row["source"].endswith("turned.png"))
    assert (turned["width"], turned["height"], turned["text"]) == (160, 120, "w20 g10")


def test_rows_come_in_the_order_of_the_input_and_each_file_once(tmp_path: Path) -> None:
    for name in ("c.png", "a.png", "b.png"):
        write_page(tmp_path / "in" / name)
    run(tmp_path / "in" / "b.png", tmp_path / "in", tmp_path / "in" / "a.png", out=tmp_path / "r.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines()]
    assert [Path(row["source"]).name for row in rows] == ["b.png", "a.png", "c.png"]


def test_the_result_does_not_depend_on_workers_or_units(tmp_path: Path) -> None:
    for n in range(7):
        write_page(tmp_path / "in" / f"{n}.png", (10, 10, 20 + n, 10))
    write_tiff(tmp_path / "in" / "3.tif", 10)
    tables = []
    for workers, unit_pages in ((1, 1), (2, 3), (1, 64)):
        out = tmp_path / f"{workers}-{unit_pages}.parquet"
        run(tmp_path / "in", out=out, workers=workers, unit_pages=unit_pages)
        tables.append(without_seconds(out))
    assert tables[0].num_rows == 17
    assert tables[0].equals(tables[1])
    assert tables[0].equals(tables[2])


@pytest.mark.parametrize(("n_files", "n_pages", "most"), [(1, 1, 1), (5, 1, 2), (1, 9, 2)])
def test_a_second_worker_starts_when_there_is_work_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_files: int, n_pages: int, most: int
) -> None:
    (tmp_path / "in").mkdir()
    for n in range(n_files):
        write_tiff(tmp_path / "in" / f"{n}.tif", n_pages)
    started = []
    begin = LocalWorkers._begin
    monkeypatch.setattr(LocalWorkers, "_begin", lambda self: started.append(1) or begin(self))
    run(tmp_path / "in", out=tmp_path / "r.jsonl", workers=2, unit_pages=2)
    assert len(started) == most


def without_seconds(path: Path) -> pa.Table:
    table = pq.read_table(path)
    return table.drop_columns([name for name in table.column_names if name.startswith("seconds_")])


def test_limit_reads_the_first_pages_in_input_order(tmp_path: Path) -> None:
    write_page(tmp_path / "in" / "b.png")
    write_tiff(tmp_path / "in" / "a.tif", 9)
    run(tmp_path / "in", out=tmp_path / "r.parquet", limit=5)
    assert pq.read_table(tmp_path / "r.parquet")["page"].to_pylist() == [0, 1, 2, 3, 4]
    run(tmp_path / "in", out=tmp_path / "r.parquet")
    assert pq.read_table(tmp_path / "r.parquet")["page"].to_pylist() == [*range(9), 0]


def test_pictures_are_drawn(tmp_path: Path) -> None:
    from ocrbatch.outputs.pictures import Drawing

    write_page(tmp_path / "in" / "a" / "1.png", BOX)
    drawing = Drawing(tmp_path / "drawn", str(tmp_path / "in"))
    run(tmp_path / "in", out=tmp_path / "r.parquet", arguments={"drawing": drawing})
    assert Image.open(tmp_path / "drawn" / "a" / "1.png.jpg").size == (320, 120)


def test_nothing_to_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Nothing to read"):
        run(tmp_path, out=tmp_path / "r.parquet")


@pytest.mark.parametrize(("build", "message"), [("broken_build", "no such model"), ("dying_build", "cannot start")])
def test_models_that_cannot_be_loaded_end_the_run(tmp_path: Path, build: str, message: str) -> None:
    write_page(tmp_path / "in" / "a.png")
    with pytest.raises(OcrbatchError, match=message):
        run(tmp_path / "in", out=tmp_path / "r.parquet", build=build)


def test_a_result_that_fits_into_no_row_costs_only_its_page(tmp_path: Path) -> None:
    write_page(tmp_path / "in" / "a.png", BOX)
    write_page(tmp_path / "in" / "b.png", BOX, (10, 40, 20, 10))
    write_page(tmp_path / "in" / "c.png", BOX)
    run(tmp_path / "in", out=tmp_path / "r.parquet", build="misfit_build")
    rows = pq.read_table(tmp_path / "r.parquet").to_pylist()
    assert [row["status"] for row in rows] == ["ok", "failed", "ok"]
    assert rows[1]["error_kind"].startswith("Arrow")


def test_an_output_of_somebody_else_is_kept(tmp_path: Path) -> None:
    write_page(tmp_path / "in" / "a.png")
    (tmp_path / "r.parquet").write_text("precious")
    (tmp_path / "r.parquet.journal").mkdir()
    with pytest.raises(OutputError, match="--overwrite"):
        run(tmp_path / "in", out=tmp_path / "r.parquet")
    assert (tmp_path / "r.parquet").read_text() == "precious"
    run(tmp_path / "in", out=tmp_path / "r.parquet", overwrite=True)
    assert pq.read_table(tmp_path / "r.parquet").num_rows == 1


def test_progress_and_log(tmp_path: Path) -> None:
    write_tiff(tmp_path / "a.tif", 6, {4: ERROR})
    watch = Quiet()
    run(tmp_path / "a.tif", out=tmp_path / "r.parquet", watch=watch)
    assert (watch.last.read, watch.last.total, watch.last.failed, watch.last.listed) == (6, 6, 1, True)
    assert watch.last.peak_memory > 10_000_000
    assert any("a.tif, page 4: ValueError" in line for line in watch.lines)
