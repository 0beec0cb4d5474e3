"""What a training will take and see, before it starts: its memory, and a picture of its first batch."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ocrbatch.config.train import TrainSettings
from ocrbatch.data.labels import LineLabel
from ocrbatch.errors import OutputError
from ocrbatch.outputs.comparison import caption, stacked
from ocrbatch.training.samples import LineBatches, PageBatches

_SLOTS = {"adam": 2, "adamw": 2, "sgd": 1}
_MOST_SAMPLES = 32


def estimate_memory(network: Any, arrays: Mapping[str, NDArray[Any]], settings: TrainSettings) -> dict[str, int]:
    """Bytes that a training step holds: ``weights`` with gradients, optimizer state and average, and ``activations`` of
    all layers for a batch of ``arrays``, each once for the backward pass. What a framework adds is not in it."""
    import keras

    trainable = sum(math.prod(variable.shape) for variable in network.trainable_variables)
    everything = sum(math.prod(variable.shape) for variable in network.variables)
    copies = 1 + _SLOTS[settings.optimizer.name] + (settings.optimizer.ema is not None)
    size = 4 if settings.precision == "float32" else 2
    inputs = keras.tree.map_structure(
        lambda tensor: keras.Input(batch_shape=arrays[tensor.name].shape, name=tensor.name), network.input
    )
    elements = _elements(network, inputs)
    return {"weights": 4 * (everything + copies * trainable), "activations": size * elements}


def draw_batch(source: LineBatches | PageBatches, arrays: Mapping[str, NDArray[Any]], path: Path) -> None:
    """Writes the pictures of the first batch as augmentation left them, lines with their labels, crops of pages with
    their target maps beside them. Raises OutputError."""
    _, members = source.plan.batch(0)
    labels = [source.labels[member] for member in members]
    rows = [_row(number, label, arrays) for number, label in zip(range(_MOST_SAMPLES), labels, strict=False)]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        stacked(rows).save(path)
    except OSError as error:
        raise OutputError(f"Cannot write {path} ({error.strerror}): choose another --out.") from error


def _row(number: int, label: Any, arrays: Mapping[str, NDArray[Any]]) -> Image.Image:
    picture = arrays["image"][number]
    shown = Image.fromarray(np.repeat(picture, 3, axis=2) if picture.shape[2] == 1 else picture)
    if isinstance(label, LineLabel):
        return stacked([shown, caption(label.text)])
    maps = [found for name, array in arrays.items() if name != "image" for found in _maps(array[number])]
    return _beside([shown, *(Image.fromarray(found).convert("RGB").resize(shown.size) for found in maps)])


def _maps(target: NDArray[Any]) -> Iterable[NDArray[np.uint8]]:
    """Pictures of a target (H, W) or (H, W, K), each stretched from its least to its greatest value."""
    planes = target[..., None] if target.ndim == 2 else target
    if planes.ndim != 3:
        return
    for plane in np.moveaxis(planes.astype(np.float32), -1, 0):
        low, high = float(plane.min()), float(plane.max())
        yield (255 * (plane - low) / (high - low or 1)).astype(np.uint8)


def _beside(pictures: Sequence[Image.Image]) -> Image.Image:
    canvas = Image.new("RGB", (sum(p.width for p in pictures), max(p.height for p in pictures)), "white")
    left = 0
    for picture in pictures:
        canvas.paste(picture, (left, 0))
        left += picture.width
    return canvas


def _elements(network: Any, inputs: Any) -> int:
    """Numbers that come out of all layers of a functional network for symbolic inputs, those of nested ones too."""
    import keras

    total = 0

    def call(layer: Any, *args: Any, **options: Any) -> Any:
        nonlocal total
        outputs = layer(*args, **options)
        if isinstance(layer, keras.Model):
            total += _elements(layer, args[0])
        else:
            total += sum(math.prod(size or 1 for size in tensor.shape) for tensor in keras.tree.flatten(outputs))
        return outputs

    keras.models.clone_model(network, inputs, clone_function=lambda layer: layer, call_function=call)
    return total
