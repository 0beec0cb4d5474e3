"""Options of the recognizer ``starnet``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from ocrbatch.config.schema import CtcConfig, RecognizerInput


class StarNetConfig(CtcConfig):
    """Options of the recognizer ``starnet``."""

    input: RecognizerInput = Field(RecognizerInput(widths=(100,)), description="The spline is made for one width.")
    hidden: int = Field(96, ge=1, le=4096, description="Units of each LSTM in each direction.")
    layers: int = Field(2, ge=1, le=8, description="Bidirectional LSTM layers on top of each other.")
    points: int = Field(20, ge=4, le=64, multiple_of=2, description="Control points of the spline, half on each edge.")
    localization: Literal["small", "large"] = Field(
        "small", description="Size of the network that finds the points; large goes with resnet_vd."
    )

    @model_validator(mode="after")
    def _one_width(self) -> StarNetConfig:
        if len(self.input.widths) != 1:
            raise ValueError("input.widths must hold exactly one width: the spline is made for it")
        return self
