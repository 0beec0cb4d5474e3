"""Attention decoder: a GRU that looks at a weighted mean of the sequence for each character (Bahdanau et al. 2015)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import layers, ops

Found = tuple[Any, Any, Any]
"""State of the cell (N, hidden), scores (N, classes) and attention weights (N, T) after a step."""
Step = Callable[[Found, Any], Found]


@keras.saving.register_keras_serializable(package="ocrbatch")
class AttentionDecoder(layers.Layer):
    """Scores of ``steps`` characters and where each was looked for.

    Called with a sequence (N, T, C) alone it reads greedily, each step fed with the best class of the step before, the
    first with class 0. Called with ``previous``, int (N, steps), it is fed with those classes (teacher forcing). It
    returns scores (N, steps, classes) and weights (N, steps, T) that sum to 1 over T.
    """

    def __init__(self, hidden: int, classes: int, steps: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.hidden, self.classes, self.steps = hidden, classes, steps
        self.sequence_projection = layers.Dense(hidden, use_bias=False, name="attention_cell-i2h")
        self.state_projection = layers.Dense(hidden, name="attention_cell-h2h")
        self.alignment = layers.Dense(1, use_bias=False, name="attention_cell-score")
        self.cell = layers.GRUCell(hidden, reset_after=True, name="attention_cell-rnn")
        self.generator = layers.Dense(classes, name="generator")

    @property
    def parts(self) -> list[Any]:
        """The layers that hold the weights."""
        return [self.sequence_projection, self.state_projection, self.alignment, self.cell, self.generator]

    def build(self, sequence_shape: Any, previous_shape: Any = None) -> None:  # noqa: ARG002
        """Makes all weights at once, since a scan may not."""
        batch, _, channels = sequence_shape
        self.sequence_projection.build(sequence_shape)
        self.state_projection.build((batch, self.hidden))
        self.alignment.build((batch, None, self.hidden))
        self.cell.build((batch, channels + self.classes))
        self.generator.build((batch, self.hidden))
        super().build(sequence_shape)

    def call(self, sequence: Any, previous: Any = None) -> tuple[Any, Any]:
        """Reads greedily, or along ``previous``."""
        projected = self.sequence_projection(sequence)

        def step(found: Found, character: Any) -> Found:
            energy = self.alignment(ops.tanh(projected + self.state_projection(found[0])[:, None]))
            weights = ops.softmax(energy, axis=1)
            context = ops.sum(weights * sequence, axis=1)
            state, _ = self.cell(ops.concatenate([context, character], axis=1), found[0])
            return state, self.generator(state), weights[..., 0]

        count = ops.shape(sequence)[0]
        start = self._one_hot(ops.zeros((count,), dtype="int32"))
        first = (ops.zeros((count, self.hidden), dtype=sequence.dtype), start, ops.zeros_like(sequence[..., 0]))
        return self._greedy(step, first) if previous is None else self._taught(step, first, previous)

    def _greedy(self, step: Step, first: Found) -> tuple[Any, Any]:
        """Each step is fed with the best class of the one before. An exported graph runs the loop as one node."""

        def body(number: Any, found: Found, scores: Any, weights: Any) -> tuple[Any, Found, Any, Any]:
            best = ops.top_k(found[1], 1)[1][:, 0]  # argmax exports to a graph that does not load
            found = step(found, self._one_hot(best))
            here = ops.one_hot(number, self.steps, dtype=self.compute_dtype)[None, :, None]
            return number + 1, found, scores + here * found[1][:, None], weights + here * found[2][:, None]

        nothing = [ops.repeat(ops.zeros_like(values)[:, None], self.steps, axis=1) for values in first[1:]]
        state = (ops.zeros((), dtype="int32"), first, *nothing)
        _, _, scores, weights = ops.while_loop(lambda number, *_: number < self.steps, body, state)
        return scores, weights

    def _taught(self, step: Step, first: Found, previous: Any) -> tuple[Any, Any]:
        """Each step is fed with the class that the teacher names. (A scan's outputs must be shaped like its state.)"""
        characters = ops.transpose(self._one_hot(previous), (1, 0, 2))
        _, (_, scores, weights) = ops.scan(lambda found, character: (step(found, character),) * 2, first, characters)
        return ops.transpose(scores, (1, 0, 2)), ops.transpose(weights, (1, 0, 2))

    def compute_output_shape(self, sequence_shape: Any, previous_shape: Any = None) -> Any:  # noqa: ARG002
        """Shapes of scores and weights."""
        batch, length, _ = sequence_shape
        return (batch, self.steps, self.classes), (batch, self.steps, length)

    def get_config(self) -> dict[str, Any]:
        """What the constructor takes."""
        return {**super().get_config(), "hidden": self.hidden, "classes": self.classes, "steps": self.steps}

    def _one_hot(self, classes: Any) -> Any:
        return ops.one_hot(classes, self.classes, dtype=self.compute_dtype)


@keras.saving.register_keras_serializable(package="ocrbatch")
class ShiftRight(layers.Layer):
    """Labels int (N, L) as what a teacher feeds: each step gets the label before its own, the first gets class 0."""

    def call(self, labels: Any) -> Any:
        return ops.pad(labels[:, :-1], ((0, 0), (1, 0)))

    def compute_output_shape(self, labels_shape: Any) -> Any:
        return labels_shape
