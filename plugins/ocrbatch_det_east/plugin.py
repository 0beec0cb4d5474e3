"""What this plugin offers."""

from __future__ import annotations

from ocrbatch.api import PLUGIN_API, DetectorPlugin, hookimpl


@hookimpl
def ocrbatch_detectors() -> list[DetectorPlugin]:
    """The detector ``east``."""
    return [
        DetectorPlugin(
            name="east",
            summary="EAST: an efficient and accurate scene text detector (Zhou et al., 2017)",
            config="ocrbatch_det_east.config:EastConfig",
            model="ocrbatch_det_east.model:build",
            training="ocrbatch_det_east.training:EastTraining",
            codec="ocrbatch_det_east.codec:EastCodec",
            api=PLUGIN_API,
        )
    ]
