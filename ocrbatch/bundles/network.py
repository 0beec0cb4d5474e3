"""From a model's description to its networks, codec and training. Keras is imported only when a network is built."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ocrbatch.api import DetectorPlugin, RecognizerPlugin
from ocrbatch.charset import Charset
from ocrbatch.config.schema import CtcConfig, ImageInput, ModelSpec, PluginChoice, PluginConfig
from ocrbatch.config.values import merge
from ocrbatch.contracts import Networks
from ocrbatch.errors import PluginError
from ocrbatch.plugin_system.host import Host


def algorithm(spec: ModelSpec, host: Host) -> DetectorPlugin | RecognizerPlugin:
    """The descriptor of the detector or recognizer. Raises PluginError."""
    return (host.detector if spec.task == "det" else host.recognizer)(spec.algorithm.name)


def algorithm_config(spec: ModelSpec, host: Host) -> Any:
    """The algorithm's validated options (a DetectorConfig or RecognizerConfig). Raises ConfigError, PluginError."""
    return host.config(algorithm(spec, host), spec.algorithm.options)


def backbone_config(spec: ModelSpec, host: Host) -> PluginConfig:
    """The backbone's validated options. Raises ConfigError, PluginError."""
    return host.config(host.backbone(spec.backbone.name), spec.backbone.options)


def resolved(spec: ModelSpec, host: Host) -> ModelSpec:
    """``spec`` with every default of its plugins written out, so that a later default cannot change its meaning."""
    return spec.model_copy(
        update={
            "algorithm": _choice(spec.algorithm.name, algorithm_config(spec, host)),
            "backbone": _choice(spec.backbone.name, backbone_config(spec, host)),
        }
    )


def with_options(spec: ModelSpec, options: Mapping[str, Any]) -> ModelSpec:
    """``spec`` with ``options`` laid over its algorithm's own; they are not checked."""
    chosen = spec.algorithm
    return spec.model_copy(update={"algorithm": PluginChoice(name=chosen.name, **merge(chosen.options, options))})


def lexicon(spec: ModelSpec, host: Host) -> str | None:
    """Name or path of the words that a recognizer favours, if it does. Raises ConfigError, PluginError."""
    config = algorithm_config(spec, host)
    return (config.lexicon or None) if isinstance(config, CtcConfig) else None


def build_networks(spec: ModelSpec, host: Host) -> Networks:
    """The training and the inference network, with fresh weights. Raises ConfigError, PluginError."""
    plugin, config = algorithm(spec, host), algorithm_config(spec, host)
    build = host.resolve(plugin.model)
    backbone = _backbone(spec, host, config.input.channels)
    return build(config, backbone) if spec.charset is None else build(config, backbone, len(spec.charset))


def codec_for(spec: ModelSpec, host: Host) -> Any:
    """The DetectorCodec or RecognizerCodec; imports no keras. Raises ConfigError, PluginError."""
    return _made(algorithm(spec, host).codec, spec, host)


def training_for(spec: ModelSpec, host: Host) -> Any:
    """The DetectorTraining or RecognizerTraining. Raises ConfigError, PluginError."""
    return _made(algorithm(spec, host).training, spec, host)


def normalized(model: Any, image: ImageInput) -> Any:
    """``model`` with its normalisation inside: uint8 (N, H, W, C) in, the model's outputs out.

    (x / 255 - mean) / std is one multiplication and one addition: x * scale + shift.
    """
    import keras

    mean, std = np.asarray(image.mean, np.float64), np.asarray(image.std, np.float64)
    scale, shift = _per_channel(1 / (255 * std)), _per_channel(-mean / std)
    pixels = keras.Input(model.inputs[0].shape[1:], dtype="uint8", name="image")
    outputs = model(keras.ops.cast(pixels, "float32") * scale + shift)
    return keras.Model(pixels, outputs, name="normalized")


def _per_channel(values: NDArray[np.float64]) -> NDArray[np.float32]:
    """Values of the channels, (1, 1, 1, C), or their common value, (1, 1, 1, 1): arithmetic with one number, and with
    all axes spelt out, is many times faster in ONNX Runtime."""
    common = values[:1] if np.all(values == values[0]) else values
    return common.astype(np.float32).reshape(1, 1, 1, -1)


def _backbone(spec: ModelSpec, host: Host, channels: int) -> Any:
    plugin = host.backbone(spec.backbone.name)
    if spec.task not in plugin.tasks:
        raise PluginError(
            f"The backbone {plugin.name!r} does not serve {spec.task!r}: it is made for {', '.join(plugin.tasks)}."
        )
    return host.resolve(plugin.model)(backbone_config(spec, host), task=spec.task, channels=channels)


def _made(target: str, spec: ModelSpec, host: Host) -> Any:
    build, config = host.resolve(target), algorithm_config(spec, host)
    return build(config) if spec.charset is None else build(config, Charset(spec.charset))


def _choice(name: str, config: PluginConfig) -> PluginChoice:
    return PluginChoice(name=name, **config.model_dump(mode="json"))
