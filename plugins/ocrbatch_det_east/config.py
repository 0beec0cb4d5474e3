"""Options of the detector ``east``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ocrbatch.config.schema import DetectorConfig

STRIDE = 4
"""Pixels of the input for one cell of the maps."""


class EastConfig(DetectorConfig):
    """Network, targets, loss and decoding of EAST; sizes in pixels are pixels of the network's input."""

    channels: int = Field(64, ge=2, le=1024, multiple_of=2, description="Width of the neck; 128 in the large variant.")
    geometry: Literal["quad", "rbox"] = Field(
        "quad", description="What each cell says: quad: where the corners are; rbox: a rotated rectangle."
    )
    reach: float = Field(800.0, gt=0, le=10_000, description="Largest distance that the geometry can express.")

    shrink: float = Field(
        0.3, ge=0, lt=0.5, description="Part of the shorter neighbouring side cut off at each corner."
    )
    min_text_size: float = Field(
        8.0, ge=0, le=128, description="Text with a shorter side below this is not trained on."
    )
    score_weight: float = Field(1.0, ge=0, le=1000, description="Weight of the score map's loss.")
    geometry_weight: float = Field(1.0, ge=0, le=1000, description="Weight of the geometry's loss.")
    angle_weight: float = Field(10.0, ge=0, le=1000, description="Weight of the angle within the geometry (rbox only).")

    score_thresh: float = Field(0.8, ge=0, le=1, description="Score above which a cell proposes a box.")
    cover_thresh: float = Field(0.1, ge=0, le=1, description="Mean score over a box below which it is dropped.")
    nms_thresh: float = Field(0.2, ge=0, le=1, description="Overlap above which boxes are merged or suppressed.")
    max_candidates: int = Field(10_000, ge=1, le=1_000_000, description="Most proposals per page; the best are kept.")
    min_size: float = Field(3.0, ge=0, le=64, description="Boxes with a shorter side below this are dropped.")
