"""Registers the backbone ``mobilenet_v3``."""

from __future__ import annotations

from ocrbatch.api import BackbonePlugin, hookimpl


@hookimpl
def ocrbatch_backbones() -> list[BackbonePlugin]:
    """One backbone for both tasks."""
    return [
        BackbonePlugin(
            name="mobilenet_v3",
            summary="MobileNetV3 (Howard et al. 2019), large or small, as in the classic light OCR models.",
            config="ocrbatch_backbone_mobilenet_v3.config:MobileNetV3Config",
            model="ocrbatch_backbone_mobilenet_v3.model:build_mobilenet_v3",
            api=1,
        )
    ]
