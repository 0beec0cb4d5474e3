"""Which regions count."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ocrbatch.types import TextRegion
from ocrbatch_post_text.config import ScoreFilterConfig


@dataclass(frozen=True, slots=True)
class ScoreFilter:
    """Clears ``kept`` of regions with a low score; none is dropped, and one that was rejected before stays so."""

    config: ScoreFilterConfig

    def __call__(self, regions: tuple[TextRegion, ...], width: int, height: int) -> tuple[TextRegion, ...]:  # noqa: ARG002
        """The same regions in the same order."""
        return tuple(
            replace(region, kept=False) if region.kept and not self._is_good(region) else region for region in regions
        )

    def _is_good(self, region: TextRegion) -> bool:
        det, rec, least = region.det_score, region.rec_score, self.config
        return det >= least.det_score and rec >= least.rec_score and (det + rec) / 2 >= least.mean_score
