"""Executes an exported graph with ONNX Runtime."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from ocrbatch.contracts import Graph
from ocrbatch.engines.config import OnnxRuntimeConfig
from ocrbatch.errors import BundleError, ConfigError

_LEVELS = {
    "none": ort.GraphOptimizationLevel.ORT_DISABLE_ALL,
    "basic": ort.GraphOptimizationLevel.ORT_ENABLE_BASIC,
    "extended": ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
    "all": ort.GraphOptimizationLevel.ORT_ENABLE_ALL,
}
_ERRORS_ONLY = 3


@dataclass(frozen=True, slots=True)
class OnnxRuntimeEngine:
    """Opens sessions; a session belongs to one process and keeps ``threads`` threads."""

    config: OnnxRuntimeConfig

    def open(self, graph: Graph, threads: int) -> OnnxRuntimeSession:
        """Raises BundleError for a file that ONNX Runtime cannot load, ConfigError for an unknown provider."""
        missing = [name for name in self.config.providers if name not in ort.get_available_providers()]
        if missing:
            offered = ", ".join(ort.get_available_providers())
            raise ConfigError(f"ONNX Runtime has no execution provider {missing[0]!r} here: it offers {offered}.")
        content = graph.onnx()
        try:
            session = ort.InferenceSession(content, self._options(threads), providers=list(self.config.providers))
        except Exception as error:  # onnxruntime raises classes of its own, without a common base
            raise BundleError(f"ONNX Runtime cannot load the exported graph: {error}") from error
        return OnnxRuntimeSession(session, session.get_inputs()[0].name)

    def _options(self, threads: int) -> ort.SessionOptions:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        options.graph_optimization_level = _LEVELS[self.config.optimization]
        options.enable_cpu_mem_arena = self.config.arena
        options.enable_mem_pattern = self.config.memory_pattern
        options.log_severity_level = _ERRORS_ONLY
        return options


@dataclass(frozen=True, slots=True)
class OnnxRuntimeSession:
    """A loaded graph."""

    session: Any
    input_name: str

    def __call__(self, batch: NDArray[np.uint8]) -> tuple[NDArray[Any], ...]:
        """uint8 (N, H, W, C) in; the graph's outputs, in its order, with the batch axis."""
        return tuple(self.session.run(None, {self.input_name: batch}))
