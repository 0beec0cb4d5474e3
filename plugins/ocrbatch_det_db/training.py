"""How DB learns: targets and loss. Data workers import this module, so keras comes in with the loss only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ocrbatch.contracts import Arrays
from ocrbatch.types import Polygon
from ocrbatch_det_db.config import DBConfig
from ocrbatch_det_db.targets import make_targets


class DBTraining:
    """Targets and loss after Liao et al., 2020, sections 3.4 and 3.5."""

    def __init__(self, config: DBConfig) -> None:
        self._config = config

    def targets(self, size: tuple[int, int], polygons: Sequence[Polygon], ignore: Sequence[bool]) -> Arrays:
        """Maps of a picture of ``size`` (height, width): see :func:`ocrbatch_det_db.targets.make_targets`."""
        return make_targets(self._config, size, polygons, ignore)

    def loss(self, targets: Mapping[str, Any], outputs: Any) -> Mapping[str, Any]:
        """Scalars for outputs (N, H, W, 3): see :func:`ocrbatch_det_db.losses.db_loss`."""
        from ocrbatch_det_db.losses import db_loss

        return db_loss(self._config, targets, outputs)
