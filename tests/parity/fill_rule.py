"""Weights and inputs of the parity fixtures, from names and shapes alone.

A tensor's numbers come from the raw stream of PCG64, seeded with the CRC-32 of its name; the rules below turn them into
weights of a sensible size. The reference models were filled by the same rule before their outputs were saved.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_ALIAS = re.compile(r"(?P<cell>.*\.)(?P<kind>weight|bias)_(?P<gate>ih|hh)_l(?P<level>\d+)(?P<back>_reverse)?")

# Gain by the first pattern found in the name.
_GAINS = (
    (r"loc_net\.fc2\.weight$", 0.05),
    (r"grid_generator\.fc\.weight$", 0.01),
    (r"\.(expand|bottleneck)_conv\.conv\.weight$", 1.4),
    (r"\.linear_conv\.conv\.weight$", 0.9),
    (r"backbone\.bb_\d+_\d+\.conv1\._conv\.weight$", 0.9),
    (r"backbone\.bb_\d+_\d+\.conv2\._conv\.weight$", 1.2),
    (r"\.short\._conv\.weight$", 1.0),
    (r"neck\.(in|p)[2-5]_conv\.weight$", 1.1),
    (r"head\.fc\.weight$", 2.0),
    (r"head\.generator\.weight$", 3.0),
    (r"attention_cell\.score\.weight$", 4.0),
    (r"attention_cell\.rnn\.weight_ih$", 4.0),
    (r"attention_cell\.rnn\.weight_hh$", 1.5),
    (r"\.weight_ih$", 3.0),
    (r"\.weight_hh$", 1.0),
    (r"", 1.5),
)


def fill_state(path: Path) -> dict[str, NDArray[np.float32]]:
    """The arrays that ``state.json`` lists, checked against its checksums."""
    state = {}
    for entry in json.loads(path.read_text()):
        array = fill(entry["name"], tuple(entry["shape"]))
        assert checksum(array) == entry["crc32"], entry["name"]
        state[entry["name"]] = array
    return state


def fill(name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """One tensor of the reference's state."""
    name = _own_name(name)
    words = (_stream(name, int(np.prod(shape))) >> np.uint64(32)).astype(np.int64).reshape(shape)
    uniform = words.astype(np.float64) / 2.0**32
    spread = np.sqrt(3.0) * (2.0 * uniform - 1.0)
    leaf = name.rpartition(".")[2]
    if leaf == "_variance" or (leaf == "weight" and len(shape) == 1):
        values = 0.5 + uniform
    elif leaf in ("_mean", "bias"):
        values = _shift(name, 0.1 * spread)
    elif leaf in ("bias_ih", "bias_hh"):
        values = 0.2 * spread
    else:
        values = _kernel(name, leaf, words, spread)
    return values.astype(np.float32)


def make_input(tag: str, shape: Sequence[int]) -> NDArray[np.float32]:
    """The picture of one fixture, float32 (N, C, H, W) in -1..1."""
    values = _smooth_bytes(tag, *shape) if "_tps_" in tag else _coarse_bytes(tag, *shape)
    return ((values / 255.0 - 0.5) / 0.5).astype(np.float32)


def make_targets(tag: str, shape: Sequence[int], classes: int) -> NDArray[np.int64]:
    """Class ids that the attention decoder is taught with."""
    words = _stream(f"targets:{tag}", int(np.prod(shape))) >> np.uint64(32)
    return (words % np.uint64(classes)).astype(np.int64).reshape(shape)


def checksum(array: NDArray[Any]) -> int:
    """CRC-32 of the little-endian float32 bytes."""
    return zlib.crc32(np.ascontiguousarray(array, dtype="<f4").tobytes())


def _stream(text: str, count: int) -> NDArray[np.uint64]:
    return np.random.PCG64(zlib.crc32(text.encode())).random_raw(count)


