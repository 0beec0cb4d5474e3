"""From a training run to a bundle: exported, tried on real pictures, written in one atomic step."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from ocrbatch import __version__
from ocrbatch.bundles import network
from ocrbatch.bundles.archive import refuse_existing
from ocrbatch.bundles.format import GRAPH, LEXICON, WEIGHTS, Agreement, BundleInfo
from ocrbatch.bundles.onnx_graph import graph_from_keras, halved, native_output_hidden, output_names
from ocrbatch.bundles.onnx_int8 import quantized
from ocrbatch.bundles.onnx_int8_first import COLUMNS
from ocrbatch.bundles.run_folder import Weights, read_metrics, read_provenance, read_recipe, read_weights
from ocrbatch.bundles.samples import folder_pictures, run_pictures
from ocrbatch.bundles.store import load_weights, open_bundle, stamp_plugins, write_bundle
from ocrbatch.config.schema import DetectorInput, ImageInput, ModelSpec, RecognizerInput
from ocrbatch.contracts import Networks
from ocrbatch.errors import BundleError
from ocrbatch.lexicon import SHIPPED, lexicon_bytes
from ocrbatch.plugin_system.host import DISABLE_VARIABLE, Host
from ocrbatch.types import Image

TOLERANCE, HALF_TOLERANCE, INT8_TOLERANCE = 1e-3, 5e-2, 0.1
SAMPLES, INT8_SAMPLES = 16, 64


def export_run(
    run: Path,
    out: Path,
    host: Host,
    *,
    samples: Path | None = None,
    count: int | None = None,
    tolerance: float | None = None,
    half: bool = False,
    int8: bool = False,
    licence: str | None = None,
    which: Weights = "best",
    overwrite: bool = False,
) -> BundleInfo:
    """Exports weights of a training run, those that scored best or the ``last`` ones, as the bundle ``out`` (a zip file
    if it ends in .ocrb, else a folder).

    ``count`` pictures of ``samples``, or of the data that the run was evaluated on, go through both the network and the
    exported graph; of more than INT8_SAMPLES only some, though all of them give ``int8`` its ranges. Raises BundleError
    when their outputs differ by more than ``tolerance``, relative for values above 1 (default: TOLERANCE, or what
    ``half`` and ``int8`` need, see :func:`write_model`); InputError when the run or the pictures cannot be read;
    OutputError when ``out`` exists or cannot be written.
    ``licence`` is what the bundle says of its weights. Conversion needs TensorFlow; under another Keras backend it
    happens in a process of its own.
    """
    refuse_existing(out, overwrite=overwrite)
    config = read_recipe(run)
    weights = read_weights(run, which, config)
    metrics, origin = read_metrics(run, which), read_provenance(run)
    count = count or (INT8_SAMPLES if int8 else SAMPLES)
    with native_output_hidden():
        import keras
    if keras.backend.backend() != "tensorflow":
        return _export_elsewhere(run, out, host, samples, count, tolerance, half, int8, licence, which, overwrite)
    pictures = run_pictures(config, count) if samples is None else folder_pictures(samples, count)
    with float32_policy():
        networks = network.build_networks(config.model, host)
        load_weights(networks.training, weights, str(run / f"{which}.weights.h5"))
        return write_model(
            networks,
            config.model,
            host,
            out,
            pictures,
            weights=weights,
            tolerance=tolerance,
            half=half,
            int8=int8,
            metrics=metrics,
            provenance=origin,
            licence=licence,
            overwrite=overwrite,
        )


def write_model(
    networks: Networks,
    spec: ModelSpec,
    host: Host,
    out: Path,
    pictures: Sequence[Image],
    *,
    weights: bytes,
    tolerance: float | None = None,
    half: bool = False,
    int8: bool = False,
    metrics: Mapping[str, Any] = MappingProxyType({}),
    provenance: Mapping[str, Any] = MappingProxyType({}),
    licence: str | None = None,
    overwrite: bool = False,
) -> BundleInfo:
    """Exports networks that hold their trained weights, tries the graph on ``pictures``, and writes the bundle.

    ``weights`` is what Keras saves of the training network (.weights.h5). With ``half`` the graph stores its weights as
    float16 and still computes in float32; with ``int8`` its convolutions compute in 8 bits, by the ranges that values
    have on ``pictures``. The conversion is then tried before the rounding too, which must not hide its faults. A
    lexicon in a file goes into the bundle. Raises BundleError, ConfigError, OutputError.
    """
    words = _own_words(spec, host)
    model = network.normalized(networks.inference, network.algorithm_config(spec, host).input)
    graph = graph_from_keras(model)
    compared = pictures[:: -(-len(pictures) // INT8_SAMPLES)]  # hundreds are for the ranges of int8 alone
    if half or int8:
        _agreement(model, graph, spec, host, compared, TOLERANCE, difference)
    if int8:
        aligned = _aligned(network.algorithm_config(spec, host).input)
        graph = quantized(graph, _encoded(spec, host, pictures), aligned=aligned)
    graph = halved(graph) if half else graph
    usual = INT8_TOLERANCE if int8 else HALF_TOLERANCE if half else TOLERANCE
    agreement = _agreement(model, graph, spec, host, compared, tolerance or usual, share if int8 else difference)
    spec = network.with_options(network.resolved(spec, host), {"lexicon": LEXICON} if words else {})
    stamps = stamp_plugins(spec, host)
    info = BundleInfo(
        name=out.stem,
        spec=spec,
        algorithm=stamps["algorithm"],
        backbone=stamps["backbone"],
        outputs=output_names(graph),
        parameters=networks.inference.count_params(),
        metrics=dict(metrics),
        agreement=agreement,
        provenance=dict(provenance),
        licence=licence,
        created=datetime.now(UTC),
        ocrbatch=__version__,
        files={},
    )
    return write_bundle(out, info, {GRAPH: graph, WEIGHTS: weights, **words}, overwrite=overwrite)


def difference(one: Sequence[NDArray[Any]], other: Sequence[NDArray[Any]]) -> float:
    """Largest |a - b| / max(1, |a|) over pairs of arrays; infinite when shapes differ or a value is not finite."""
    if [a.shape for a in one] != [b.shape for b in other]:
        return float("inf")
    largest = 0.0
    for a, b in zip(one, other, strict=True):
        gap = np.abs(a.astype(np.float64) - b) / np.maximum(1, np.abs(a))
        largest = max(largest, float(gap.max(initial=0))) if np.isfinite(gap).all() else float("inf")
    return largest


def share(one: Sequence[NDArray[Any]], other: Sequence[NDArray[Any]]) -> float:
    """sum |a - b| / sum |a| over pairs of arrays, infinite as above: rounding to 8 bits decides anew where a network
    was in doubt, so that single values may differ by all that they can."""
    if not np.isfinite(difference(one, other)):
        return float("inf")
    gap = sum(float(np.abs(a.astype(np.float64) - b).sum()) for a, b in zip(one, other, strict=True))
    return gap / max(1.0, sum(float(np.abs(a.astype(np.float64)).sum()) for a in one))


def _own_words(spec: ModelSpec, host: Host) -> dict[str, bytes]:
    """The file of words that a bundle must hold, for only the lexicons of ocrbatch are everywhere."""
    lexicon = network.lexicon(spec, host)
    return {} if lexicon is None or lexicon in SHIPPED else {LEXICON: lexicon_bytes(lexicon)}


def _aligned(input: ImageInput) -> bool:
    """Whether all pictures for a network have even heights and widths that are multiples of COLUMNS."""
    if isinstance(input, RecognizerInput):
        return input.height % 2 == 0 and all(width % COLUMNS == 0 for width in input.widths)
    return isinstance(input, DetectorInput) and input.divisor % COLUMNS == 0


@contextmanager
def float32_policy() -> Iterator[None]:
    """Networks built inside compute in float32, whatever they were trained in."""
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _agreement(
    model: Any,
    graph: bytes,
    spec: ModelSpec,
    host: Host,
    pictures: Sequence[Image],
    tolerance: float,
    compare: Callable[[Sequence[NDArray[Any]], Sequence[NDArray[Any]]], float],
) -> Agreement:
    session = ort.InferenceSession(graph, providers=["CPUExecutionProvider"])
    arrays = _encoded(spec, host, pictures)
    largest = max(compare(_outputs(model, array), session.run(None, {"image": array})) for array in arrays)
    if largest > tolerance:
        raise BundleError(
            f"The exported graph is not the network: over {len(arrays)} pictures their outputs differ by up to "
            f"{largest:.2g}, more than the tolerance of {tolerance:g}. Nothing was written."
        )
    return Agreement(samples=len(arrays), difference=largest, tolerance=tolerance)


def _encoded(spec: ModelSpec, host: Host, pictures: Sequence[Image]) -> list[NDArray[np.uint8]]:
    """Pictures as the network takes them, each a batch of one."""
    codec = network.codec_for(spec, host)
    return [codec.encode(picture)[0][None] for picture in pictures]


def _outputs(model: Any, batch: NDArray[np.uint8]) -> list[NDArray[Any]]:
    from keras import ops

    outputs = model(batch, training=False)
    return [ops.convert_to_numpy(o) for o in (outputs if isinstance(outputs, list | tuple) else (outputs,))]


def _export_elsewhere(
    run: Path,
    out: Path,
    host: Host,
    samples: Path | None,
    count: int,
    tolerance: float | None,
    half: bool,
    int8: bool,
    licence: str | None,
    which: Weights,
    overwrite: bool,
) -> BundleInfo:
    """The same export by a process of its own, which runs TensorFlow."""
    command = [sys.executable, "-m", "ocrbatch", "export", str(run), "--out", str(out)]
    command += ["--count", str(count), *(["--half"] if half else []), *(["--overwrite"] if overwrite else [])]
    command += ["--weights", which, *(["--quantize", "int8"] if int8 else [])]
    command += ["--licence", licence] if licence is not None else []
    command += ["--tolerance", str(tolerance)] if tolerance is not None else []
    command += ["--samples", str(samples)] if samples is not None else []
    blocked = ",".join(row.entry_point for row in host.rows if row.status == "blocked")
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow", DISABLE_VARIABLE: blocked}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["the process ended without a word"])[-1]
        raise BundleError(f"Exporting with TensorFlow failed: {reason.removeprefix('Error: ')}")
    return open_bundle(out, host).info
