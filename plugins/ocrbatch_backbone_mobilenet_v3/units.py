"""The units of MobileNetV3 (Howard et al. 2019, tables 1 and 2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Unit:
    """One inverted residual: depthwise ``kernel``, ``expanded`` and output ``width`` at scale 1, ``stride`` 1 or 2."""

    kernel: int
    expanded: int
    width: int
    gated: bool
    activation: Literal["relu", "hard_swish"]
    stride: int


LARGE = (
    Unit(3, 16, 16, False, "relu", 1),
    Unit(3, 64, 24, False, "relu", 2),
    Unit(3, 72, 24, False, "relu", 1),
    Unit(5, 72, 40, True, "relu", 2),
    Unit(5, 120, 40, True, "relu", 1),
    Unit(5, 120, 40, True, "relu", 1),
    Unit(3, 240, 80, False, "hard_swish", 2),
    Unit(3, 200, 80, False, "hard_swish", 1),
    Unit(3, 184, 80, False, "hard_swish", 1),
    Unit(3, 184, 80, False, "hard_swish", 1),
    Unit(3, 480, 112, True, "hard_swish", 1),
    Unit(3, 672, 112, True, "hard_swish", 1),
    Unit(5, 672, 160, True, "hard_swish", 2),
    Unit(5, 960, 160, True, "hard_swish", 1),
    Unit(5, 960, 160, True, "hard_swish", 1),
)

SMALL = (
    Unit(3, 16, 16, True, "relu", 2),
    Unit(3, 72, 24, False, "relu", 2),
    Unit(3, 88, 24, False, "relu", 1),
    Unit(5, 96, 40, True, "hard_swish", 2),
    Unit(5, 240, 40, True, "hard_swish", 1),
    Unit(5, 240, 40, True, "hard_swish", 1),
    Unit(5, 120, 48, True, "hard_swish", 1),
    Unit(5, 144, 48, True, "hard_swish", 1),
    Unit(5, 288, 96, True, "hard_swish", 2),
    Unit(5, 576, 96, True, "hard_swish", 1),
    Unit(5, 576, 96, True, "hard_swish", 1),
)

UNITS = {"large": LARGE, "small": SMALL}
STEM_WIDTH = 16
LAST_WIDTH = {"large": 960, "small": 576}


def scaled(width: int, scale: float) -> int:
    """``width * scale`` rounded to a multiple of 8, at least 8 and not more than a tenth below the exact product."""
    exact = width * scale
    rounded = max(8, int(exact + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * exact else rounded
