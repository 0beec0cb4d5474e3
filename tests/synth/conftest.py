"""A folder of fonts that needs no fonts on the machine: Pillow carries one, and others are made of it."""

from __future__ import annotations

import io
import string
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont
from PIL import ImageFont

from ocrbatch.data.synth.fonts import FontBook
from ocrbatch.data.synth.text import TextSource


def _save(path: Path, family: str, letters: dict[str, str | None]) -> None:
    """Pillow's own font with another name, in which some characters have the glyph of another one, or none."""
    font = TTFont(io.BytesIO(ImageFont.load_default(20).font_bytes))
    for record in font["name"].names:
        if record.nameID in (1, 16):
            record.string = family
    glyphs = font.getBestCmap()
    for table in font["cmap"].tables:
        for character, other in letters.items():
            if other is None:
                table.cmap.pop(ord(character), None)
            else:
                table.cmap[ord(character)] = glyphs[ord(other)]
    font.save(path)


@pytest.fixture(scope="session")
def font_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole font, one with capitals for small letters, one without letters, one without "@", and broken files."""
    folder = tmp_path_factory.mktemp("fonts")
    (folder / "sub").mkdir()
    _save(folder / "whole.ttf", "Whole", {})
    _save(folder / "sub" / "capitals.ttf", "Capitals", {c: c.upper() for c in string.ascii_lowercase})
    _save(folder / "figures.ttf", "Figures", dict.fromkeys(string.ascii_letters))
    _save(folder / "no_at.ttf", "No At", {"@": None})
    (folder / "broken.ttf").write_bytes(b"\x00\x01\x00\x00 this is no font")
    (folder / "empty.otf").write_bytes(b"")
    (folder / "notes.txt").write_text("not a font")
    return folder


@pytest.fixture(scope="session")
def book(font_folder: Path) -> FontBook:
    return FontBook.scan(font_folder)


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> TextSource:
    path = tmp_path_factory.mktemp("text") / "words.tsv"
    sentence = "the of and to invoice total paper river stone seven winter garden printing receipt customer Église"
    words = sentence.split(" ")
    path.write_text("".join(f"{word}\t{100 - place}\n" for place, word in enumerate(words)), encoding="utf-8")
    return TextSource.load([path])