def _own_name(name: str) -> str:
    """Recurrent tensors are listed twice: the name at the cell stands for both."""
    found = _ALIAS.fullmatch(name)
    if not found:
        return name
    cell = "cell_bw" if found["back"] else "cell_fw"
    return f"{found['cell']}{found['level']}.{cell}.{found['kind']}_{found['gate']}"


def _shift(name: str, values: Floats) -> Floats:
    if name.endswith("loc_net.fc2.bias"):
        return _fiducials(len(values) // 2) + 0.3 * values
    return 1.5 + values if name.endswith("mid_se.conv2.bias") else values


def _kernel(name: str, leaf: str, words: NDArray[np.int64], spread: Floats) -> Floats:
    gain = next(number for pattern, number in _GAINS if re.search(pattern, name))
    shape = words.shape
    if leaf == "weight_hh":
        return gain * spread / np.sqrt(float(shape[1]))
    if leaf == "weight_ih":
        features = 2 * (shape[0] // 3) if name.endswith("attention_cell.rnn.weight_ih") else shape[1]
        values = gain * _centred(words, (1,)) / np.sqrt(float(features))
        values[:, features:] = 1.5 * spread[:, features:]
        return values
    if len(shape) == 2:
        return gain * _centred(words, (0,)) / np.sqrt(float(shape[0]))
    taps = shape[2] * shape[3]
    if name.endswith(".deconv.weight") or re.search(r"(binarize|thresh)\.conv[23]\.weight$", name):
        return gain * _centred(words, (0,)) / np.sqrt(shape[0] * taps / 4.0)
    if shape[1] == 1:
        return gain * spread / np.sqrt(float(taps))
    return gain * _centred(words, (1, 2, 3)) / np.sqrt(float(shape[1] * taps))


def _centred(words: NDArray[np.int64], axes: tuple[int, ...]) -> Floats:
    """Like the spread numbers, but summing to zero over the fan-in."""
    count = np.prod([words.shape[axis] for axis in axes])
    mean = words.sum(axis=axes, keepdims=True).astype(np.float64) / float(count)
    return np.sqrt(12.0) * ((words.astype(np.float64) - mean) / 2.0**32)


def _fiducials(count: int) -> Floats:
    """Resting control points of the rectifier, x and y in turn: y falls from 0 to -1, then from 1 to 0."""
    t = np.arange(count // 2, dtype=np.float64) / (count // 2 - 1)
    upper, lower = np.stack([2.0 * t - 1.0, -t], axis=1), np.stack([2.0 * t - 1.0, 1.0 - t], axis=1)
    return np.concatenate([upper, lower]).reshape(-1)


def _bytes(words: NDArray[np.uint64]) -> Floats:
    return (words >> np.uint64(56)).astype(np.float64)


def _coarse_bytes(tag: str, n: int, c: int, h: int, w: int) -> Floats:
    rows, columns = -(-h // 4), -(-w // 4)
    count = n * c * rows * columns
    words = _bytes(_stream(f"input:{tag}", count + n * c * h * w))
    coarse = words[:count].reshape(n, c, rows, columns).repeat(4, axis=2).repeat(4, axis=3)
    return (3.0 * coarse[:, :, :h, :w] + words[count:].reshape(n, c, h, w)) / 4.0


def _smooth_bytes(tag: str, n: int, c: int, h: int, w: int) -> Floats:
    """Bytes every 8 pixels, linear in between: the sampling grid's rounding must not meet sharp pixels."""
    rows, columns = -(-h // 8) + 1, -(-w // 8) + 1
    knots = _bytes(_stream(f"input:{tag}", n * c * rows * columns)).reshape(n, c, rows, columns)
    y, x = np.arange(h), np.arange(w)
    down, along = ((y % 8) / 8.0)[:, None], (x % 8) / 8.0
    lines = knots[:, :, y // 8] * (1.0 - down) + knots[:, :, y // 8 + 1] * down
    return lines[:, :, :, x // 8] * (1.0 - along) + lines[:, :, :, x // 8 + 1] * along
