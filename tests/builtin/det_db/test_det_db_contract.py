"""The detector keeps what every detector promises, and its options are checked."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from ocrbatch.testing import Host, check_detector
from ocrbatch_det_db.config import DBConfig


@pytest.mark.parametrize(
    "options",
    [
        {"fpn_channels": 8},
        {"fpn_channels": 16, "head_channels": 2, "unclip_ratio": None, "polygons": True, "score_mode": "slow"},
    ],
)
def test_db_keeps_the_contract(options: dict[str, object]) -> None:
    check_detector(Host.load(), "db", **options)


@pytest.mark.parametrize(
    "options",
    [
        {"fpn_channels": 30},
        {"shrink_ratio": 1.0},
        {"threshold_min": 0.7, "threshold_max": 0.3},
        {"score_mode": "quick"},
        {"shrink": 0.4},
    ],
)
def test_wrong_options_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        DBConfig(**options)  # type: ignore[arg-type]
