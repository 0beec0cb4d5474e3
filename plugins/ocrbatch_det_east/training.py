"""How EAST learns: targets and loss. Data workers import this module, so keras comes in with the loss only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ocrbatch.contracts import Arrays
from ocrbatch.types import Polygon
from ocrbatch_det_east.config import EastConfig
from ocrbatch_det_east.targets import make_targets


class EastTraining:
    """Targets and loss after Zhou et al., 2017, sections 3.3 and 3.4."""

    def __init__(self, config: EastConfig) -> None:
        self._config = config

    def targets(self, size: tuple[int, int], polygons: Sequence[Polygon], ignore: Sequence[bool]) -> Arrays:
        """Maps of a picture of ``size`` (height, width): see :func:`ocrbatch_det_east.targets.make_targets`."""
        return make_targets(self._config, size, polygons, ignore)

    def loss(self, targets: Mapping[str, Any], outputs: Any) -> Mapping[str, Any]:
        """Scalars for the training network's outputs: see :func:`ocrbatch_det_east.losses.east_loss`."""
        from ocrbatch_det_east.losses import east_loss

        return east_loss(self._config, targets, outputs)
