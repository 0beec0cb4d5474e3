"""How far outlines are shrunk for training and grown back when decoding (Liao et al., 2020, equations 6 and 10)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


def shrink_distance(area: float, length: float, ratio: float) -> float:
    """Distance D = A (1 - r^2) / L by which an outline of ``area`` and ``length`` is moved inwards."""
    return area * (1.0 - ratio**2) / max(length, 1e-9)


def unclip_distance(area: Numbers, length: Numbers, ratio: float) -> Numbers:
    """Distance D' = A' r' / L' by which a detected outline is moved outwards. Too short for long lines: see
    :func:`unshrink_distance`."""
    return area * ratio / np.maximum(length, 1e-9)


def unshrink_distance(area: Numbers, length: Numbers, ratio: float) -> Numbers:
    """The D that gave an outline of this ``area`` A' and ``length`` L' by :func:`shrink_distance`.

    A rectangle grown by D has area A' + L' D + 4 D^2 and length L' + 8 D. Put into D L = (1 - r^2) A this is the
    quadratic (4 + 4 r^2) D^2 + r^2 L' D - (1 - r^2) A' = 0, whose positive root is returned.
    """
    a, b, c = 4.0 + 4.0 * ratio**2, ratio**2 * length, (1.0 - ratio**2) * area
    return 2.0 * c / np.maximum(b + np.sqrt(b**2 + 4.0 * a * c), 1e-9)
