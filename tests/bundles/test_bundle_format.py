from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocrbatch.bundles.format import BundleInfo, FileStamp, identity, parse, render
from ocrbatch.errors import BundleError

texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts, st.lists
)


@settings(max_examples=25)
@given(metrics=st.dictionaries(texts, values, max_size=4), provenance=st.dictionaries(texts, values, max_size=4))
def test_what_is_written_is_read_back(make_info: Callable[[str], BundleInfo], metrics: dict, provenance: dict) -> None:
    info = make_info("rec").model_copy(
        update={
            "metrics": metrics,
            "provenance": provenance,
            "files": {"model.onnx": FileStamp(sha256="0" * 64, size=3)},
        }
    )
    assert parse(render(info), "here") == info


@settings(max_examples=25)
@given(data=st.data())
def test_no_changed_byte_goes_unnoticed(make_info: Callable[[str], BundleInfo], data: st.DataObject) -> None:
    content = bytearray(render(make_info("rec")))
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(BundleError, match="here"):
        parse(bytes(content), "here")


@settings(max_examples=25)
@given(length=st.integers(0, 500))
def test_no_cut_goes_unnoticed(make_info: Callable[[str], BundleInfo], length: int) -> None:
    with pytest.raises(BundleError, match="damaged"):
        parse(render(make_info("det"))[:length], "here")


def test_a_bundle_from_before_licences_is_readable(make_info: Callable[[str], BundleInfo]) -> None:
    info = make_info("det")
    lines = render(info).decode().splitlines(keepends=True)
    text = "".join(line for line in lines if "licence" not in line and "checksum" not in line)
    unsealed = text.removesuffix("\n}\n").rstrip(",") + f',\n "checksum": "{"0" * 64}"\n}}\n'
    sealed = unsealed.replace("0" * 64, hashlib.sha256(unsealed.encode()).hexdigest())
    assert "licence" not in sealed
    assert parse(sealed.encode(), "here") == info


def test_a_newer_format_asks_for_a_newer_ocrbatch(make_info: Callable[[str], BundleInfo]) -> None:
    newer = json.loads(render(make_info("det"))) | {"format_version": 2, "surprise": True}
    with pytest.raises(BundleError, match=r"format 2, this ocrbatch reads up to 1: update ocrbatch"):
        parse(json.dumps(newer).encode(), "here")


@pytest.mark.parametrize("content", [b"[]", b'"text"', b"\xff\xfe", b"", b"{", b"[" * 100_000])
def test_garbage_is_named_damaged(content: bytes) -> None:
    with pytest.raises(BundleError, match="damaged"):
        parse(content, "here")


def test_other_json_is_no_bundle() -> None:
    with pytest.raises(BundleError, match="no ocrbatch bundle"):
        parse(b'{"name": "package.json"}', "here")


def test_identity_is_that_of_the_results(make_info: Callable[[str], BundleInfo]) -> None:
    info = make_info("det").model_copy(update={"files": {"model.onnx": FileStamp(sha256="0" * 64, size=3)}})
    same = info.model_copy(update={"metrics": {"score": 1.0}, "name": "other"})
    other_file = info.model_copy(update={"files": {"model.onnx": FileStamp(sha256="1" * 64, size=3)}})
    other_model = info.model_copy(update={"spec": make_info("rec").spec})
    assert identity(info) == identity(same)
    assert len({identity(info), identity(other_file), identity(other_model)}) == 3


def test_every_threshold_and_the_charset_are_written_down(make_info: Callable[[str], BundleInfo]) -> None:
    det, rec = (json.loads(render(make_info(task)))["spec"] for task in ("det", "rec"))
    assert {"thresh": 0.3, "unclip_ratio": 1.7}.items() <= det["algorithm"].items()
    assert det["algorithm"]["input"]["color"] == "bgr"
    assert rec["charset"] == "abc é€12"
    assert rec["algorithm"]["input"]["height"] == 32
