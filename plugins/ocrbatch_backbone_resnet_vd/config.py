"""Options of the backbone ``resnet_vd``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ocrbatch.config.schema import PluginConfig


class ResNetVdConfig(PluginConfig):
    """Options of the backbone ``resnet_vd``."""

    layers: Literal[18, 34, 50, 101, 152] = Field(34, description="Depth; 50 and more have bottleneck units.")
