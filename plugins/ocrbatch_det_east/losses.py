"""The loss of EAST (Zhou et al., 2017, section 3.4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras import ops

from ocrbatch.nn.losses import dice_loss
from ocrbatch_det_east.config import EastConfig

_TINY = 1e-6


def east_loss(config: EastConfig, targets: Mapping[str, Any], outputs: Any) -> dict[str, Any]:
    """Dice on the score map and, over the positive cells, the mean loss of the geometry; scalars."""
    maps = {name: ops.cast(value, "float32") for name, value in targets.items()}
    positive = maps["score"] * maps["mask"]
    score = dice_loss(maps["score"], outputs[..., 0], maps["mask"])
    if config.geometry == "quad":
        losses = corner_loss(maps["geometry"], outputs[..., 1:], maps["side"])
    else:
        losses = rectangle_loss(maps["geometry"], outputs[..., 1:], config.angle_weight)
    geometry = ops.sum(losses * positive) / (ops.sum(positive) + _TINY)
    total = config.score_weight * score + config.geometry_weight * geometry
    return {"loss": total, "score": score, "geometry": geometry}


def corner_loss(truth: Any, predicted: Any, side: Any) -> Any:
    """Smooth L1 of the corners (..., 8), a mean over them divided by the shortest side (paper, equation 11)."""
    error = ops.abs(predicted - truth)
    smooth = ops.where(error < 1.0, 0.5 * error**2, error - 0.5)
    return ops.mean(smooth, axis=-1) / side


def rectangle_loss(truth: Any, predicted: Any, angle_weight: float) -> Any:
    """-log IoU of the distances plus ``angle_weight`` (1 - cos) of the angles' difference (paper, equations 6 to 9)."""
    common = ops.minimum(truth, predicted)
    overlap = _area(common)
    union = _area(truth) + _area(predicted) - overlap
    angle = 1.0 - ops.cos(predicted[..., 4] - truth[..., 4])
    return ops.log((union + 1.0) / (overlap + 1.0)) + angle_weight * angle


def _area(distances: Any) -> Any:
    return (distances[..., 0] + distances[..., 2]) * (distances[..., 1] + distances[..., 3])
