"""Registers the recognizer ``starnet``."""

from __future__ import annotations

from ocrbatch.api import RecognizerPlugin, hookimpl


@hookimpl
def ocrbatch_recognizers() -> list[RecognizerPlugin]:
    """One recognizer."""
    return [
        RecognizerPlugin(
            name="starnet",
            summary="STAR-Net (Liu et al. 2016): a rectifying spline, a backbone, bidirectional LSTMs and CTC.",
            config="ocrbatch_rec_starnet.config:StarNetConfig",
            model="ocrbatch_rec_starnet.model:build_starnet",
            training="ocrbatch_rec_starnet.training:build_training",
            codec="ocrbatch_rec_starnet.codec:build_codec",
            api=1,
        )
    ]
