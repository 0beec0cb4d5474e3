"""Targets and loss of ``starnet``."""

from __future__ import annotations

from ocrbatch.charset import Charset
from ocrbatch.nn.ctc_training import CtcTraining
from ocrbatch_rec_starnet.config import StarNetConfig


def build_training(config: StarNetConfig, charset: Charset) -> CtcTraining:
    """CTC over ``charset`` with labels of at most ``config.max_length`` characters."""
    return CtcTraining(charset, config.max_length, config.label_smoothing)
