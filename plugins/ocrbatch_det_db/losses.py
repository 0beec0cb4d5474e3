"""The loss of DB (Liao et al., 2020, section 3.5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras import ops

from ocrbatch.nn.losses import balanced_binary_crossentropy, dice_loss, masked_l1
from ocrbatch_det_db.config import DBConfig


def db_loss(config: DBConfig, targets: Mapping[str, Any], outputs: Any) -> dict[str, Any]:
    """Weighted sum of cross-entropy on the probability map, L1 on the threshold map and dice on the binary map, for
    outputs (N, H, W, 3) of the training network and maps (N, H, W); scalars."""
    maps = {name: ops.cast(value, "float32") for name, value in targets.items()}
    truth, mask = maps["probability"], maps["probability_mask"]
    predicted = ops.unstack(outputs, num=3, axis=-1)
    probability = balanced_binary_crossentropy(truth, predicted[0], mask, negative_ratio=config.negative_ratio)
    threshold = masked_l1(maps["threshold"], predicted[1], maps["threshold_mask"])
    binary = dice_loss(truth, predicted[2], mask)
    total = (
        config.probability_weight * probability + config.threshold_weight * threshold + config.binary_weight * binary
    )
    return {"loss": total, "probability": probability, "threshold": threshold, "binary": binary}
