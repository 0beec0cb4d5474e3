"""Options of the backbone ``plain``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from ocrbatch.config.schema import PluginConfig

Width = Annotated[int, Field(ge=4, le=2048)]
Depth = Annotated[int, Field(ge=1, le=32)]


class Stages(PluginConfig):
    """Five stages, each of which starts by halving the map."""

    widths: tuple[Width, Width, Width, Width, Width] = Field(description="Channels of the five stages.")
    depths: tuple[Depth, Depth, Depth, Depth, Depth] = Field(description="3x3 convolutions in the five stages.")


class RecognizerStages(Stages):
    """The first two stages halve both sides, the next two the height; the fifth joins the last two rows into one."""

    widths: tuple[Width, Width, Width, Width, Width] = (24, 48, 80, 128, 160)
    depths: tuple[Depth, Depth, Depth, Depth, Depth] = (2, 2, 2, 2, 1)

    @model_validator(mode="after")
    def _last_stage_is_one_convolution(self) -> RecognizerStages:
        if self.depths[4] != 1:
            raise ValueError("the last of the depths must be 1: that stage only joins two rows")
        return self


class PlainConfig(PluginConfig):
    """Options of the backbone ``plain``."""

    det: Stages = Field(
        Stages(widths=(16, 32, 64, 96, 128), depths=(1, 2, 2, 2, 2)),
        description="Stages of the detection variant; their last four maps have strides 4, 8, 16 and 32.",
    )
    rec: RecognizerStages = Field(
        RecognizerStages(), description="Stages of the recognition variant; steps are 4 pixels wide."
    )
    norm_momentum: float = Field(
        0.9, ge=0, lt=1, description="Momentum of the batch statistics; higher where batches differ much from another."
    )
