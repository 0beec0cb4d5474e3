"""Losses over maps. All take float tensors of one shape (N, H, W); ``mask`` is 1 where a pixel counts, else 0.

Each gives a scalar that is finite, and whose gradient is, for a batch without any pixel that counts.
"""

from __future__ import annotations

from typing import Any

from keras import ops

_TINY = 1e-6
_HALVINGS = 16


def balanced_binary_crossentropy(truth: Any, predicted: Any, mask: Any, *, negative_ratio: float = 3.0) -> Any:
    """Mean cross-entropy over all positive pixels of the batch and its hardest negative ones, at most
    ``negative_ratio`` of them for each positive (Liao et al., 2020, equation 7)."""
    of_truth = ops.where(truth > 0.5, predicted, 1.0 - predicted)
    entropy = -ops.log(ops.clip(of_truth, _TINY, 1.0)) * mask
    n_positive = ops.sum(truth * mask)
    n_negative = ops.minimum(ops.sum(mask) - n_positive, ops.floor(n_positive * negative_ratio))
    positive_loss = ops.sum(entropy * truth)
    negative_loss = sum_of_largest(entropy * (1.0 - truth), n_negative)
    return (positive_loss + negative_loss) / (n_positive + n_negative + _TINY)


def sum_of_largest(values: Any, count: Any) -> Any:
    """Sum of the ``count`` largest of ``values`` (any shape, none negative); ``count`` is a float scalar tensor.

    The value that separates them is found by bisection, which on a CPU takes a tenth of a sort's time and, unlike
    ``ops.top_k``, works under compilation for a count that depends on the data. Values that tie with it (to a
    2 ** -16 part of the largest) share what is left of the count evenly.
    """
    frozen = ops.stop_gradient(values)
    low, high = ops.full((), -1.0, dtype="float32"), ops.max(frozen)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        is_above = _count_above(frozen, middle) <= count
        low, high = ops.where(is_above, low, middle), ops.where(is_above, middle, high)
    surely = ops.cast(frozen > high, values.dtype)
    maybe = ops.cast(frozen > low, values.dtype) - surely
    share = (count - ops.sum(surely)) / ops.maximum(ops.sum(maybe), 1.0)
    return ops.sum(values * (surely + ops.clip(share, 0.0, 1.0) * maybe))


def dice_loss(truth: Any, predicted: Any, mask: Any) -> Any:
    """1 - 2 |A and B| / (|A| + |B|) over the whole batch (Milletari et al., 2016); 1 without any truth."""
    overlap = ops.sum(truth * predicted * mask)
    total = ops.sum(truth * mask) + ops.sum(predicted * mask)
    return 1.0 - 2.0 * overlap / (total + _TINY)


def masked_l1(truth: Any, predicted: Any, mask: Any) -> Any:
    """Mean absolute difference over the pixels of the mask; 0 without any."""
    return ops.sum(ops.abs(truth - predicted) * mask) / (ops.sum(mask) + _TINY)


def _count_above(values: Any, bound: Any) -> Any:
    return ops.sum(ops.cast(values > bound, "float32"))
