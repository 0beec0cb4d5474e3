"""Schemas as people meet them: messages about wrong values, and the list of options."""

from __future__ import annotations

from typing import Literal

import pytest
from pydantic import Field, ValidationError

from ocrbatch.config.describe import describe
from ocrbatch.config.problems import config_error
from ocrbatch.config.schema import DetectorConfig, ModelSpec, PluginConfig
from ocrbatch.config.suggest import did_you_mean


class Inner(PluginConfig):
    size: int = Field(3, ge=1, le=9, multiple_of=3, description="Size in pixels.")
    mode: Literal["fast", "slow"] = "fast"


class Wide(Inner):
    size: int = 6


class Outer(PluginConfig):
    name: str = Field(min_length=1)
    inner: Inner = Wide(mode="slow")
    rates: tuple[float, ...] | None = (0.1, 0.2)
    modes: tuple[Literal["fast", "slow"], ...] = Field(("fast",), min_length=1)


def _message(values: dict[str, object], where: str = "") -> str:
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate(values)
    return str(config_error(caught.value, Outer, where))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"name": "a", "iner": {}}, "iner: unknown key, did you mean 'inner'?"),
        ({"name": "a", "inner": {"mod": "slow"}}, "inner.mod: unknown key, did you mean 'mode'?"),
        ({"name": "a", "inner": {"qqqq": 1}}, "inner.qqqq: unknown key; known: size, mode."),
        ({}, "name: a value is needed."),
        ({"name": "a", "inner": {"size": 99}}, "inner.size: should be less than or equal to 9, not 99."),
        ({"name": "a", "inner": {"mode": "quick"}}, "inner.mode: should be 'fast' or 'slow', not 'quick'."),
        ({"name": "a", "modes": ["quick"]}, "modes.0: should be 'fast' or 'slow', not 'quick'."),
    ],
)
def test_a_message_names_key_and_value_and_what_is_allowed(values: dict[str, object], message: str) -> None:
    assert _message(values) == message


def test_each_problem_is_a_line_and_long_values_are_cut() -> None:
    message = _message({"name": 5, "inner": "x" * 500}, where="run.yml")
    lines = message.splitlines()
    assert [line.split(":")[0] for line in lines] == ["run.yml.name", "run.yml.inner"]
    assert all(len(line) < 150 for line in lines)


def test_a_rule_over_several_keys_is_told_without_the_whole_value() -> None:
    spec = {"task": "rec", "algorithm": {"name": "crnn"}, "backbone": {"name": "plain"}}
    with pytest.raises(ValidationError) as caught:
        ModelSpec.model_validate(spec)
    assert (
        str(config_error(caught.value, ModelSpec))
        == "configuration: a recognizer needs a charset, a detector has none."
    )


def test_options_are_flat_with_the_defaults_that_count() -> None:
    lines = {line.key: line for line in describe(Outer)}
    assert list(lines) == ["name", "inner.size", "inner.mode", "rates", "modes"]
    assert (lines["name"].required, lines["name"].bounds) == (True, "length >= 1")
    assert (lines["inner.size"].default, lines["inner.mode"].default) == (6, "slow")
    assert lines["inner.size"].description == "Size in pixels."
    assert lines["inner.mode"].type == "'fast' | 'slow'"
    assert (lines["rates"].type, lines["rates"].default) == ("list of float | null", [0.1, 0.2])
    assert not lines["rates"].required


def test_bounds_are_shown() -> None:
    [size, _] = describe(Inner)
    assert size.bounds == ">= 1, <= 9, multiple of 3"
    assert {line.key for line in describe(DetectorConfig)} >= {"input.limit_side", "input.color"}


@pytest.mark.parametrize(("word", "end"), [("dbb", ", did you mean 'DB'?"), ("zzz", "."), ("", ".")])
def test_suggestions(word: str, end: str) -> None:
    assert did_you_mean(word, ["DB", "east"]) == end
