"""Options of the recognizer ``crnn``."""

from __future__ import annotations

from pydantic import Field

from ocrbatch.config.schema import CtcConfig


class CrnnConfig(CtcConfig):
    """Options of the recognizer ``crnn``."""

    hidden: int = Field(96, ge=1, le=4096, description="Units of each LSTM in each direction.")
    layers: int = Field(2, ge=1, le=8, description="Bidirectional LSTM layers on top of each other.")
