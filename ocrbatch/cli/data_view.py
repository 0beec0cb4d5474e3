"""``ocrbatch data view``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ocrbatch.cli.data_options import entries_of, format_option
from ocrbatch.cli.reports import refuse_other
from ocrbatch.errors import InputError, OutputError

if TYPE_CHECKING:
    from ocrbatch.config.schema import PluginChoice
    from ocrbatch.data.gallery import Sample
    from ocrbatch.data.label_types import Flaw, LineLabel, PageLabel

_PATH = click.Path(path_type=Path)

Variants = Callable[[Any, Any], "list[tuple[str, Any]]"]


@click.command()
@click.argument("data", type=_PATH)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, metavar="FILE.html",
              help="Page to write.")  # fmt: skip
@click.option("--count", type=click.IntRange(1), default=50, show_default=True, help="Samples, spread over the data.")
@click.option("--augment", "recipe", type=_PATH, metavar="FILE|NAME",
              help="Recipe whose augmentation is shown [default: the usual one].")  # fmt: skip
@click.option("--variants", type=click.IntRange(0, 100), default=3, show_default=True,
              help="Augmented pictures a sample.")  # fmt: skip
@format_option
def view(data: Path, out: Path, count: int, recipe: Path | None, variants: int, format_name: str | None) -> None:
    """Show samples of DATA with their labels, and what augmentation makes of them, as one HTML page."""
    from ocrbatch.data.gallery import BEGINS, gallery

    refuse_other(out, "--out", "page of `ocrbatch data view`", BEGINS)
    content, entries = entries_of(data, format_name)
    found = list(entries)
    chosen = [found[len(found) * place // count] for place in range(count)] if len(found) > count else found
    augmented = (_pages if content == "pages" else _lines)(_recipe(recipe, content), variants)
    about = f"{len(chosen)} of {len(found)} {content} in {data}, each followed by {variants} augmented variants."
    try:
        with out.open("w", encoding="utf-8", errors="backslashreplace") as file:
            file.writelines(gallery(data.name or str(data), about, _samples(chosen, augmented)))
    except OSError as error:
        raise OutputError(f"Cannot write {out}: {error.strerror}.") from error
    click.echo(f"{len(chosen)} samples in {out}")


def _recipe(path: Path | None, content: str) -> dict[str, Any]:
    """A recipe's values as they stand in its file; for another task it is an InputError."""
    from ocrbatch.config.recipes import load_recipe

    if path is None:
        return {}
    values = load_recipe(path)
    task = (values.get("model") or {}).get("task")
    if task and task != ("det" if content == "pages" else "rec"):
        raise InputError(f"{path} is a recipe for {task!r}, the data are {content}.")
    return values


def _choices(recipe: dict[str, Any]) -> Sequence[PluginChoice] | None:
    from ocrbatch.config.schema import PluginChoice
    from ocrbatch.config.values import validate

    steps = recipe.get("augment")
    if steps is None:
        return None
    return [validate(PluginChoice, step, f"augment.{number}") for number, step in enumerate(steps)]


def _lines(recipe: dict[str, Any], variants: int) -> Variants:
    import numpy as np

    from ocrbatch.data.augment import augment, build_augmentation

    steps = build_augmentation("rec", _choices(recipe))

    def make(label: LineLabel, picture: Any) -> list[tuple[str, Any]]:
        rngs = [np.random.default_rng([number, len(label.text)]) for number in range(variants)]
        return [("labelled", picture), *(("augmented", augment(picture, steps, rng)) for rng in rngs)]

    return make


def _pages(recipe: dict[str, Any], variants: int) -> Variants:
    import numpy as np

    from ocrbatch.config.schema import DetectorInput
    from ocrbatch.config.train import TrainSettings
    from ocrbatch.config.values import validate
    from ocrbatch.data.augment import augment, build_augmentation
    from ocrbatch.data.gallery import outlined
    from ocrbatch.training.cropping import Cropper

    steps = build_augmentation("det", _choices(recipe))
    settings = validate(TrainSettings, recipe.get("train") or {}, "train")
    algorithm = (recipe.get("model") or {}).get("algorithm")
    input_values = algorithm.get("input") if isinstance(algorithm, dict) else None
    fit = validate(DetectorInput, input_values or {}, "model.algorithm.input")
    cropper = Cropper(settings.crop_size, settings.scale)

    def make(label: PageLabel, picture: Any) -> list[tuple[str, Any]]:
        regions = label.regions
        whole = outlined(picture, [region.points for region in regions], [region.ignore for region in regions])
        pictures = [("labelled", whole)]
        for number in range(variants):
            rng = np.random.default_rng([number, len(regions)])
            crop, polygons, ignore = cropper(picture, regions, fit, rng)
            pictures.append(("training crop", outlined(augment(crop, steps, rng), polygons, ignore)))
        return pictures

    return make


def _samples(entries: Sequence[LineLabel | PageLabel | Flaw], variants: Variants) -> Iterator[Sample]:
    from ocrbatch.data.gallery import Sample
    from ocrbatch.data.label_types import Flaw, LineLabel
    from ocrbatch.data.pictures import read_picture

    for entry in entries:
        if isinstance(entry, Flaw):
            yield Sample(entry.where, (), [entry.reason])
            continue
        try:
            picture = read_picture(entry.image)
        except InputError as error:
            yield Sample(str(entry.image), (), [str(error)])
            continue
        regions = () if isinstance(entry, LineLabel) else entry.regions
        texts = [entry.text] if isinstance(entry, LineLabel) else [_said(region) for region in regions]
        yield Sample(str(entry.image), variants(entry, picture), texts)


def _said(region: Any) -> str:
    return "(ignored)" if region.ignore and not region.text else region.text or "(not transcribed)"
