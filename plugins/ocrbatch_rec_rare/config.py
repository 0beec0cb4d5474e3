"""Options of the recognizer ``rare``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from ocrbatch.config.schema import RecognizerConfig, RecognizerInput

SOS = 0
"""Class that starts every text; characters have the classes from 1, and the one after them ends the text."""


class RareConfig(RecognizerConfig):
    """Options of the recognizer ``rare``."""

    input: RecognizerInput = Field(RecognizerInput(widths=(100,)), description="The spline is made for one width.")
    hidden: int = Field(96, ge=1, le=4096, description="Units of each LSTM in each direction, and of the decoder.")
    layers: int = Field(2, ge=1, le=8, description="Bidirectional LSTM layers on top of each other.")
    points: int = Field(20, ge=4, le=64, multiple_of=2, description="Control points of the spline, half on each edge.")
    localization: Literal["small", "large"] = Field(
        "small", description="Size of the network that finds the points; large goes with resnet_vd."
    )

    label_smoothing: float = Field(
        0.0, ge=0, lt=1, description="Share of each target that is spread over all classes (Szegedy et al. 2016)."
    )

    @property
    def steps(self) -> int:
        """Steps of the decoder: the characters of the longest label and the end."""
        return self.max_length + 1

    @model_validator(mode="after")
    def _one_width(self) -> RareConfig:
        if len(self.input.widths) != 1:
            raise ValueError("input.widths must hold exactly one width: the spline is made for it")
        return self
