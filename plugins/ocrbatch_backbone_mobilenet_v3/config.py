"""Options of the backbone ``mobilenet_v3``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ocrbatch.config.schema import PluginConfig


class MobileNetV3Config(PluginConfig):
    """Options of the backbone ``mobilenet_v3``."""

    size: Literal["large", "small"] = Field("large", description="Which of the paper's two tables of units to build.")
    scale: float = Field(0.5, gt=0, le=4, description="Factor on all widths, which are then rounded to multiples of 8.")
    squeeze_excite: bool = Field(True, description="Whether the units that the paper gives a channel gate have it.")
