"""Registers the backbone ``plain``."""

from __future__ import annotations

from ocrbatch.api import BackbonePlugin, hookimpl


@hookimpl
def ocrbatch_backbones() -> list[BackbonePlugin]:
    """One backbone for both tasks."""
    return [
        BackbonePlugin(
            name="plain",
            summary="Stacks of 3x3 convolution, batch norm and ReLU: the fastest to train and to run on a CPU.",
            config="ocrbatch_backbone_plain.config:PlainConfig",
            model="ocrbatch_backbone_plain.model:build_plain",
            api=1,
        )
    ]
