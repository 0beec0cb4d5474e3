"""Rosetta: a backbone and a CTC head (Borisyuk, Gordo and Sivakumar, KDD 2018)."""

from __future__ import annotations

from typing import Any

from ocrbatch.contracts import Networks
from ocrbatch.nn.recognizer import ctc_networks
from ocrbatch_rec_rosetta.config import RosettaConfig


def build_rosetta(config: RosettaConfig, backbone: Any, n_characters: int) -> Networks:
    """Networks that map lines (N, 32, W, C) to scores, or probabilities, (N, W / s, n_characters + 1)."""
    return ctc_networks(backbone, n_characters, config.input)
