"""CRNN: a backbone, bidirectional LSTMs and a CTC head (Shi, Bai and Yao, TPAMI 2017)."""

from __future__ import annotations

from typing import Any

from ocrbatch.contracts import Networks
from ocrbatch.nn.recognizer import ctc_networks
from ocrbatch.nn.sequence import bilstm
from ocrbatch_rec_crnn.config import CrnnConfig


def build_crnn(config: CrnnConfig, backbone: Any, n_characters: int) -> Networks:
    """Networks that map lines (N, 32, W, C) to scores, or probabilities, (N, W / s, n_characters + 1)."""
    return ctc_networks(
        backbone,
        n_characters,
        config.input,
        encoder=lambda sequence: bilstm(sequence, config.hidden, config.layers),
    )
