"""Every built-in plugin keeps its contract, with small options so that this stays short."""

from __future__ import annotations

from typing import Any

import pytest

from ocrbatch.api import BackbonePlugin, Task
from ocrbatch.plugin_system.catalogue import Kind
from ocrbatch.plugin_system.host import Host
from ocrbatch.testing import check_backbone, check_detector, check_postprocessor, check_recognizer

HOST = Host.load(environ={})
SMALL: dict[str, dict[str, Any]] = {
    "mobilenet_v3": {"size": "small", "scale": 0.35},
    "resnet_vd": {"layers": 18},
    "db": {"fpn_channels": 16},
    "crnn": {"hidden": 8},
    "starnet": {"hidden": 8},
}


def _own(kind: Kind) -> list[str]:
    return sorted(row.name for row in HOST.rows if row.kind is kind and row.distribution == "ocrbatch")


def _backbones() -> list[tuple[str, Task]]:
    found = [(name, HOST.backbone(name)) for name in _own(Kind.BACKBONE)]
    return [(name, task) for name, plugin in found if isinstance(plugin, BackbonePlugin) for task in plugin.tasks]


@pytest.mark.parametrize(("name", "task"), _backbones())
def test_backbone(name: str, task: Task) -> None:
    check_backbone(HOST, name, task, **SMALL.get(name, {}))


@pytest.mark.parametrize("name", _own(Kind.DETECTOR))
def test_detector(name: str) -> None:
    check_detector(HOST, name, **SMALL.get(name, {}))


@pytest.mark.parametrize("name", _own(Kind.RECOGNIZER))
def test_recognizer(name: str) -> None:
    check_recognizer(HOST, name, **SMALL.get(name, {}))


@pytest.mark.parametrize("name", _own(Kind.POSTPROCESSOR))
def test_postprocessor(name: str) -> None:
    check_postprocessor(HOST, name)
