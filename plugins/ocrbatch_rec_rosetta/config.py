"""Options of the recognizer ``rosetta``."""

from __future__ import annotations

from ocrbatch.config.schema import RecognizerConfig


class RosettaConfig(RecognizerConfig):
    """Options of the recognizer ``rosetta``: those that all recognizers have."""
