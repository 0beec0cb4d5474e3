"""Checks that a plugin keeps its contract, for the tests of plugin authors and for the built-in plugins' own.

Each check takes the host, the plugin's name and options for its configuration, builds the plugin as ocrbatch would, and
raises AssertionError with a sentence at the first broken promise::

    def test_detector():
        check_detector(Host.load(), "my-algo", channels=8)
"""

from __future__ import annotations

from ocrbatch.plugin_system.host import Host
from ocrbatch.testing.backbones import check_backbone
from ocrbatch.testing.detectors import check_detector
from ocrbatch.testing.postprocessors import check_postprocessor
from ocrbatch.testing.recognizers import check_recognizer

__all__ = ["Host", "check_backbone", "check_detector", "check_postprocessor", "check_recognizer"]
