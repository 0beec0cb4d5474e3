"""STAR-Net: rectification, a backbone, bidirectional LSTMs and a CTC head (Liu et al., BMVC 2016)."""

from __future__ import annotations

from typing import Any

from ocrbatch.contracts import Networks
from ocrbatch.nn.recognizer import ctc_networks
from ocrbatch.nn.sequence import bilstm
from ocrbatch.nn.tps import rectify
from ocrbatch_rec_starnet.config import StarNetConfig


def build_starnet(config: StarNetConfig, backbone: Any, n_characters: int) -> Networks:
    """Networks that map lines (N, 32, W, C), W fixed, to scores, or probabilities, (N, W / s, n_characters + 1)."""
    return ctc_networks(
        backbone,
        n_characters,
        config.input,
        transform=lambda image: rectify(image, points=config.points, size=config.localization),
        encoder=lambda sequence: bilstm(sequence, config.hidden, config.layers),
    )
