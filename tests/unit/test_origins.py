"""Where values come from: the notes must agree with what merging and assigning do to the values themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ocrbatch.config.load import apply_set, inline_yaml
from ocrbatch.config.origins import annotated, assigned, origin_of, overlaid
from ocrbatch.config.values import merge
from ocrbatch.errors import ConfigError

KEYS = st.sampled_from("abc")


def nested(leaf: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Mappings of mappings, none of them empty."""
    return st.recursive(leaf, lambda below: st.dictionaries(KEYS, below, min_size=1, max_size=3), max_leaves=6)


def layer(name: str) -> st.SearchStrategy[Any]:
    """Values that say which layer they are of."""
    return st.dictionaries(KEYS, nested(st.just(name)), max_size=3)


def flat(values: Mapping[str, Any], at: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in values.items():
        path = f"{at}.{key}" if at else key
        found |= flat(value, path) if isinstance(value, dict) else {path: value}
    return found


@given(layer("file"), layer("option"))
def test_a_merged_value_has_the_origin_of_its_layer(below: dict[str, Any], over: dict[str, Any]) -> None:
    origins = overlaid(overlaid({}, below, "file"), over, "option")
    for path, value in flat(merge(below, over)).items():
        assert origin_of(path, origins) == value


@given(layer("file"), st.lists(KEYS, min_size=1, max_size=3), nested(st.just("--set")))
def test_an_assigned_value_has_its_own_origin(below: dict[str, Any], path: list[str], value: Any) -> None:
    assignment = f"{'.'.join(path)}={inline_yaml(value)}"
    try:
        values = apply_set(below, [assignment])
    except ConfigError:  # through a plain value: there is nothing to note
        return
    origins = assigned(overlaid({}, below, "file"), [assignment])
    assert {name: origin_of(name, origins) for name in flat(values)} == flat(values)


def test_a_part_of_a_list_makes_it_come_from_both() -> None:
    origins = assigned(overlaid({}, {"data": {"train": [{"path": "a"}]}}, "my.yml"), ["data.train.0.weight=2"])
    assert origin_of("data.train", origins) == "my.yml, --set"
    assert origin_of("data.val", origins) == "default"
    again = overlaid(origins, {"data": {"train": ["b"]}}, "--data")
    assert origin_of("data.train", again) == "--data"


def test_a_name_alone_is_a_choice() -> None:
    origins = overlaid({}, {"model": {"algorithm": "db"}}, "my.yml")
    assert origin_of("model.algorithm.name", origins) == "my.yml"
    assert origin_of("model.algorithm.margin", origins) == "default"
    assert origin_of("model.algorithm.name", overlaid(origins, {"model": {"algorithm": {"name": "x"}}}, "o")) == "o"


def test_values_are_shown_as_yaml_with_comments() -> None:
    values = {"train": {"steps": 5, "freeze": []}, "charset": "a#: é", "augment": [{"name": "blur"}], "nothing": {}}
    origins = overlaid({}, {"train": {"steps": 5}, "augment": []}, "my.yml")
    text = "\n".join(annotated(values, origins))
    assert yaml.safe_load(text) == values
    assert text.splitlines() == [
        "train:",
        "  steps: 5  # my.yml",
        "  freeze: []  # default",
        "charset: 'a#: é'  # default",
        "augment: [{name: blur}]  # my.yml",
        "nothing: {}  # default",
    ]


@given(st.text() | st.floats(allow_nan=False) | st.lists(st.text(max_size=5)) | st.dictionaries(st.text(), st.text()))
@pytest.mark.parametrize("comment", ["", "  # said before"])
def test_any_value_stands_on_one_line(comment: str, value: Any) -> None:
    line = inline_yaml(value)
    assert len(line.splitlines()) == 1
    assert yaml.safe_load(f"key: {line}{comment}") == {"key": value}
