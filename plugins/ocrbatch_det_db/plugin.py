"""What this plugin offers."""

from __future__ import annotations

from ocrbatch.api import PLUGIN_API, DetectorPlugin, hookimpl


@hookimpl
def ocrbatch_detectors() -> list[DetectorPlugin]:
    """The detector ``db``."""
    return [
        DetectorPlugin(
            name="db",
            summary="Real-time scene text detection with differentiable binarization (Liao et al., 2020)",
            config="ocrbatch_det_db.config:DBConfig",
            model="ocrbatch_det_db.model:build",
            training="ocrbatch_det_db.training:DBTraining",
            codec="ocrbatch_det_db.codec:DBCodec",
            api=PLUGIN_API,
        )
    ]
