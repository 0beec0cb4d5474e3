"""Line picture to network input and probabilities to text, numpy only."""

from __future__ import annotations

from ocrbatch.charset import Charset
from ocrbatch.data.ctc_decode import CtcCodec, ctc_codec
from ocrbatch_rec_rosetta.config import RosettaConfig


def build_codec(config: RosettaConfig, charset: Charset) -> CtcCodec:
    """Greedy CTC over ``charset``. Raises ConfigError when the lexicon cannot be read."""
    return ctc_codec(config, charset)
