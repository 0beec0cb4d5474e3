"""Registers the backbone ``resnet_vd``."""

from __future__ import annotations

from ocrbatch.api import BackbonePlugin, hookimpl


@hookimpl
def ocrbatch_backbones() -> list[BackbonePlugin]:
    """One backbone for both tasks."""
    return [
        BackbonePlugin(
            name="resnet_vd",
            summary="ResNet-vd (He et al. 2019): in the classic OCR models 50 layers deep for det, 34 for rec.",
            config="ocrbatch_backbone_resnet_vd.config:ResNetVdConfig",
            model="ocrbatch_backbone_resnet_vd.model:build_resnet_vd",
            api=1,
        )
    ]
