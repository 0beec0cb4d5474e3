from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocrbatch.data.places import Place, is_uri, shown_as
from ocrbatch.data.shards import Shard
from ocrbatch.data.stores import reason
from ocrbatch.errors import InputError
from ocrbatch.outputs.parts import divided, is_part, part_name

KEYS = st.text(st.characters(codec="utf-8"), max_size=30).map(lambda key: key.strip("/"))


@given(KEYS)
def test_any_key_finds_its_way_back(key: str) -> None:
    place = Place("s3", "bucket", key, "endpoint_override=localhost:9000&scheme=http")
    assert Place.parse(place.uri) == place
    assert Place.parse(place.name).key == key


def test_what_people_write_is_understood() -> None:
    assert Place.parse("S3://bucket/a b/ü.png").key == "a b/ü.png"
    assert Place.parse("s3://bucket/a%20b/").key == "a b"
    assert Place.parse("s3://bucket") == Place.parse("s3://bucket/")
    assert Place.parse("file:///data/x y.png").local is not None
    assert (
        Place.parse("s3://bucket/scans?region=eu-north-1").child("1.png").uri.endswith("scans/1.png?region=eu-north-1")
    )
    assert [is_uri(path) for path in ("s3://b", "a/b", "C:\\x", "./s3:/b", "//host/x", "://x", "x://")] == [
        *(True, False, False, False, False, False),
        False,
    ]
    with pytest.raises(InputError, match="is no URI"):
        Place.parse("bucket/key")


def test_names_hold_no_secrets() -> None:
    for uri in ("s3://key:secret@bucket/a.png", "s3://bucket/a.png?access_key=secret"):
        assert shown_as(uri) == "s3://bucket/a.png"
    assert shown_as("abfs://container@account.dfs.core.windows.net/a.png").startswith("abfs://container@account")
    assert shown_as("plain/path?.png") == "plain/path?.png"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError("When x: AWS Error NO_SUCH_BUCKET during PutObject operation: no"), "there is no such bucket"),
        (OSError("When x: AWS Error SLOW_DOWN during PutObject operation: Reduce your rate. "), "Reduce your rate"),
        (FileNotFoundError(2, "Failed to open local file"), "No such file or directory"),
        (OSError(""), "OSError"),
    ],
)
def test_why_a_store_refused_is_said_in_a_few_words(error: OSError, words: str) -> None:
    assert reason(error) == words


def test_a_file_elsewhere_belongs_to_a_shard_by_its_name_alone() -> None:
    one, other = "s3://key:secret@bucket/a.png?region=eu", "s3://bucket/a.png"
    assert [Shard(n, 5).takes(shown_as(one)) for n in range(1, 6)] == [Shard(n, 5).takes(other) for n in range(1, 6)]


@given(st.lists(st.integers(0, 9), max_size=8), st.integers(1, 7))
def test_parts_hold_all_rows_in_their_order(sizes: list[int], most: int) -> None:
    numbers = iter(range(100))
    batches = [pa.RecordBatch.from_pydict({"n": [next(numbers) for _ in range(size)]}) for size in sizes]
    parts = [[n for piece in part for n in piece["n"].to_pylist()] for part in divided(batches, most)]
    assert [n for part in parts for n in part] == list(range(sum(sizes)))
    assert all(len(part) == most for part in parts[:-1])
    assert 1 <= len(parts) <= max(1, -(-sum(sizes) // most))


def test_only_our_parts_are_parts() -> None:
    assert all(is_part(part_name(number)) for number in (0, 99_999, 100_000))
    assert not any(is_part(name) for name in ("part-1.parquet", "part-00000.parquet.crc", "x-part-00000.parquet"))
