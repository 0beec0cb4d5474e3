"""Executes the network itself with Keras, on whichever backend KERAS_BACKEND names."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ocrbatch.contracts import Graph
from ocrbatch.engines.config import KerasConfig


@dataclass(frozen=True, slots=True)
class KerasEngine:
    """Builds the network from its plugins and weights; slower to start than an exported graph."""

    config: KerasConfig

    def open(self, graph: Graph, threads: int) -> KerasSession:
        """``threads`` bounds TensorFlow only, and only when it is not yet loaded."""
        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(threads))
        os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        return KerasSession(graph.keras_model())


@dataclass(frozen=True, slots=True)
class KerasSession:
    """A built network."""

    model: Any

    def __call__(self, batch: NDArray[np.uint8]) -> tuple[NDArray[Any], ...]:
        """uint8 (N, H, W, C) in; the network's outputs, in its order, with the batch axis."""
        outputs = self.model.predict_on_batch(batch)
        return tuple(np.asarray(output) for output in (outputs if isinstance(outputs, list | tuple) else (outputs,)))
