from __future__ import annotations

import io
import struct
import threading
import time
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ocrbatch.data import images
from ocrbatch.data.gray import as_gray, as_rgb, contiguous, is_gray
from ocrbatch.data.images import Reading, probe, read_page, stamp
from ocrbatch.data.problems import (
    DamagedFile,
    EmptyFile,
    EncryptedFile,
    MissingFile,
    PixelLimit,
    UnknownFormat,
)

HALVES = np.zeros((20, 30), np.uint8)
HALVES[:, 15:] = 255


def read(path: Path, page: int = 0, **how: Any) -> tuple[np.ndarray, tuple[str, ...]]:
    return read_page(probe(path, *stamp(path)), page, Reading(**how))


def assert_halves(picture: np.ndarray, tolerance: int = 3) -> None:
    """Black at the left, white at the right."""
    assert picture.dtype == np.uint8
    assert picture.shape == (20, 30, 3)
    assert picture[:, :13].max() <= tolerance
    assert picture[:, 17:].min() >= 255 - tolerance


def as_mode(mode: str) -> Image.Image:
    if mode == "I;16":
        return Image.fromarray(HALVES.astype(np.uint16) * 257)
    if mode == "12 of 16 bits":
        return Image.fromarray((HALVES.astype(np.uint16) // 255) * 4095)
    if mode == "I":
        return Image.fromarray(HALVES.astype(np.int32) * 257)
    if mode == "F":
        return Image.fromarray(HALVES.astype(np.float32) / 255)
    return Image.fromarray(HALVES).convert(mode)


@pytest.mark.parametrize(
    ("mode", "suffix"),
    [
        *[(mode, ".png") for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")],
        *[(mode, ".tif") for mode in ("1", "L", "P", "RGB", "RGBA", "CMYK", "LAB", "YCbCr", "I;16", "I", "F")],
        *[(mode, ".jpg") for mode in ("L", "RGB", "CMYK")],
        ("12 of 16 bits", ".png"),
        ("RGB", ".bmp"),
        ("P", ".gif"),
        ("RGBA", ".webp"),
        ("1", ".pbm"),
        ("RGB", ".jp2"),
    ],
)
def test_every_kind_of_pixel(tmp_path: Path, mode: str, suffix: str) -> None:
    path = tmp_path / f"picture{suffix}"
    if mode == "LAB":
        Image.merge("LAB", [Image.fromarray(HALVES), *[Image.new("L", (30, 20), 128)] * 2]).save(path)
    else:
        as_mode(mode).save(path)
    picture, warnings = read(path)
    tolerance = 40 if mode == "CMYK" and suffix == ".jpg" else 12
    assert_halves(picture, tolerance)
    assert warnings == ()
    gray, _ = read(path, gray=True)
    assert is_gray(gray)
    assert_halves(gray, tolerance)


def test_16_bits_keep_their_steps(tmp_path: Path) -> None:
    Image.fromarray(np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)).save(tmp_path / "ramp.png")
    assert read(tmp_path / "ramp.png")[0][..., 0].ravel().tolist() == list(range(256))


def test_transparency_lies_on_white(tmp_path: Path) -> None:
    Image.new("RGBA", (30, 20), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    palette = Image.new("P", (30, 20), 0)
    palette.save(tmp_path / "palette.png", transparency=0)
    Image.new("RGBA", (30, 20), (0, 0, 0, 128)).save(tmp_path / "half.png")
    assert read(tmp_path / "clear.png")[0].min() == 255
    assert read(tmp_path / "palette.png")[0].min() == 255
    assert 120 <= read(tmp_path / "half.png")[0].mean() <= 135


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_as_exif_says(tmp_path: Path, suffix: str, orientation: int) -> None:
    undo = {1: None, 2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}[orientation]
    stored = Image.fromarray(HALVES).convert("RGB")
    stored = stored if undo is None else stored.transpose(Image.Transpose(undo))
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / f"turned{suffix}", exif=exif)
    assert_halves(read(tmp_path / f"turned{suffix}")[0], 12)
    assert_halves(read(tmp_path / f"turned{suffix}", gray=True)[0], 12)


@pytest.mark.parametrize(("suffix", "most"), [(".jpg", 12), (".png", 1), (".tif", 1)])
def test_gray_is_the_luminance_of_the_colours(tmp_path: Path, suffix: str, most: int) -> None:
    colours = np.random.default_rng(0).integers(0, 256, (12, 20, 3), np.uint8)
    picture = Image.fromarray(colours).resize((300, 180), Image.Resampling.BICUBIC)
    picture.save(tmp_path / f"colours{suffix}")
    in_colour, gray = (read(tmp_path / f"colours{suffix}", gray=gray)[0] for gray in (False, True))
    assert in_colour.flags.writeable
    difference = np.abs(as_gray(in_colour).astype(int) - as_gray(gray))
    assert difference.mean() < 0.6
    assert np.quantile(difference, 0.99) <= most


@pytest.mark.parametrize("size", [(1, 1), (463, 617), (4097, 5001)], ids=["a pixel", "odd", "in pieces"])
def test_gray_pictures_of_any_size_are_read_as_they_are(tmp_path: Path, size: tuple[int, int]) -> None:
    """Pillow lends the memory of small pictures and holds large ones in pieces."""
    pixels = np.resize(np.arange(251, dtype=np.uint8), size[::-1])
    for name in ("gray.png", "gray.bmp", "gray.pgm", "gray.tif"):
        Image.fromarray(pixels).save(tmp_path / name)
        (first, _), (again, _) = (read(tmp_path / name, gray=True) for _ in range(2))
        assert np.array_equal(first[..., 1], pixels)
        assert np.array_equal(again, first)


def test_a_gray_picture_is_one_plane_seen_three_times() -> None:
    plane = np.arange(20, dtype=np.uint8).reshape(4, 5)
    picture = as_rgb(plane)
    assert picture.shape == (4, 5, 3)
    assert not picture.flags.writeable
    assert np.shares_memory(as_gray(picture), plane)
    part = contiguous(picture[1:3, 2:4])
    assert part.tolist() == np.repeat(plane[1:3, 2:4, None], 3, axis=2).tolist()
    assert is_gray(part)
    assert not is_gray(picture.copy())
    assert contiguous(picture.copy()[1:3]).flags.c_contiguous


def test_the_name_says_nothing_about_the_content(tmp_path: Path) -> None:
    Image.fromarray(HALVES).save(tmp_path / "really.png")
    for name in ("wrong.jpg", "wrong.pdf", "ohne_endung"):
        (tmp_path / name).write_bytes((tmp_path / "really.png").read_bytes())
        assert_halves(read(tmp_path / name)[0])
    Image.fromarray(HALVES).save(tmp_path / "real.pdf")
    (tmp_path / "wrong.png").write_bytes((tmp_path / "real.pdf").read_bytes())
    assert read(tmp_path / "wrong.png", dpi=72)[0].shape == (20, 30, 3)


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_truncated_pictures_are_read_as_far_as_they_go(tmp_path: Path, suffix: str) -> None:
    rng = np.random.default_rng(0)
    buffer = io.BytesIO()
    Image.fromarray(rng.integers(0, 255, (200, 200, 3), np.uint8)).save(buffer, Image.registered_extensions()[suffix])
    whole = tmp_path / f"whole{suffix}"
    whole.write_bytes(buffer.getvalue())
    cut = tmp_path / f"cut{suffix}"
    cut.write_bytes(buffer.getvalue()[: len(buffer.getvalue()) * 3 // 4])
    picture, (warning,) = read(cut)
    assert "damaged" in warning
    assert np.array_equal(picture[:80], read(whole)[0][:80])


def test_a_jpeg_without_its_last_bytes(tmp_path: Path) -> None:
    Image.fromarray(HALVES).save(tmp_path / "a.jpg")
    (tmp_path / "a.jpg").write_bytes((tmp_path / "a.jpg").read_bytes()[:-2])
    picture, warnings = read(tmp_path / "a.jpg")
    assert_halves(picture, 12)
    assert len(warnings) <= 1


def test_files_that_cannot_be_read_say_why(tmp_path: Path) -> None:
    Image.fromarray(HALVES).save(tmp_path / "good.png")
    head = (tmp_path / "good.png").read_bytes()[:30]
    for name, content, problem in (
        ("empty.png", b"", EmptyFile),
        ("text.png", b"only words", UnknownFormat),
        ("head.png", head, UnknownFormat),
        ("half.pdf", b"%PDF-1.7\n1 0 obj\n<<", DamagedFile),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(problem, match=name.split(".")[0]):
            read(tmp_path / name)
    with pytest.raises(MissingFile, match="nothing"):
        read(tmp_path / "nothing.png")
    with pytest.raises(MissingFile, match="no regular file"):
        read(tmp_path)


def test_pipes_are_not_waited_for(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(MissingFile, match="no regular file"):
        read(tmp_path / "pipe.png")


def test_bombs_are_refused_before_they_are_unpacked(tmp_path: Path) -> None:
    Image.new("1", (100, 100)).save(tmp_path / "bomb.png")
    content = bytearray((tmp_path / "bomb.png").read_bytes())
    content[16:24] = struct.pack(">II", 30_000, 30_000)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    (tmp_path / "bomb.png").write_bytes(content)
    with pytest.raises(PixelLimit, match="30000 x 30000"):
        read(tmp_path / "bomb.png")
    assert Image.MAX_IMAGE_PIXELS is not None
    Image.new("1", (100, 100)).save(tmp_path / "small.png")
    with pytest.raises(PixelLimit, match="9,999"):
        read(tmp_path / "small.png", pixel_limit=9_999)
    assert read(tmp_path / "small.png", pixel_limit=10_000)[0].shape == (100, 100, 3)


def test_tiff_pages_may_differ(tmp_path: Path) -> None:
    pages = [Image.fromarray(HALVES), Image.new("RGB", (7, 5), "red"), Image.new("1", (9, 9), 1)]
    pages[0].save(tmp_path / "many.tif", save_all=True, append_images=pages[1:])
    document = probe(tmp_path / "many.tif", *stamp(tmp_path / "many.tif"))
    assert document.n_pages == 3
    assert_halves(read_page(document, 0, Reading())[0])
    assert read_page(document, 1, Reading())[0].tolist() == [[[255, 0, 0]] * 7] * 5
    assert read_page(document, 2, Reading())[0].min() == 255


def test_frames_of_an_animation_are_no_pages(tmp_path: Path) -> None:
    frames = [Image.new("P", (5, 5), color) for color in (1, 2, 3)]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    assert probe(tmp_path / "moving.gif", *stamp(tmp_path / "moving.gif")).n_pages == 1


def test_pdf_pages_are_drawn_at_the_resolution_asked_for(tmp_path: Path) -> None:
    pages = [Image.fromarray(HALVES).convert("RGB"), Image.new("RGB", (30, 40), "blue")]
    pages[0].save(tmp_path / "two.pdf", save_all=True, append_images=pages[1:], resolution=72)
    document = probe(tmp_path / "two.pdf", *stamp(tmp_path / "two.pdf"))
    assert document.n_pages == 2
    assert_halves(read_page(document, 0, Reading(dpi=72))[0], 12)
    picture, warnings = read_page(document, 1, Reading(dpi=144))
    assert picture.shape == (80, 60, 3)
    assert warnings == ()
    assert picture[40, 30, 2] > 200
    assert picture[40, 30, 0] < 60


def test_a_huge_pdf_page_is_drawn_smaller(tmp_path: Path) -> None:
    Image.new("RGB", (1000, 1000)).save(tmp_path / "poster.pdf", resolution=1)
    picture, (warning,) = read(tmp_path / "poster.pdf", dpi=200, pixel_limit=10_000)
    assert picture.shape[0] * picture.shape[1] <= 10_000
    assert "dpi" in warning


def encrypted_pdf() -> bytes:
    """A PDF whose user password is not the empty one: its check value matches no key."""
    check = "00" * 32
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 30 20] >>",
        f"<< /Filter /Standard /V 1 /R 2 /O <{check}> /U <{check}> /P -4 >>",
    ]
    content = "%PDF-1.4\n"
    offsets = []
    for number, text in enumerate(objects, 1):
        offsets.append(len(content))
        content += f"{number} 0 obj\n{text}\nendobj\n"
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    start = len(content)
    content += f"xref\n0 5\n0000000000 65535 f \n{table}"
    content += f"trailer << /Size 5 /Root 1 0 R /Encrypt 4 0 R /ID [<00> <00>] >>\nstartxref\n{start}\n%%EOF\n"
    return content.encode()


def test_a_pdf_with_a_password_says_so(tmp_path: Path) -> None:
    (tmp_path / "secret.pdf").write_bytes(encrypted_pdf())
    with pytest.raises(EncryptedFile, match="password"):
        read(tmp_path / "secret.pdf")


def test_threads_take_turns_with_pdfs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pdfium may be called from one thread at a time."""
    import pypdfium2

    class Watched(pypdfium2.PdfDocument):
        now = most = 0

        def __init__(self, *arguments: Any) -> None:
            Watched.now += 1
            Watched.most = max(Watched.most, Watched.now)
            time.sleep(0.02)
            super().__init__(*arguments)

        def close(self) -> None:
            super().close()
            Watched.now -= 1

    monkeypatch.setattr(pypdfium2, "PdfDocument", Watched)
    Image.new("L", (72, 72), 96).save(tmp_path / "one.pdf", resolution=72)
    with ThreadPoolExecutor(4) as pool:
        drawn = list(pool.map(lambda _: read(tmp_path / "one.pdf", dpi=72)[0], range(8)))
    assert Watched.most == 1
    assert all(abs(int(picture[36, 36, 0]) - 96) <= 3 for picture in drawn)


def test_threads_leave_pillow_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second thread begins while the first one reads, and ends after it."""
    from PIL import ImageFile

    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    begun, ended = [threading.Event() for _ in range(2)], threading.Event()

    def overlapping(*_: object, **__: object) -> np.ndarray:
        number = int(threading.current_thread().name)
        begun[number].set()
        (ended if number else begun[1]).wait(0.5)
        return np.zeros((4, 4, 3), np.uint8)

    def reading() -> None:
        read(tmp_path / "a.png")
        ended.set()

    monkeypatch.setattr(images, "read_array", overlapping)
    before = Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, warnings.filters
    threads = [threading.Thread(target=reading, name=str(number)) for number in range(2)]
    for thread, event in zip(threads, begun, strict=True):
        thread.start()
        event.wait(1)
    for thread in threads:
        thread.join()
    assert (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, warnings.filters) == before


def test_reading_leaves_pillow_as_it_was(tmp_path: Path) -> None:
    from PIL import ImageFile

    (tmp_path / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises((DamagedFile, UnknownFormat)):
        read(tmp_path / "bad.png")
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False
