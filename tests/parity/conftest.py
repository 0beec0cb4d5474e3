from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

HERE = Path(__file__).parent
_spec = importlib.util.spec_from_file_location("parity_fill_rule", HERE / "fill_rule.py")
assert _spec
assert _spec.loader
fill_rule = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(fill_rule)


@dataclass(frozen=True)
class Picture:
    """One input, float32 (N, H, W, C), and what the reference made of it: arrays by name, laid out as it has them."""

    name: str
    input: np.ndarray
    outputs: dict[str, np.ndarray]
    targets: np.ndarray | None = None


@dataclass(frozen=True)
class Reference:
    """A reference model: its state by structured name, its facts, its pictures."""

    meta: dict[str, Any]
    state: dict[str, np.ndarray]
    pictures: list[Picture]


@pytest.fixture(scope="session")
def reference() -> Callable[[str], Reference]:
    """Loads the fixtures of one model by name."""
    return load_reference


def load_reference(name: str) -> Reference:
    folder = HERE / "fixtures" / name
    meta = json.loads((folder / "meta.json").read_text())
    saved = np.load(folder / "outputs.npz")
    return Reference(
        meta,
        fill_rule.fill_state(folder / "state.json"),
        [_picture(fixture, saved, meta.get("classes")) for fixture in meta["fixtures"]],
    )


def _picture(fixture: dict[str, Any], saved: Any, classes: int | None) -> Picture:
    picture = fill_rule.make_input(fixture["input_tag"], fixture["input_shape"])
    assert fill_rule.checksum(picture) == fixture["input_crc32"]
    prefix = f"{fixture['fixture']}/"
    outputs = {key.removeprefix(prefix): saved[key] for key in saved.files if key.startswith(prefix)}
    shape = fixture.get("targets_shape")
    targets = None if shape is None else fill_rule.make_targets(fixture["input_tag"], shape, classes)
    return Picture(fixture["fixture"], picture.transpose(0, 2, 3, 1), outputs, targets)
