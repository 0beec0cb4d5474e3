"""Evaluation during training, with the code that running uses: the codec around the inference network."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from ocrbatch.contracts import DetectorCodec, RecognizerCodec
from ocrbatch.data.labels import LineLabel, PageLabel
from ocrbatch.data.pictures import read_picture
from ocrbatch.metrics.detection import DetectionMetric
from ocrbatch.metrics.recognition import RecognitionMetric

_LINES_AT_ONCE = 32


def evaluate_lines(network: Any, codec: RecognizerCodec, labels: Sequence[LineLabel]) -> dict[str, float]:
    """Recognition figures of a network that takes uint8; ``score`` is the one to be best at: 1 - CER."""
    groups: dict[int, list[tuple[np.ndarray, float, str]]] = defaultdict(list)
    for label in labels:
        array, used = codec.encode(read_picture(label.image))
        groups[array.shape[1]].append((array, used, label.text))
    metric = RecognitionMetric()
    for group in groups.values():
        for start in range(0, len(group), _LINES_AT_ONCE):
            arrays, used, texts = zip(*group[start : start + _LINES_AT_ONCE], strict=True)
            for text, reading in zip(texts, codec.decode(_predict(network, np.stack(arrays)), used), strict=True):
                metric.update(text, reading.text)
    result = metric.result()
    return {"score": 1 - result["cer"], **result}


def evaluate_pages(network: Any, codec: DetectorCodec, labels: Sequence[PageLabel]) -> dict[str, float]:
    """Detection figures of a network that takes uint8; ``score`` is the one to be best at: the harmonic mean."""
    metric = DetectionMetric()
    for label in labels:
        array, fit = codec.encode(read_picture(label.image))
        outputs = [output[0] for output in _predict(network, array[None])]
        found = [detection.points for detection in codec.decode(outputs, fit)]
        metric.update([r.points for r in label.regions], [r.ignore for r in label.regions], found)
    result = metric.result()
    return {"score": result["hmean"], **result}


def _predict(network: Any, batch: np.ndarray) -> list[np.ndarray]:
    outputs = network.predict_on_batch(batch)
    return list(outputs) if isinstance(outputs, list | tuple) else [outputs]
