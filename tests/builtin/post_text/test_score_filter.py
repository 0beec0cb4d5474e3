from __future__ import annotations

import numpy as np

from ocrbatch.types import TextRegion
from ocrbatch_post_text.config import ScoreFilterConfig
from ocrbatch_post_text.score_filter import ScoreFilter

QUAD = np.array([[0, 0], [9, 0], [9, 9], [0, 9]], np.float32)


def test_nothing_is_dropped_and_nothing_comes_back() -> None:
    regions = (
        TextRegion(QUAD, text="good", det_score=0.6, rec_score=0.9),
        TextRegion(QUAD, text="hardly read", det_score=0.9, rec_score=0.49),
        TextRegion(QUAD, text="hardly found", det_score=0.29, rec_score=0.9),
        TextRegion(QUAD, text="rejected before", kept=False),
        TextRegion(QUAD, text="at the limit", det_score=0.3, rec_score=0.5),
    )
    filtered = ScoreFilter(ScoreFilterConfig(det_score=0.3, rec_score=0.5))(regions, 10, 10)
    assert [one.text for one in filtered] == [one.text for one in regions]
    assert [one.kept for one in filtered] == [True, False, False, False, True]


def test_a_doubtful_box_must_be_read_well() -> None:
    regions = tuple(
        TextRegion(QUAD, det_score=det, rec_score=rec) for det, rec in [(0.5, 0.95), (0.5, 0.85), (0.9, 0.5)]
    )
    together = ScoreFilter(ScoreFilterConfig(rec_score=0, mean_score=0.7))(regions, 10, 10)
    assert [one.kept for one in together] == [True, False, True]
    alone = ScoreFilter(ScoreFilterConfig(rec_score=0))(regions, 10, 10)
    assert all(one.kept for one in alone)
