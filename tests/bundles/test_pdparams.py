from __future__ import annotations

import codecs
import contextlib
import io
import json
import pickle
import resource
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


ARRAY = pickle.dumps({"a": np.arange(3, dtype=np.float32)}, 2)
RECONSTRUCT = b"cnumpy.core.multiarray\n_reconstruct\n"
HAND_WRITTEN = {
    "global and reduce": (b"cos\nsystem\n(S'touch executed'\ntR.", "STRING"),
    "reduce of an allowed protocol": (b"\x80\x02cos\nsystem\nX\x02\x00\x00\x00id\x85R.", "call os.system"),
    "builtin": (b"\x80\x02c__builtin__\neval\nX\x01\x00\x00\x001\x85R.", "call __builtin__.eval"),
    "inst": (b"(ios\nsystem\n.", "INST"),
    "obj": (b"(cos\nsystem\no.", "OBJ"),
    "new object": (b"\x80\x02cbuiltins\ndict\n)\x81.", "NEWOBJ"),
    "new object with keywords": (b"\x80\x04" + RECONSTRUCT + b")}\x92.", "NEWOBJ_EX"),
    "persistent id": (b"Pan-id\n.", "PERSID"),
    "persistent id from the stack": (b"\x80\x02X\x01\x00\x00\x00aQ.", "BINPERSID"),
    "extension": (b"\x80\x02\x82\x01.", "EXT1"),
    "buffer of protocol 5": (b"\x80\x05\x97.", "NEXT_BUFFER"),
    "a method by a dotted name": (b"\x80\x04\x8c\x05numpy\x8c\x0endarray.tofile\x93)R.", "ndarray.tofile"),
    "attributes of an allowed function": (b"\x80\x02" + RECONSTRUCT + b"}X\x01\x00\x00\x00ab)sb.", "state of a"),
    "attributes by slots": (b"\x80\x02c_codecs\nencode\nN}X\x01\x00\x00\x00ab)s\x86b.", "state of a"),
    "state of a container": (b"\x80\x02}}b.", "state of a dict"),
    "a call of what is no function": (b"\x80\x02}X\x01\x00\x00\x00a\x85R.", "call dict"),
    "a list of a subclass": (RECONSTRUCT + b")R(K\x01e.", "appends to a PickledArray"),
    "items of an array": (b"\x80\x02" + RECONSTRUCT + b")RK\x01K\x02s.", "items of a PickledArray"),
    "a key that hashes deeply": (b"\x80\x02})" + b"\x85" * 200_000 + b"K\x01s.", "a key that is a tuple"),
    "another encoding": (b"\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00aX\x05\x00\x00\x00rot13\x86R.", "_codecs.encode"),
    "a dictionary from pairs": (b"\x80\x02ccollections\nOrderedDict\n]\x85R.", "call collections.OrderedDict"),
    "a type from a type": (b"\x80\x02cnumpy\ndtype\n}\x85R.", "call numpy.dtype"),
}


@pytest.mark.parametrize("name", HAND_WRITTEN)
def test_hand_written_opcodes_are_refused(tmp_path: Path, name: str) -> None:
    code, words = HAND_WRITTEN[name]
    path = tmp_path / "x.pdparams"
    path.write_bytes(code)
    with pytest.raises(InputError, match=rf"is refused: .*{words}"):
        read_checkpoint(path)


def many_encoded(count: int) -> bytes:
    """One long text, encoded again and again."""
    text = b"X" + (100_000).to_bytes(4, "little") + b"a" * 100_000 + b"q\x01"
    return b"\x80\x02](" + text + b"c_codecs\nencode\nh\x01X\x06\x00\x00\x00latin1\x86R" * count + b"e."


def many_names(count: int) -> bytes:
    """One array under many names."""
    array = np.zeros(100_000, np.uint8)
    return pickle.dumps({str(number): array for number in range(count)}, 4)


BOMBS = {
    "a memo of 16 GB": (b"\x80\x02}r\xff\xff\xff\x7fr\xff\xff\xff\xff.", "no dictionary"),
    "a text of 4 GB": (b"\x80\x02X\xff\xff\xff\xffabc.", "damaged"),
    "bytes of 9 EB": (b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7fabc.", "damaged"),
    "a frame of 9 EB": (b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7f}.", "no dictionary"),
    "a text encoded again and again": (many_encoded(1000), "more than its size"),
    "an array under many names": (many_names(1000), "8 times its size"),
    "a shape of texts": (ARRAY.replace(b"K\x03\x85", b"X\x01\x00\x00\x00a\x85"), "its shape is none"),
    "a shape of long numbers": (
        ARRAY.replace(b"K\x03\x85", b"\x8a\xc8" + b"\x7f" * 200 + b"\x85"),
        "its shape is none",
    ),
    "a shape of 2 ** 62 numbers": (ARRAY.replace(b"K\x03\x85", b"J\xff\xff\xff\x7f" * 2 + b"\x86"), "3 numbers for"),
    "a negative shape": (ARRAY.replace(b"K\x03\x85", b"J\xff\xff\xff\xff\x85"), "its shape is none"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_small_file_takes_little_memory(tmp_path: Path, name: str) -> None:
    code, words = BOMBS[name]
    assert code != ARRAY
    path = tmp_path / "x.pdparams"
    path.write_bytes(code)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(InputError, match=words):
        read_checkpoint(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kB


@settings(max_examples=200)
@given(places=st.lists(st.tuples(st.integers(0, len(ARRAY) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_changed_file_gives_arrays_or_one_sentence(
    tmp_path_factory: pytest.TempPathFactory, places: list[tuple[int, int]]
) -> None:
    content = bytearray(ARRAY)
    for place, value in places:
        content[place] = value
    path = tmp_path_factory.mktemp("any") / "x.pdparams"
    path.write_bytes(content)
    with contextlib.suppress(InputError):
        assert all(array.dtype == np.float32 for array in read_checkpoint(path)[0].values())


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
