"""Lines cut out of labelled pages: a data set for recognition from one for detection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from ocrbatch.data.label_types import Flaw, LineLabel, PageLabel, RegionLabel
from ocrbatch.data.pictures import read_picture
from ocrbatch.errors import InputError, OutputError
from ocrbatch.geometry import crop_quad, min_area_quad
from ocrbatch.types import Image


@dataclass(eq=False)
class Skipped:
    """Regions that became no line, by reason."""

    regions: Counter[str] = field(default_factory=Counter)


def cut_lines(pages: Iterable[PageLabel], out: Path, skipped: Skipped) -> Iterator[LineLabel | Flaw]:
    """Writes every transcribed region as a PNG below ``out``, cut as running cuts it, and yields its label. Raises
    OutputError."""
    for number, page in enumerate(pages):
        wanted = [place for place, region in enumerate(page.regions) if _is_wanted(region, skipped)]
        if not wanted:
            continue
        try:
            picture = read_picture(page.image)
        except InputError as error:
            yield Flaw(str(page.image), str(error).removesuffix("."))
            continue
        folder = out / f"{number:06d}"
        for place in wanted:
            region = page.regions[place]
            path = folder / f"{page.image.stem[:100]}_{place:04d}.png"
            crop = crop_quad(picture, region.points if len(region.points) == 4 else min_area_quad(region.points)[0])
            _save(path, crop)
            yield LineLabel(path, region.text or "", crop.shape[:2])


def _is_wanted(region: RegionLabel, skipped: Skipped) -> bool:
    if region.ignore:
        skipped.regions["ignored regions"] += 1
    elif not region.text:
        skipped.regions["regions without text"] += 1
    elif np.ptp(region.points, axis=0).min() < 1:
        skipped.regions["outlines without area"] += 1
    else:
        return True
    return False


def _save(path: Path, crop: Image) -> None:
    _, data = cv2.imencode(".png", cv2.cvtColor(crop, cv2.COLOR_RGB2BGR))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.tobytes())
    except OSError as error:
        raise OutputError(f"Cannot write the line {path}: {error.strerror}.") from error
