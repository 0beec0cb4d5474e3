"""Options of the engines."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ocrbatch.config.schema import PluginConfig


class OnnxRuntimeConfig(PluginConfig):
    """How ONNX Runtime executes a graph."""

    providers: tuple[str, ...] = Field(
        ("CPUExecutionProvider",), min_length=1, description="Execution providers, the preferred one first."
    )
    optimization: Literal["none", "basic", "extended", "all"] = Field(
        "all", description="How far the graph is rewritten when it is loaded."
    )
    arena: bool = Field(True, description="Keep freed memory for the next batch instead of returning it.")
    memory_pattern: bool = Field(
        False, description="Plan memory once for each input shape: costs memory for each shape that is ever seen."
    )


class KerasConfig(PluginConfig):
    """The Keras engine has no options; the backend is chosen by the environment variable KERAS_BACKEND."""
