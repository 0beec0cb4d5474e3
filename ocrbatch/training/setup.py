"""From a recipe to the parts of a training."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from ocrbatch.bundles.network import algorithm_config, build_networks, codec_for, normalized, training_for
from ocrbatch.charset import Charset
from ocrbatch.config.schema import RecognizerInput
from ocrbatch.config.train import TrainConfig
from ocrbatch.contracts import Networks
from ocrbatch.data.augment import build_augmentation
from ocrbatch.data.check import LineRules, Problem, line_problem, page_problem
from ocrbatch.data.labels import LineLabel
from ocrbatch.data.sampling import BatchPlan
from ocrbatch.errors import ConfigError
from ocrbatch.plugin_system.host import Host
from ocrbatch.training import datasets
from ocrbatch.training.checks import without_bad
from ocrbatch.training.cropping import Cropper
from ocrbatch.training.devices import Devices, find_devices
from ocrbatch.training.evaluation import evaluate_lines, evaluate_pages
from ocrbatch.training.samples import LineBatches, PageBatches, line_size, width_bucket

Evaluate = Callable[[], Mapping[str, float]]
Clean = Callable[[datasets.Samples[Any], Callable[[Any], Problem | None]], datasets.Samples[Any]]


@dataclass(frozen=True, eq=False)
class Setup:
    """The parts of a training: batches by step, networks, loss, and an evaluation of the network as it is. ``counts``
    are the labels that each training set holds."""

    config: TrainConfig
    algorithm: Any
    networks: Networks
    training: Any
    source: LineBatches | PageBatches
    batches_per_epoch: int
    n_train: int
    n_val: int
    evaluate: Evaluate
    devices: Devices
    counts: tuple[int, ...]


def set_up(config: TrainConfig, host: Host, skip_list: Path | None = None, *, known: bool = False) -> Setup:
    """Builds the networks, reads and checks the labels, and the pictures too unless all of them are ``known`` to be
    good. Raises an OcrbatchError for anything that a user can mend."""
    import keras

    devices = find_devices(config.train.devices)
    _check_sharing(config, devices)
    keras.utils.set_random_seed(config.train.seed)
    keras.config.set_dtype_policy(config.train.precision)
    clean = partial(without_bad, skip_list=skip_list, pictures=config.data.check_pictures and not known)
    return (_set_up_lines if config.model.task == "rec" else _set_up_pages)(config, host, clean, devices)


def _check_sharing(config: TrainConfig, devices: Devices) -> None:
    if config.train.batch_size % devices.count:
        raise ConfigError(
            f"train.batch_size {config.train.batch_size} cannot be shared equally by {devices.count} devices: make it "
            "a multiple of that, or set train.devices."
        )
    if devices.count > 1 and config.train.precision == "mixed_float16":
        # Keras looks for overflow in the first device's gradients alone.
        raise ConfigError("train.precision mixed_float16 is for one device: take mixed_bfloat16 for several.")


def _set_up_lines(config: TrainConfig, host: Host, clean: Clean, devices: Devices) -> Setup:
    algorithm, training = algorithm_config(config.model, host), training_for(config.model, host)
    steps = build_augmentation("rec", config.augment)
    samples = datasets.load_line_samples(config.data)
    with devices.scope():
        networks = build_networks(config.model, host)
    rules = LineRules(
        Charset(config.model.charset or ""),
        algorithm.max_length,
        training.steps_needed,
        _steps_there(networks.inference, algorithm.input),
    )
    samples = clean(samples, line_problem(rules))
    buckets = np.array([width_bucket(line_size(label), algorithm.input) for label in samples.train])
    sizes = _batch_sizes(config, algorithm.input, devices.count)
    plan = BatchPlan(buckets, samples.weights, sizes, config.train.seed)
    evaluate = partial(evaluate_lines, normalized(networks.inference, algorithm.input), codec_for(config.model, host))
    return Setup(
        config,
        algorithm,
        networks,
        training,
        LineBatches(samples.train, plan, algorithm.input, training, steps),
        plan.batches_per_epoch,
        len(samples.train),
        len(samples.val),
        _evaluation(evaluate, samples, config.train.eval_samples),
        devices,
        samples.counts,
    )


def _set_up_pages(config: TrainConfig, host: Host, clean: Clean, devices: Devices) -> Setup:
    algorithm, training = algorithm_config(config.model, host), training_for(config.model, host)
    steps = build_augmentation("det", config.augment)
    samples = clean(datasets.load_page_samples(config.data), page_problem)
    with devices.scope():
        networks = build_networks(config.model, host)
    plan = BatchPlan(
        np.zeros(len(samples.train), np.int64), samples.weights, {0: config.train.batch_size}, config.train.seed
    )
    evaluate = partial(evaluate_pages, normalized(networks.inference, algorithm.input), codec_for(config.model, host))
    cropper = Cropper(config.train.crop_size, config.train.scale)
    return Setup(
        config,
        algorithm,
        networks,
        training,
        PageBatches(samples.train, plan, algorithm.input, training, cropper, steps),
        plan.batches_per_epoch,
        len(samples.train),
        len(samples.val),
        _evaluation(evaluate, samples, config.train.eval_samples),
        devices,
        samples.counts,
    )


def _evaluation(
    figures: Callable[[Sequence[Any]], Mapping[str, float]], samples: datasets.Samples[Any], most: int
) -> Evaluate:
    """Figures of the validation set and, as ``keep_*``, of the set that must not be forgotten; of at most so many
    samples each, spread over the set."""
    val, keep = _spread(samples.val, most), _spread(samples.keep, most)

    def evaluate() -> dict[str, float]:
        kept = figures(keep) if keep else {}
        return {**figures(val), **{f"keep_{name}": value for name, value in kept.items()}}

    return evaluate


def _spread(labels: Sequence[Any], most: int) -> list[Any]:
    if len(labels) <= most:
        return list(labels)
    return [labels[len(labels) * place // most] for place in range(most)]


def _steps_there(network: Any, input: RecognizerInput) -> Callable[[LineLabel], int]:
    """Function from a line to the number of output steps that its width gives."""

    @lru_cache
    def of_bucket(bucket: int) -> int:
        shape = (1, input.height, input.widths[bucket], input.channels)
        found = network.compute_output_shape(shape)
        return int((found[0] if isinstance(found, list) else found)[1])

    return lambda label: of_bucket(width_bucket(line_size(label), input))


def _batch_sizes(config: TrainConfig, input: RecognizerInput, devices: int) -> dict[int, int]:
    """Batch size of each bucket, a multiple of the number of devices: the same for all, or with ``batch_width`` about
    the same number of pixels."""
    share, reference = config.train.batch_size // devices, config.train.batch_width
    return {
        bucket: devices * (share if reference is None else max(1, round(share * reference / max(width, reference / 2))))
        for bucket, width in enumerate(input.widths)
    }
