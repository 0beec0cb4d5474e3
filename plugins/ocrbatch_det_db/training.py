"""How DB learns: targets and loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from keras import ops

from ocrbatch.contracts import Arrays
from ocrbatch.nn.losses import balanced_binary_crossentropy, dice_loss, masked_l1
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

    def loss(self, targets: Mapping[str, Any], outputs: Any) -> dict[str, Any]:
        """Weighted sum of cross-entropy on the probability map, L1 on the threshold map and dice on the binary map, for
        outputs (N, H, W, 3) of the training network."""
        maps = {name: ops.cast(value, "float32") for name, value in targets.items()}
        truth, mask = maps["probability"], maps["probability_mask"]
        config = self._config
        parts = {
            "probability": balanced_binary_crossentropy(
                truth, outputs[..., 0], mask, negative_ratio=config.negative_ratio
            ),
            "threshold": masked_l1(maps["threshold"], outputs[..., 1], maps["threshold_mask"]),
            "binary": dice_loss(truth, outputs[..., 2], mask),
        }
        total = (
            config.probability_weight * parts["probability"]
            + config.threshold_weight * parts["threshold"]
            + config.binary_weight * parts["binary"]
        )
        return {"loss": total, **parts}
