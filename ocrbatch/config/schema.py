"""Schemas that plugins and recipes share. A schema is the only source of defaults; unknown keys are refused."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class PluginConfig(BaseModel):
    """Base of every schema: frozen, and strict about unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, protected_namespaces=())


Task = Literal["det", "rec"]
Color = Literal["rgb", "bgr", "gray"]
Channel = Annotated[float, Field(ge=-10.0, le=10.0)]


class ImageInput(PluginConfig):
    """How pixels enter a network: uint8 / 255, minus ``mean``, over ``std``, channels in the order of ``color``."""

    color: Color = Field("bgr", description="Order of the channels; gray is one channel.")
    mean: tuple[Channel, ...] = Field(
        (0.5, 0.5, 0.5), description="Subtracted after scaling to 0..1, a value per channel."
    )
    std: tuple[Channel, ...] = Field((0.5, 0.5, 0.5), description="Divided by after subtracting the mean.")

    @property
    def channels(self) -> int:
        """Number of channels: 1 for gray, else 3."""
        return 1 if self.color == "gray" else 3

    @model_validator(mode="after")
    def _one_value_per_channel(self) -> ImageInput:
        for name in ("mean", "std"):
            if len(getattr(self, name)) != self.channels:
                raise ValueError(f"{name} needs {self.channels} values for color {self.color!r}")
        if any(value == 0 for value in self.std):
            raise ValueError("std must not be 0")
        return self


class DetectorInput(ImageInput):
    """How a page is fitted into a detector: scaled with its aspect kept, then padded right and below."""

    mean: tuple[Channel, ...] = (0.485, 0.456, 0.406)
    std: tuple[Channel, ...] = (0.229, 0.224, 0.225)
    limit_side: int = Field(960, ge=32, le=8192, description="Length in pixels that limit_type speaks of.")
    limit_type: Literal["max", "min"] = Field(
        "max", description="max: the longer side is at most limit_side; min: the shorter side is at least limit_side."
    )
    divisor: int = Field(32, ge=1, le=256, description="Height and width are padded up to multiples of this.")


class RecognizerInput(ImageInput):
    """How a line is fitted into a recognizer: scaled to ``height`` with its aspect kept, then padded on the right.

    ``widths`` is the ladder of widths a graph ever sees. A line gets the first width that holds it; one longer than the
    last is squeezed into it. The choice depends on the line alone, never on its batch neighbours.
    """

    height: int = Field(32, ge=8, le=128, description="Height in pixels of every line.")
    widths: tuple[Annotated[int, Field(ge=8, le=8192)], ...] = Field(
        (100, 160, 240, 320, 480, 640, 960, 1280), min_length=1, description="Ladder of widths, ascending."
    )

    @model_validator(mode="after")
    def _ladder_ascends(self) -> RecognizerInput:
        if list(self.widths) != sorted(set(self.widths)):
            raise ValueError("widths must ascend")
        return self


class DetectorConfig(PluginConfig):
    """Base of a detector's schema."""

    input: DetectorInput = DetectorInput()


class RecognizerConfig(PluginConfig):
    """Base of a recognizer's schema."""

    input: RecognizerInput = RecognizerInput()
    max_length: int = Field(25, ge=1, le=1024, description="Longest label in characters that training accepts.")


class CtcConfig(RecognizerConfig):
    """Base of the schema of a recognizer with a CTC head; see :class:`ocrbatch.nn.ctc_training.CtcTraining`."""

    label_smoothing: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Share of the loss that pulls each step towards all classes alike (Kim et al. 2018).",
    )
    lexicon: str | None = Field(
        None,
        description="Words in whose favour doubtful letters are read: `latin`, which comes with ocrbatch, or a text "
        "file with one word a line, the most frequent first; none are favoured when null.",
    )


class PluginChoice(PluginConfig):
    """A plugin by name, with options that the plugin's own schema validates: ``{name: db, unclip_ratio: 1.6}``."""

    model_config = ConfigDict(frozen=True, extra="allow")

    name: str = Field(min_length=1, description="Name of the plugin, as in `ocrbatch plugins list`.")

    @property
    def options(self) -> dict[str, Any]:
        """All but the name."""
        return dict(self.model_extra or {})


class ModelSpec(PluginConfig):
    """All that is needed to build a network: it is saved with runs and bundles."""

    task: Task = Field(description="det finds text on pages, rec reads lines.")
    algorithm: PluginChoice = Field(description="The detector or recognizer and its options.")
    backbone: PluginChoice = Field(description="The backbone and its options.")
    charset: str | None = Field(
        None,
        min_length=1,
        description="The characters themselves, in order (rec only; recipes may name a charset instead).",
    )

    @model_validator(mode="after")
    def _charset_belongs_to_recognizers(self) -> ModelSpec:
        if (self.charset is None) == (self.task == "rec"):
            raise ValueError("a recognizer needs a charset, a detector has none")
        return self
