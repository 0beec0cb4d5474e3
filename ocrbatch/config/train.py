"""Schema of a training recipe."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from ocrbatch.config.schema import ModelSpec, PluginChoice, PluginConfig

Factor = Annotated[float, Field(ge=0.01, le=100)]
Range = tuple[Factor, Factor]


class Dataset(PluginConfig):
    """A labelled folder (or its label file); ``weight`` is how often an epoch shows each of its samples."""

    path: str = Field(min_length=1, description="Data set in any format that `ocrbatch data` reads.")
    weight: float = Field(1.0, gt=0, le=1000, description="Times that one epoch shows each sample; may be a fraction.")


class DataConfig(PluginConfig):
    """Where samples come from. ``val`` may stay empty: then a twentieth of the training samples is held out."""

    train: tuple[Dataset, ...] = Field(min_length=1, description="Training sets.")
    val: tuple[Dataset, ...] = Field((), description="Sets that training never sees and evaluation measures on.")
    keep: tuple[Dataset, ...] = Field(
        (), description="Sets that fine-tuning must not forget: evaluated too, as keep_*, but they choose nothing."
    )
    check_pictures: bool = Field(
        True, description="Read every picture before the start: damaged ones, repeated ones, ones in train and val."
    )
    workers: int = Field(
        1, ge=0, le=256, description="Processes that prepare batches; 0 prepares them in the main one."
    )
    look_ahead: int = Field(4, ge=1, le=64, description="Batches that each of them prepares ahead.")

    @field_validator("train", "val", "keep", mode="before")
    @classmethod
    def _plain_paths(cls, value: Any) -> Any:
        """A path alone, or a list with paths, stands for data sets of weight 1."""
        if not isinstance(value, str | dict | list | tuple):
            return value
        items = [value] if isinstance(value, str | dict) else value
        return tuple({"path": item} if isinstance(item, str) else item for item in items)


class Schedule(PluginConfig):
    """Learning rate over the steps, after a linear warm-up."""

    kind: Literal["cosine", "piecewise", "constant"] = Field("cosine", description="Shape after the warm-up.")
    warmup_steps: int = Field(500, ge=0, description="Steps over which the rate climbs from 0.")
    final_ratio: float = Field(0.01, ge=0, le=1, description="cosine: last rate over the first.")
    milestones: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = Field(
        (0.6, 0.85), description="piecewise: fractions of all steps after which the rate is divided by ten."
    )


class OptimizerConfig(PluginConfig):
    """How weights are updated."""

    name: Literal["adam", "adamw", "sgd"] = Field("adam", description="sgd has a Nesterov momentum of 0.9.")
    learning_rate: float = Field(1e-3, gt=0, le=10, description="Highest learning rate.")
    backbone_rate: float = Field(
        1.0, gt=0, le=1, description="Learning rate of the backbone over that of the rest; fine-tuning likes 0.1."
    )
    weight_decay: float = Field(0.0, ge=0, le=1, description="Decoupled decay; biases and normalisation are spared.")
    clip_norm: float | None = Field(5.0, gt=0, description="Limit of the global gradient norm.")
    ema: float | None = Field(
        None, gt=0, lt=1, description="Momentum of the averaged weights that are evaluated and kept."
    )
    schedule: Schedule = Schedule()


class TrainSettings(PluginConfig):
    """Steps, batches and how often things happen."""

    steps: int = Field(20_000, ge=1, description="Optimizer steps in all.")
    batch_size: int = Field(16, ge=1, le=4096, description="Pictures a step.")
    batch_width: int | None = Field(
        None, ge=8, description="rec: batch_size counts lines of this width; wider ones come in smaller batches."
    )
    crop_size: int = Field(640, ge=32, le=4096, description="det: side in pixels of the training crops.")
    scale: Range = Field(
        (0.6, 1.6), description="det: pages are scaled by a factor drawn from this range before cropping."
    )
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] = Field(
        "float32", description="Keras dtype policy."
    )
    devices: Annotated[int, Field(ge=1, le=64)] | Literal["all"] = Field(
        1, description="Devices of this machine that share every batch, or all; TensorFlow only."
    )
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Seed of weights, order and augmentation.")
    log_every: int = Field(20, ge=1, description="Steps between lines of the log.")
    save_every: int = Field(500, ge=1, description="Steps between checkpoints.")
    eval_every: int = Field(1000, ge=1, description="Steps between evaluations.")
    eval_samples: int = Field(1000, ge=1, description="Most samples that an evaluation looks at.")
    patience: int | None = Field(
        None, ge=1, description="Stop after this many evaluations without a better score; left out: never."
    )
    tensorboard: bool = Field(False, description="Write events for TensorBoard too; needs ocrbatch[tensorboard].")
    freeze: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        (), description="Parts of the network that stay as they are, such as backbone or backbone.stage0."
    )
    optimizer: OptimizerConfig = OptimizerConfig()

    @field_validator("scale")
    @classmethod
    def _scale_ascends(cls, scale: Range) -> Range:
        if scale[0] > scale[1]:
            raise ValueError("must ascend")
        return scale


class BackboneStart(PluginConfig):
    """What the backbone starts from (which backbone it is, `model.backbone` says)."""

    weights: str | None = Field(
        None, min_length=1, description="Bundle, det or rec, whose backbone's weights to start from; they must fit."
    )


class TrainConfig(PluginConfig):
    """A whole recipe, resolved: what `config.yml` of a run holds."""

    model: ModelSpec
    backbone: BackboneStart = BackboneStart()
    data: DataConfig
    train: TrainSettings = TrainSettings()
    augment: tuple[PluginChoice, ...] | None = Field(
        None, description="Augmentation steps in order, by name with options; left out: the task's usual ones."
    )
