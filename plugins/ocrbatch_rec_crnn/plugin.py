"""Registers the recognizer ``crnn``."""

from __future__ import annotations

from ocrbatch.api import RecognizerPlugin, hookimpl


@hookimpl
def ocrbatch_recognizers() -> list[RecognizerPlugin]:
    """One recognizer."""
    return [
        RecognizerPlugin(
            name="crnn",
            summary="CRNN (Shi et al. 2017): a backbone, bidirectional LSTMs and CTC.",
            config="ocrbatch_rec_crnn.config:CrnnConfig",
            model="ocrbatch_rec_crnn.model:build_crnn",
            training="ocrbatch_rec_crnn.training:build_training",
            codec="ocrbatch_rec_crnn.codec:build_codec",
            api=1,
        )
    ]
