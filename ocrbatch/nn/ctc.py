"""CTC loss (Graves et al. 2006) on whatever backend Keras runs.

The gradient of the loss with respect to the log-probabilities is minus the occupancy of each state, which the forward
and the backward variables give directly. So the two recursions run together as one scan that nothing is differentiated
through: on a CPU, with labels padded to 100, twenty times faster than ``keras.ops.ctc_loss`` on TensorFlow.
"""

from __future__ import annotations

import math
from typing import Any

from keras import ops

BLANK = 0
_NEVER = -1e30  # log of an impossible event; finite, so that differences never give NaN


def ctc_loss(logits: Any, labels: Any, length: Any) -> Any:
    """Negative log-likelihood of each label, float32 (N,).

    ``logits`` (N, T, classes) are raw scores with class 0 as the blank; ``labels`` int (N, L) hold classes from 1, of
    which the first ``length`` (N,) count. An empty label, or one that T steps cannot emit, gives 0 with no gradient.
    """
    labels, length = ops.cast(labels, "int32"), ops.cast(length, "int32")
    log_probs = ops.log_softmax(ops.cast(logits, "float32"))
    emission = _emissions(log_probs, labels)
    feasible = feasible_labels(labels, length, ops.shape(logits)[1])
    frozen = ops.stop_gradient(emission)
    forward, backward = _forward_backward(frozen, _skips(labels), ops.where(feasible, length, 0))
    joint = forward + backward - frozen
    log_likelihood = ops.logsumexp(joint[:, 0], axis=-1)
    occupancy = ops.exp(joint - log_likelihood[:, None, None])
    pull = -ops.sum(ops.stop_gradient(occupancy) * emission, axis=(1, 2))
    loss = pull + ops.stop_gradient(-log_likelihood - pull)
    return ops.where(feasible, loss, ops.zeros_like(loss))


def feasible_labels(labels: Any, length: Any, steps: Any) -> Any:
    """Bool (N,): the label is not empty, and ``steps`` suffice for its characters and a blank between equal ones."""
    within = ops.arange(1, labels.shape[1]) < length[:, None]
    repeats = ops.sum(ops.cast(ops.logical_and(labels[:, 1:] == labels[:, :-1], within), "int32"), axis=1)
    return ops.logical_and(length > 0, length + repeats <= steps)


def mean_ctc_loss(logits: Any, labels: Any, length: Any) -> Any:
    """Mean over the labels that count of :func:`ctc_loss` per character, a scalar; 0 when none counts.

    Per character, as PyTorch's default reduction: else batches of long lines would outweigh those of short ones.
    """
    labels, length = ops.cast(labels, "int32"), ops.cast(length, "int32")
    feasible = ops.cast(feasible_labels(labels, length, ops.shape(logits)[1]), "float32")
    per_character = ctc_loss(logits, labels, length) / ops.cast(ops.maximum(length, 1), "float32")
    return ops.sum(per_character * feasible) / ops.maximum(ops.sum(feasible), 1.0)


def smoothed_ctc_loss(logits: Any, labels: Any, length: Any, smoothing: float) -> Any:
    """(1 - smoothing) times :func:`mean_ctc_loss` and ``smoothing`` times the divergence KL(uniform || prediction), its
    mean over all steps: label smoothing for CTC after Kim et al., "Improved training for online end-to-end speech
    recognition systems", Interspeech 2018 (there in sums over a sequence, here in means, as our loss is one)."""
    loss = mean_ctc_loss(logits, labels, length)
    if not smoothing:
        return loss
    log_probs = ops.log_softmax(ops.cast(logits, "float32"))
    divergence = -ops.mean(log_probs) - math.log(log_probs.shape[-1])
    return (1 - smoothing) * loss + smoothing * divergence


def _emissions(log_probs: Any, labels: Any) -> Any:
    """Log-probabilities (N, T, 2L + 1) of the states blank, c1, blank, c2, ..., blank."""
    chosen = ops.one_hot(labels, log_probs.shape[-1], dtype="float32")
    characters = ops.matmul(log_probs, ops.transpose(chosen, (0, 2, 1)))
    blanks = ops.broadcast_to(log_probs[..., BLANK : BLANK + 1], ops.shape(characters))
    pairs = ops.reshape(ops.stack([blanks, characters], axis=-1), (*ops.shape(characters)[:2], 2 * labels.shape[1]))
    return ops.concatenate([pairs, log_probs[..., BLANK : BLANK + 1]], axis=-1)


def _skips(labels: Any) -> Any:
    """0 where a state may be entered from the one before the last (a character that differs from the one before), else
    :data:`_NEVER`; (N, 2L + 1)."""
    differs = ops.pad(labels[:, 1:] != labels[:, :-1], ((0, 0), (1, 0)))
    skip = ops.where(differs, 0.0, _NEVER)
    pairs = ops.stack([ops.full_like(skip, _NEVER), skip], axis=-1)
    return ops.pad(ops.reshape(pairs, (-1, 2 * labels.shape[1])), ((0, 0), (0, 1)), constant_values=_NEVER)


def _forward_backward(emission: Any, skip: Any, length: Any) -> tuple[Any, Any]:
    """Forward and backward variables, (N, T, S) each, emission of the own step included. The backward ones are forward
    ones of everything mirrored: time, states, and with them which skips are allowed."""
    states = emission.shape[-1]
    position = ops.arange(states)[None]
    starts = position < 2
    ends = ops.logical_and(position >= 2 * length[:, None] - 1, position <= 2 * length[:, None])
    mirrored_skip = ops.flip(_shift(skip, -2), axis=1)
    variables = _forward(
        ops.concatenate([emission, ops.flip(emission, axis=(1, 2))], axis=0),
        ops.concatenate([skip, mirrored_skip], axis=0),
        ops.concatenate([ops.broadcast_to(starts, ops.shape(ends)), ops.flip(ends, axis=1)], axis=0),
    )
    forward, mirrored = ops.split(variables, 2, axis=0)
    return forward, ops.flip(mirrored, axis=(1, 2))


def _forward(emission: Any, skip: Any, starts: Any) -> Any:
    """Log-probability (N, T, S) of all paths that reach a state, emission included."""

    def step(previous: Any, now: Any) -> tuple[Any, Any]:
        ways = ops.stack([previous, _shift(previous, 1), _shift(previous, 2) + skip])
        best = ops.max(ways, axis=0)
        reached = best + ops.log(ops.sum(ops.exp(ways - best), axis=0)) + now
        return reached, reached

    time_major = ops.transpose(emission, (1, 0, 2))
    first = ops.where(starts, time_major[0], _NEVER)
    _, later = ops.scan(step, first, time_major[1:])
    return ops.transpose(ops.concatenate([first[None], later], axis=0), (1, 0, 2))


def _shift(values: Any, by: int) -> Any:
    """Values (N, S) moved along the states; what comes in is :data:`_NEVER`."""
    if by > 0:
        return ops.pad(values[:, :-by], ((0, 0), (by, 0)), constant_values=_NEVER)
    return ops.pad(values[:, -by:], ((0, 0), (0, -by)), constant_values=_NEVER)
