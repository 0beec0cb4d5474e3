"""Options of the recognizer ``rosetta``."""

from __future__ import annotations

from ocrbatch.config.schema import CtcConfig


class RosettaConfig(CtcConfig):
    """Options of the recognizer ``rosetta``: those that all recognizers with CTC have."""
