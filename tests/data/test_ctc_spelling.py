from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ocrbatch.charset import NAMED, Charset, load_charset
from ocrbatch.config.schema import CtcConfig
from ocrbatch.data.ctc_decode import ctc_codec, greedy_decode
from ocrbatch.data.ctc_spelling import Speller
from ocrbatch.errors import ConfigError
from ocrbatch.lexicon import SHORTEST, Lexicon, load_lexicon

ASCII = load_charset("ascii")
WORDS = Lexicon.of(["total", "amount", "invoice", "above", "abide", "tax", "description", "Straße"])
SPELLER = Speller(ASCII, WORDS)


def steps(path: str, **doubts: float) -> np.ndarray:
    """Probabilities (T, classes) whose best path is ``path``, ``_`` for the blank. ``doubts`` names steps with their
    alternative, ``at3_o=0.2`` for an "o" (or ``at3_blank``, ``at3_space``) at the fourth one."""
    probabilities = np.full((len(path), len(ASCII) + 1), 1e-6, np.float32)
    for step, character in enumerate(path):
        probabilities[step, 0 if character == "_" else ASCII.characters.index(character) + 1] = 0.9
    for name, value in doubts.items():
        place, _, letter = name.removeprefix("at").partition("_")
        letter = {"space": " "}.get(letter, letter)
        probabilities[int(place), 0 if letter == "blank" else ASCII.characters.index(letter) + 1] = value
    return probabilities


def read(probabilities: np.ndarray, speller: Speller | None = SPELLER) -> str:
    return greedy_decode(probabilities[None], [1.0], ASCII, speller)[0].text


@pytest.mark.parametrize(
    ("path", "doubts", "text"),
    [
        ("a_b_a_v_e", {"at4_o": 0.2}, "above"),
        ("a_b_a_v_e", {}, "abave"),  # read surely: a name, perhaps
        ("A_B_A_V_E", {"at4_o": 0.2}, "ABOVE"),
        ("A_b_a_v_e,_1_2", {"at4_O": 0.2}, "Above,12"),
        ("a_b_a_v_e", {"at4_o": 0.2, "at4_i": 0.3, "at6_d": 0.3}, "above"),  # two changes cost more than one
        ("f_o_t_a_l", {"at0_t": 0.1}, "total"),
        ("T_o_a_l", {"at3_t": 0.1}, "Total"),
        ("T_o_t_t_a_l", {"at6_blank": 0.1}, "Total"),
        ("t_o_f_a_i", {"at4_t": 0.3, "at8_l": 0.3}, "total"),
        ("d_e_s_c_r_i_p_t_ i_o_n", {"at16_blank": 0.2}, "description"),
        ("d_e_s_c_r_i_p_t_ _i_o_n", {}, "descript ion"),
        ("t_a_x_i_n_v_o_i_c_e", {"at5_space": 0.2}, "tax invoice"),
        ("7_0_t_a_l_9_9", {"at2_o": 0.4}, "70tal99"),  # a code
        ("t_o_t_a_l", {"at0_f": 0.8}, "total"),
        ("a_m_o_u_n_f_(_R_M_)", {"at10_t": 0.3}, "amount(RM)"),
    ],
)
def test_doubtful_letters_make_known_words(path: str, doubts: dict[str, float], text: str) -> None:
    assert read(steps(path, **doubts)) == text


def test_mended_letters_stand_where_they_were_seen() -> None:
    probabilities = steps("T_o__a_l_", at4_t=0.1, at6_blank=1e-4)
    [plain], [mended] = (greedy_decode(probabilities[None], [1.0], ASCII, speller) for speller in (None, SPELLER))
    assert (plain.text, mended.text) == ("Toal", "Total")
    assert mended.spans.shape == (5, 2)
    assert (np.diff(mended.spans.mean(axis=1)) > 0).all()
    assert mended.scores is not None
    assert mended.scores.tolist() == pytest.approx([0.9, 0.9, 0.1, 0.9, 0.9])
    assert mended.score == pytest.approx(mended.scores.mean())


def test_lines_of_a_batch_are_mended_each_by_itself() -> None:
    lines = [steps("a_b_a_v_e", at4_o=0.2), steps("_________"), steps("1_2_3_4__"), steps("t_o_t_a_l")]
    readings = greedy_decode(np.stack(lines), [1.0] * 4, ASCII, SPELLER)
    assert [reading.text for reading in readings] == ["above", "", "1234", "total"]
    for line, reading in zip(lines, readings, strict=True):
        alone = greedy_decode(line[None], [1.0], ASCII, SPELLER)[0]
        np.testing.assert_array_equal(alone.spans, reading.spans)


@given(arrays(np.float32, (12, 9), elements=st.floats(0, 1, width=32)), st.floats(0.2, 1))
def test_any_probabilities_give_a_reading(probabilities: np.ndarray, used: float) -> None:
    charset = Charset("abot l1.")
    speller = Speller(charset, Lexicon.of(["total", "boat", "altobello", "tab"]))
    [plain], [mended] = (greedy_decode(probabilities[None], [used], charset, one) for one in (None, speller))
    assert len(mended.text) == len(mended.spans)
    assert abs(len(mended.text) - len(plain.text)) <= 2 * len(plain.text)
    assert 0 <= mended.score <= 1
    if not speller.doubts(plain.text):
        assert mended.text == plain.text


def test_frequent_words_are_believed_more_readily() -> None:
    words = [f"word{n}" for n in range(40_000)]
    common, rare = (Speller(ASCII, Lexicon.of(order)) for order in ([*["above"], *words], [*words, "above"]))
    assert common.lexicon.weight("Above") > 0 > rare.lexicon.weight("above")
    probabilities = steps("a_b_a_v_e", at4_o=0.008)
    assert (read(probabilities, common), read(probabilities, rare)) == ("above", "abave")


def test_words_in_any_case_and_form() -> None:
    assert WORDS.weight("STRASSE") is not None
    assert Lexicon.of(["Cafe\u0301"]).weight("caf\u00e9") is not None
    assert Lexicon.of(["of", "the"]).weight("of") is None
    assert WORDS.weight("unheard") is None


def test_the_lexicon_that_ships() -> None:
    words = (Path(__file__).parents[2] / "ocrbatch/lexicons/latin.txt").read_text(encoding="utf-8").splitlines()
    assert len(words) == len(set(words)) == len(load_lexicon("latin")) > 150_000
    assert min(map(len, words)) >= SHORTEST
    assert {"invoice", "rechnung", "garçon", "selangor", "refundable"} <= set(words)
    assert words.index("the") < 10
    latin = set(NAMED["latin"])
    assert np.mean([set(word) <= latin for word in words]) > 0.99


def test_a_recognizer_takes_a_list_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("\ufeffabove\r\nbeyond\r\n", encoding="utf-8")
    codec = ctc_codec(CtcConfig(lexicon=str(path)), ASCII)
    probabilities = steps("a_b_a_v_e", at4_o=0.2)[None]
    assert codec.decode([probabilities], [1.0])[0].text == "above"
    assert ctc_codec(CtcConfig(), ASCII).decode([probabilities], [1.0])[0].text == "abave"


@pytest.mark.parametrize("content", [None, b"", b"a\nbc\n", b"\xff\xfe\x00"])
def test_a_list_that_cannot_be_used_is_refused(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "words.txt").write_bytes(content)
    with pytest.raises(ConfigError, match=r"words\.txt.*one word a line"):
        load_lexicon(str(tmp_path / "words.txt"))
