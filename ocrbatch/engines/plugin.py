"""The engines that come with ocrbatch."""

from __future__ import annotations

from ocrbatch.api import EnginePlugin, hookimpl


@hookimpl
def ocrbatch_engines() -> tuple[EnginePlugin, ...]:
    """ONNX Runtime (the default) and Keras."""
    return (
        EnginePlugin(
            name="onnxruntime",
            summary="ONNX Runtime: the fastest on a CPU, and the default",
            config="ocrbatch.engines.config:OnnxRuntimeConfig",
            factory="ocrbatch.engines.onnxruntime:OnnxRuntimeEngine",
            api=1,
        ),
        EnginePlugin(
            name="keras",
            summary="Keras: the network as it was trained, on any Keras backend",
            config="ocrbatch.engines.config:KerasConfig",
            factory="ocrbatch.engines.keras:KerasEngine",
            api=1,
        ),
    )
