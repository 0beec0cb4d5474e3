"""Options of the detector ``db``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from ocrbatch.config.schema import DetectorConfig


class DBConfig(DetectorConfig):
    """Network, targets, loss and decoding of DB; sizes in pixels are pixels of the network's input."""

    fpn_channels: int = Field(256, ge=4, le=1024, multiple_of=4, description="Width of the feature pyramid.")
    head_channels: int | None = Field(
        None, ge=1, le=1024, description="Width of the head; null: a quarter of the pyramid."
    )
    k: float = Field(50.0, gt=0, le=500, description="Steepness of the differentiable binarization.")

    shrink_ratio: float = Field(
        0.4,
        gt=0,
        lt=1,
        description="How far outlines are shrunk for the probability map: an area times about the square of this.",
    )
    min_text_size: float = Field(4.0, ge=0, le=64, description="Text with a shorter side below this is not trained on.")
    small_text_area: float = Field(
        0.0,
        ge=0,
        le=10_000,
        description="Shrunk outlines of fewer square pixels count more, by the root of how much they lack, at most "
        "fourfold: else lone digits weigh next to nothing. 0: every pixel counts the same, as published.",
    )
    threshold_min: float = Field(0.3, ge=0, le=1, description="Value of the threshold map away from outlines.")
    threshold_max: float = Field(0.7, ge=0, le=1, description="Value of the threshold map on outlines.")

    probability_weight: float = Field(5.0, ge=0, le=1000, description="Weight of the probability map's loss.")
    threshold_weight: float = Field(10.0, ge=0, le=1000, description="Weight of the threshold map's loss.")
    binary_weight: float = Field(1.0, ge=0, le=1000, description="Weight of the binary map's loss.")
    negative_ratio: float = Field(3.0, gt=0, le=1000, description="Hard negative pixels counted per positive pixel.")

    thresh: float = Field(0.3, ge=0, le=1, description="Probability above which a pixel is text.")
    box_thresh: float = Field(0.6, ge=0, le=1, description="Mean probability below which an outline is dropped.")
    core_thresh: float | None = Field(
        None,
        ge=0,
        le=1,
        description="Of an outline that would be dropped, what has a higher probability than this is looked at alone: "
        "text that runs into handwriting, rules or stamps. null: as published, it is lost.",
    )
    unclip_ratio: float | None = Field(
        1.5,
        ge=0,
        le=10,
        description="Outlines grow by this times area / length; null: by exactly what shrink_ratio took away.",
    )
    margin: float = Field(
        0.0,
        ge=-0.5,
        le=1,
        description="How much larger boxes are made after that, as a share of their shorter side; below 0 smaller.",
    )
    max_candidates: int = Field(3000, ge=1, le=100_000, description="Most outlines per page; the largest are kept.")
    min_size: float = Field(3.0, ge=0, le=64, description="Boxes with a shorter side below this are dropped.")
    score_mode: Literal["fast", "slow"] = Field("fast", description="fast: mean over the box; slow: over the outline.")
    polygons: bool = Field(False, description="Give polygons beside the boxes, for curved text.")
    use_dilation: bool = Field(False, description="Grow the binary map by one pixel first; joins broken outlines.")

    @model_validator(mode="after")
    def _threshold_map_ascends(self) -> DBConfig:
        if self.threshold_min >= self.threshold_max:
            raise ValueError("threshold_min must be below threshold_max")
        return self
