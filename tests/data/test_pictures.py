"""Training sees the pixels that a run sees, whatever decodes them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageDraw, ImageFile, PngImagePlugin

from ocrbatch.data.images import Reading, probe, read_page, stamp
from ocrbatch.data.pictures import inspect, picture_size, read_picture
from ocrbatch.data.plain import is_plain
from ocrbatch.errors import InputError


def words(mode: str = "RGB", paper: tuple[int, ...] = (255, 255, 240), ink: tuple[int, ...] = (0, 0, 0)) -> Image.Image:
    picture = Image.new("RGBA" if len(paper) == 4 else "RGB", (81, 30), paper)
    ImageDraw.Draw(picture).text((5, 9), "Total 12.50", fill=ink)
    return picture if picture.mode == mode else picture.convert(mode)


def clear(mode: str) -> Image.Image:
    """Black letters on transparent black."""
    return words(mode, (0, 0, 0, 0), (0, 0, 0, 255))


def deep(top: int) -> Image.Image:
    gray = np.asarray(words("L")).astype(np.uint16)
    return Image.fromarray(gray * (top // 255))


def content(picture: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def turned(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return exif


def noted(key: str, value: str) -> PngImagePlugin.PngInfo:
    notes = PngImagePlugin.PngInfo()
    notes.add_text(key, value)
    return notes


def hidden_exif() -> PngImagePlugin.PngInfo:
    """EXIF as ImageMagick writes it into PNG."""
    data = turned(6).tobytes()
    return noted("Raw profile type exif", f"\nexif\n{len(data):8d}\n{data.hex()}\n")


ORDINARY = {
    "JPEG": content(words(), "JPEG"),
    "gray JPEG": content(words("L"), "JPEG", quality=95),
    "progressive JPEG": content(words(), "JPEG", progressive=True),
    "JPEG with all its colours": content(words(), "JPEG", subsampling=0),
    "JPEG without YCbCr": content(words(), "JPEG", keep_rgb=True),
    "PNG": content(words(), "PNG"),
    "gray PNG": content(words("L"), "PNG", dpi=(300, 300)),
    "1 bit PNG": content(words("1"), "PNG"),
    "palette PNG": content(words("P"), "PNG"),
    "4 bit palette PNG": content(words().quantize(9), "PNG"),
    "PNG with a note": content(words(), "PNG", pnginfo=noted("Software", "scanner")),
}
ODD = {
    "RGBA PNG": content(clear("RGBA"), "PNG"),
    "LA PNG": content(clear("LA"), "PNG"),
    "P PNG with a transparent colour": content(words("P"), "PNG", transparency=0),
    "L PNG with a transparent gray": content(words("L"), "PNG", transparency=0),
    "12 bits in 16 PNG": content(deep(255 * 16), "PNG"),
    "16 bit PNG": content(deep(65535), "PNG"),
    "CMYK JPEG": content(words("CMYK"), "JPEG"),
    "mirrored JPEG": content(words(), "JPEG", exif=turned(2)),
    "turned JPEG": content(words(), "JPEG", exif=turned(6)),
    "turned PNG": content(words(), "PNG", exif=turned(8)),
    "PNG turned by a note": content(words(), "PNG", pnginfo=hidden_exif()),
    "JPEG without its end": content(words(), "JPEG")[:-2],
    "half a JPEG": content(words(), "JPEG")[:-200],
    "PNG without its end": content(words(), "PNG")[:-20],
    "float TIFF": content(Image.fromarray(np.asarray(words("L"), np.float32) / 255), "TIFF"),
    "16 bit TIFF": content(deep(65535), "TIFF"),
    "1 bit TIFF": content(words("1"), "TIFF", compression="group4"),
    "RGBA WebP": content(clear("RGBA"), "WEBP", lossless=True),
    "BMP": content(words(), "BMP"),
    "moving PNG": content(words(), "PNG", save_all=True, append_images=[words("L").convert("RGB").rotate(180)]),
}


def run_sees(path: Path) -> np.ndarray:
    return read_page(probe(path, *stamp(path)), 0, Reading())[0]


@pytest.mark.parametrize("name", [*ORDINARY, *ODD])
def test_training_sees_what_a_run_sees(tmp_path: Path, name: str) -> None:
    path = tmp_path / "picture"
    path.write_bytes((ORDINARY | ODD)[name])
    picture = read_picture(path)
    assert picture.dtype == np.uint8
    assert picture.flags.writeable
    assert np.array_equal(picture, run_sees(path))
    assert picture_size(path) == inspect(path).size == picture.shape[:2]
    paper = np.median(picture, axis=(0, 1)).min()
    assert paper > 200 or "half" in name, "letters stand on white"
    assert picture.min() < 100


def test_only_ordinary_pictures_are_left_to_opencv() -> None:
    assert [name for name, data in ORDINARY.items() if not is_plain(data)] == []
    assert [name for name, data in ODD.items() if is_plain(data)] == []


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(list(ORDINARY)), st.data())
def test_damage_changes_nothing_about_that(tmp_path: Path, name: str, data: st.DataObject) -> None:
    spoilt = bytearray(ORDINARY[name])
    for place in data.draw(st.lists(st.integers(2, len(spoilt) - 1), min_size=1, max_size=3)):
        spoilt[place] = data.draw(st.integers(0, 255))
    path = tmp_path / "picture"
    path.write_bytes(spoilt[: data.draw(st.integers(len(spoilt) // 2, len(spoilt)))])
    try:
        seen = run_sees(path)
    except InputError:
        with pytest.raises(InputError, match="picture"):
            read_picture(path)
        return
    assert np.array_equal(read_picture(path), seen)


@given(st.binary(max_size=40), st.sampled_from([b"\xff\xd8", b"\x89PNG\r\n\x1a\n"]))
def test_headers_of_nonsense_are_not_plain(rest: bytes, start: bytes) -> None:
    for end in (b"", b"\xff\xd9", b"\x00\x00\x00\x00IEND\xaeB`\x82"):
        assert not is_plain(start + rest + end) or b"\xff\xda" in rest


def test_looking_at_a_picture_tells_damage_and_emptiness(tmp_path: Path) -> None:
    path = tmp_path / "picture"
    for data, blank, damaged in (
        (ORDINARY["PNG"], False, False),
        (ODD["JPEG without its end"], False, True),
        (content(Image.new("RGB", (9, 7), "red"), "PNG"), True, False),
        (content(Image.new("RGBA", (9, 7), (1, 2, 3, 0)), "PNG"), True, False),
    ):
        path.write_bytes(data)
        found = inspect(path)
        assert (found.blank, bool(found.damage)) == (blank, damaged)


def test_threads_leave_pillow_as_it_was(tmp_path: Path) -> None:
    def paths() -> Iterator[Path]:
        for number, data in enumerate([ODD["JPEG without its end"], ODD["RGBA PNG"]] * 40):
            (tmp_path / str(number)).write_bytes(data)
            yield tmp_path / str(number)

    before = Image.MAX_IMAGE_PIXELS
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(inspect, list(paths())))
    assert [bool(look.damage) for look in found] == [True, False] * 40
    assert before == Image.MAX_IMAGE_PIXELS
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False
