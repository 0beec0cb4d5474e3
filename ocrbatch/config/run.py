"""What a run is told: the chain, how pages are read, and how the work is shared out."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field, model_validator

from ocrbatch.config.schema import PluginChoice, PluginConfig


class BundleChoice(PluginConfig):
    """A bundle by path, or a default one by name, with options laid over the algorithm's own:
    ``{bundle: my.ocrb, unclip_ratio: 1.8}``."""

    model_config = ConfigDict(frozen=True, extra="allow")

    bundle: str = Field(min_length=1, description="Folder or .ocrb file; det and rec are the default bundles.")

    @property
    def options(self) -> dict[str, Any]:
        """All but the bundle."""
        return dict(self.model_extra or {})


class TileConfig(PluginConfig):
    """When a page is too large, or too long and thin, to be looked at in one go, and how it is cut up."""

    min_scale: float = Field(
        0.3, gt=0, le=1, description="A page that a detector would shrink below this scale is cut into tiles."
    )
    overlap: float = Field(0.15, gt=0, lt=0.5, description="Overlap of neighbouring tiles as a fraction of their side.")


class RunConfig(PluginConfig):
    """All that ``ocrbatch run`` can be told in a file."""

    stages: tuple[Literal["det", "rec"], ...] = Field(
        ("det", "rec"), min_length=1, description="det alone finds boxes; rec alone reads pictures of one line each."
    )
    det: BundleChoice = Field(BundleChoice(bundle="det"), description="The detector.")
    rec: BundleChoice = Field(BundleChoice(bundle="rec"), description="The recognizer.")
    post: tuple[PluginChoice, ...] = Field(
        (PluginChoice(name="score_filter", mean_score=0.67), PluginChoice(name="reading_order")),
        description="Postprocessors, in the order in which they are applied.",
    )
    engine: PluginChoice = Field(PluginChoice(name="onnxruntime"), description="What executes the networks.")
    dpi: int = Field(200, ge=36, le=1200, description="Resolution at which pages of a PDF are drawn.")
    pixel_limit: int = Field(
        150_000_000, ge=1, description="Pictures with more pixels are refused, pages of a PDF drawn smaller."
    )
    tiles: TileConfig = TileConfig()
    letter_height: float | None = Field(
        13.0,
        ge=4,
        le=200,
        description="A page whose smaller letters stand higher than this in the detector's input, in pixels without "
        "ascenders, is shrunk for the detector until they do not; null: never.",
    )
    crop_height: float = Field(
        0.95,
        ge=0.3,
        le=2,
        description="Height of what the recognizer is given of a box, over the box's own: detectors leave white above "
        "and below the letters, which stand larger without some of it.",
    )
    turn_tall: float = Field(
        1.5, ge=1, description="Boxes at least this many times as tall as wide are also read turned by a quarter."
    )
    turn_below: float = Field(
        0.88,
        ge=0,
        le=1,
        description="A page whose characters were read with a lower mean score than this may lie on its side or upside "
        "down: some of its lines are read the other ways, and it is turned where that is clearly better; 0: never.",
    )
    batch_lines: int = Field(16, ge=1, le=1024, description="Lines that the recognizer reads at a time.")
    unit_pages: int = Field(4, ge=1, le=64, description="Pages that a worker takes at a time.")
    timeout: float = Field(120.0, gt=0, description="Seconds that one step on a page may take before it is given up.")

    @model_validator(mode="after")
    def _stages_stand_once_and_in_order(self) -> RunConfig:
        if self.stages not in (("det",), ("rec",), ("det", "rec")):
            raise ValueError("stages must be det, rec or both, in this order")
        return self

    def settings(self) -> dict[str, Any]:
        """What decides the results: all but how the work is shared out, and only the models that take part."""
        absent = {"det", "rec"} - set(self.stages)
        return self.model_dump(mode="json", exclude={"batch_lines", "unit_pages", "timeout", *absent})
