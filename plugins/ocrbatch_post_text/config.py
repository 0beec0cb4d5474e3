"""Options of the postprocessors."""

from __future__ import annotations

from pydantic import Field

from ocrbatch.config.schema import PluginConfig


class ScoreFilterConfig(PluginConfig):
    """Which regions are kept."""

    det_score: float = Field(0.0, ge=0, le=1, description="Least score of the detector.")
    rec_score: float = Field(0.65, ge=0, le=1, description="Least score of the recognizer.")
    mean_score: float = Field(0.0, ge=0, le=1, description="Least mean of both: a doubtful box must be read well.")


class ReadingOrderConfig(PluginConfig):
    """How regions become lines and columns. All distances are in heights of the page's typical line."""

    columns: bool = Field(True, description="Look for columns; without it lines run over the whole width.")
    column_gap: float = Field(1.0, gt=0, description="Least width of the white band between two columns.")
    column_lines: int = Field(3, ge=1, description="Least number of lines on both sides of such a band.")
    block_gap: float = Field(1.0, gt=0, description="Least white space between two blocks, one above the other.")
    line_overlap: float = Field(
        0.5, gt=0, le=1, description="Share of the lower one's height that two regions of one line have in common."
    )
