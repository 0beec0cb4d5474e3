from __future__ import annotations

import codecs
import io
import json
import pickle
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ocrbatch.bundles.pdparams import read_checkpoint
from ocrbatch.errors import InputError

DATA = Path(__file__).parent / "data"
STATE = Path(__file__).parents[1] / "parity" / "fixtures" / "tiny_crnn" / "state.json"


@pytest.mark.parametrize("protocol", [2, 4])
def test_real_files_hold_what_they_should(protocol: int) -> None:
    state, _ = read_checkpoint(DATA / f"tiny_crnn.protocol{protocol}.pdparams")
    entries = json.loads(STATE.read_text())
    assert list(state) == [entry["name"] for entry in entries]
    for entry in entries:
        array = state[entry["name"]]
        assert array.dtype == np.float32
        assert array.shape == tuple(entry["shape"])
        assert zlib.crc32(array.tobytes()) == entry["crc32"]


@settings(max_examples=25)
@given(
    array=hnp.arrays(st.sampled_from(["<f4", ">f4", "<f8", "<f2", "<i8", "|u1"]), hnp.array_shapes(min_dims=0)),
    fortran=st.booleans(),
    protocol=st.integers(2, 4),
)
def test_any_array_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, array: np.ndarray, fortran: bool, protocol: int
) -> None:
    path = tmp_path_factory.mktemp("any") / "x.pdparams"
    path.write_bytes(pickle.dumps({"a": np.array(array, order="F" if fortran else "C")}, protocol))
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(read_checkpoint(path)[0]["a"], array.astype(np.float32))


class Calls:
    """Pickles as a call of ``function`` with ``arguments``."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


MALICIOUS = {
    "system": lambda mark: Calls(__import__("os").system, f"touch {mark}"),
    "eval": lambda mark: Calls(eval, f"open({str(mark)!r}, 'w')"),
    "exec": lambda mark: Calls(exec, f"open({str(mark)!r}, 'w')"),
    "open": lambda mark: Calls(open, str(mark), "w"),
    "numpy.load": lambda mark: Calls(np.load, str(mark), None, True),
    "getattr": lambda _: Calls(getattr, "text", "upper"),
    "rot13": lambda _: Calls(codecs.encode, "text", "rot13"),
    "path": lambda mark: Path(mark),
    "object array": lambda _: np.array([1, "a"], object),
}


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("name", MALICIOUS)
def test_a_malicious_pickle_is_refused_and_not_executed(tmp_path: Path, name: str, protocol: int) -> None:
    mark, path = tmp_path / "executed", tmp_path / "x.pdparams"
    path.write_bytes(pickle.dumps({"a": np.zeros(3, np.float32), "b": MALICIOUS[name](mark)}, protocol))
    with pytest.raises(InputError, match="is refused"):
        read_checkpoint(path)
    assert not mark.exists()


@pytest.mark.parametrize(
    "code",
    [
        b"cos\nsystem\n(S'touch executed'\ntR.",
        b"c__builtin__\neval\n(S'1'\ntR.",
        b"(ios\nsystem\nS'id'\n.",
        b"(cos\nsystem\nS'id'\no.",
        b"Pan-id\n.",
        b"\x80\x04\x8c\x05numpy\x8c\x0fndarray.tofile\x93.",
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\n}}X\x03\x00\x00\x00abcX\x01\x00\x00\x00ds\x86b.",
    ],
)
def test_hand_written_opcodes_get_nowhere(tmp_path: Path, code: bytes) -> None:
    path = tmp_path / "x.pdparams"
    path.write_bytes(code)
    with pytest.raises(InputError):
        read_checkpoint(path)


@settings(max_examples=50)
@given(content=st.binary(max_size=60))
def test_any_bytes_end_in_one_sentence(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "x.pdparams"
    path.write_bytes(content)
    with pytest.raises(InputError, match="pdparams"):
        read_checkpoint(path)


@settings(max_examples=25)
@given(length=st.integers(0, 5000))
def test_a_cut_file_ends_in_one_sentence(tmp_path_factory: pytest.TempPathFactory, length: int) -> None:
    path = tmp_path_factory.mktemp("any") / "x.pdparams"
    path.write_bytes((DATA / "tiny_crnn.protocol4.pdparams").read_bytes()[:length])
    with pytest.raises(InputError, match="no checkpoint of PaddleOCR"):
        read_checkpoint(path)


@pytest.mark.parametrize("value", [{"a": "text"}, {"a": 1.5}, [1], {}, "text", {"model": {"a": np.zeros(1)}}])
def test_other_content_is_named(tmp_path: Path, value: Any) -> None:
    (tmp_path / "x.pdparams").write_bytes(pickle.dumps(value, 4))
    with pytest.raises(InputError, match=r"is no array|holds no dictionary"):
        read_checkpoint(tmp_path / "x.pdparams")


def test_numbers_must_fill_the_shape(tmp_path: Path) -> None:
    content = pickle.dumps({"a": np.zeros((2, 3), np.float32)}, 4)
    patched = content.replace(b"K\x02K\x03\x86", b"K\x02K\x04\x86")
    assert patched != content
    (tmp_path / "x.pdparams").write_bytes(patched)
    with pytest.raises(InputError, match="6 numbers for the shape"):
        read_checkpoint(tmp_path / "x.pdparams")


def test_names_of_paddle_are_left_out(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    pickle.dump({"a": np.ones(2, np.float32), "StructuredToParameterName@@": {"a": "conv_0.w_0"}}, buffer, 2)
    (tmp_path / "x.pdparams").write_bytes(buffer.getvalue())
    assert list(read_checkpoint(tmp_path / "x.pdparams")[0]) == ["a"]
