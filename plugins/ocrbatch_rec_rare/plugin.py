"""Registers the recognizer ``rare``."""

from __future__ import annotations

from ocrbatch.api import RecognizerPlugin, hookimpl


@hookimpl
def ocrbatch_recognizers() -> list[RecognizerPlugin]:
    """One recognizer."""
    return [
        RecognizerPlugin(
            name="rare",
            summary="RARE (Shi et al. 2016): a rectifying spline, a backbone, bidirectional LSTMs and attention.",
            config="ocrbatch_rec_rare.config:RareConfig",
            model="ocrbatch_rec_rare.model:build_rare",
            training="ocrbatch_rec_rare.training:build_training",
            codec="ocrbatch_rec_rare.codec:build_codec",
            api=1,
        )
    ]
