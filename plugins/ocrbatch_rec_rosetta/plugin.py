"""Registers the recognizer ``rosetta``."""

from __future__ import annotations

from ocrbatch.api import RecognizerPlugin, hookimpl


@hookimpl
def ocrbatch_recognizers() -> list[RecognizerPlugin]:
    """One recognizer."""
    return [
        RecognizerPlugin(
            name="rosetta",
            summary="Rosetta (Borisyuk et al. 2018): a backbone and CTC, no recurrence.",
            config="ocrbatch_rec_rosetta.config:RosettaConfig",
            model="ocrbatch_rec_rosetta.model:build_rosetta",
            training="ocrbatch_rec_rosetta.training:build_training",
            codec="ocrbatch_rec_rosetta.codec:build_codec",
            api=1,
        )
    ]
