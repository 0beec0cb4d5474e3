from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocrbatch.charset import NAMED, Charset, load_charset
from ocrbatch.errors import ConfigError

ASCII = Charset(NAMED["ascii"])


@pytest.mark.parametrize(("name", "size"), [("en", 36), ("ascii", 95), ("gb2312", 6980)])
def test_sizes_of_named_charsets(name: str, size: int) -> None:
    assert len(load_charset(name)) == size


@pytest.mark.parametrize("name", NAMED)
def test_named_charsets_are_valid(name: str) -> None:
    charset = load_charset(name)
    assert charset.decode(range(len(charset))) == NAMED[name]


def test_gb2312_holds_ascii_and_every_chinese_character_of_the_standard() -> None:
    codes = [bytes([high, low]) for high in range(0xB0, 0xF8) for low in range(0xA1, 0xFF)]
    hanzi = "".join(code.decode("gb2312", errors="ignore") for code in codes)
    characters = load_charset("gb2312").characters
    assert len(hanzi) == 6763
    assert characters.startswith(NAMED["ascii"])
    assert characters.endswith(hanzi)
    assert set("，。、；：？！“”《》（）￥") <= set(characters)


def test_space_is_a_character() -> None:
    assert " " in load_charset("ascii")
    assert " " in load_charset("latin")
    assert ASCII.decode(ASCII.encode(" a  b ")) == " a  b "


@pytest.mark.parametrize("character", "€£¥äßñçŁőșẞ–—‘’“”…")
def test_latin_holds_what_europe_writes(character: str) -> None:
    assert character in load_charset("latin")


@given(st.text(st.sampled_from(NAMED["latin"]), max_size=30))
def test_decoding_undoes_encoding(text: str) -> None:
    charset = Charset(NAMED["latin"])
    assert charset.decode(charset.encode(text)) == text


def test_text_is_composed_before_encoding() -> None:
    charset = Charset("é")
    assert charset.encode("e\u0301").tolist() == [0]
    assert charset.unknown("e\u0301xx") == ["x", "x"]


def test_unknown_characters_raise() -> None:
    with pytest.raises(KeyError, match="€"):
        ASCII.encode("5 €")
    with pytest.raises(IndexError):
        ASCII.decode([len(ASCII)])


@pytest.mark.parametrize(
    ("characters", "complaint"), [("", "is empty"), ("abca", r"\['a'\] more than once"), ("a\u212b", "NFC")]
)
def test_wrong_charsets_are_refused(characters: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        Charset(characters)


def test_charset_file(tmp_path: Path) -> None:
    path = tmp_path / "characters.txt"
    path.write_bytes("\ufeffa\r\n \r\ne\u0301\r\n".encode())
    assert load_charset(str(path)) == Charset("a é")


@pytest.mark.parametrize("content", ["a\nbc\n", "a\n\nb\n"])
def test_a_line_of_a_charset_file_is_one_character(tmp_path: Path, content: str) -> None:
    path = tmp_path / "characters.txt"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match="line 2: a charset file holds exactly one character a line"):
        load_charset(str(path))


def test_a_misspelt_name_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="ascii, latin"):
        load_charset("asci")
