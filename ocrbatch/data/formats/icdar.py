"""One text file a picture, as ICDAR's challenges have them: ``x1,y1,x2,y2,x3,y3,x4,y4,text`` (2015 and later) or
``left, top, right, bottom, "text"`` (2013, also with spaces). ``###`` is to be ignored. The file is called like the
picture, mostly with ``gt_`` before it, and lies beside it or in another folder of the data set."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from ocrbatch.charset import normalize
from ocrbatch.data.formats.parsing import PICTURES, contents, decoded, files_below, to_points
from ocrbatch.data.label_types import Flaw, PageLabel, RegionLabel
from ocrbatch.errors import InputError
from ocrbatch.geometry import min_area_quad

IGNORED = "###"

_PREFIXES = ("gt_", "res_")
_NUMBER = r"[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?"


def _pattern(numbers: int) -> re.Pattern[str]:
    following = rf"(?:\s*,\s*|\s+)({_NUMBER})" * (numbers - 1)
    return re.compile(rf"\s*({_NUMBER}){following}\s*(?:$|,(.*)|(?<=\s)(.*))", re.ASCII | re.DOTALL)


_EIGHT, _FOUR = _pattern(8), _pattern(4)


def pages(folder: Path) -> Iterator[PageLabel | Flaw]:
    """Page labels of a folder. Raises InputError when it cannot be read."""
    if not folder.is_dir():
        raise InputError(
            f"{folder} is no folder: labels in the format icdar are a folder with one text file a picture."
        )
    pictures: dict[str, list[Path]] = {}
    for path in files_below(folder, PICTURES):
        pictures.setdefault(path.stem, []).append(path)
    sheets = {path: contents(path).split(b"\n") for path in label_files(folder)}
    pattern, quoted = _style(list(sheets.values()))
    labelled: set[Path] = set()
    for path, rows in sheets.items():
        image = _picture_of(path, pictures)
        if isinstance(image, Flaw):
            if _speaks_of_boxes(rows):
                yield image
            continue
        labelled.add(image)
        yield from _page(path, image, rows, pattern, quoted)
    for path in sorted(path for paths in pictures.values() for path in paths if path not in labelled):
        yield Flaw(str(path), f"no label file gt_{path.stem}.txt or {path.stem}.txt belongs to it")


def is_folder(folder: Path) -> bool:
    """Whether a folder looks like this format: some text file is called like a picture and starts with numbers."""
    stems = {path.stem for path in files_below(folder, PICTURES)}
    for path in label_files(folder):
        if {path.stem, *(path.stem.removeprefix(prefix) for prefix in _PREFIXES)} & stems:
            rows = contents(path).split(b"\n")
            if not any(raw.strip() for raw in rows) or _speaks_of_boxes(rows):
                return True
    return False


def label_files(folder: Path) -> list[Path]:
    """Text files of a folder that may be labels, sorted."""
    return [path for path in files_below(folder, (".txt",)) if not path.name.endswith(".gt.txt")]


def page_text(label: PageLabel) -> tuple[str, list[str]]:
    """The label file of a page, and what the format cannot express."""
    losses: list[str] = []
    rows = [_row(region, losses) for region in label.regions]
    return "".join(f"{row}\n" for row in rows), losses


def _page(
    path: Path, image: Path, rows: Sequence[bytes], pattern: re.Pattern[str], quoted: bool
) -> Iterator[PageLabel | Flaw]:
    regions, flaws = [], []
    for number, raw in enumerate(rows, 1):
        if not raw.strip():
            continue
        try:
            regions.append(_region(decoded(raw), pattern, quoted))
        except ValueError as error:
            flaws.append(Flaw(f"{path}, line {number}", str(error)))
    if flaws:
        yield from flaws
    else:
        yield PageLabel(image, tuple(regions))


def _region(content: str, pattern: re.Pattern[str], quoted: bool) -> RegionLabel:
    found = pattern.match(content)
    if found is None:
        raise ValueError(f"not {pattern.groups - 2} numbers and a text with commas between them")
    numbers, text = _split(found)
    if len(numbers) == 4:
        left, top, right, bottom = numbers
        numbers = (left, top, right, top, right, bottom, left, bottom)
        text = None if text is None else text.strip()
    if quoted and text:
        text = text[1:-1].replace('\\"', '"')
    points = to_points(np.reshape(numbers, (4, 2)))
    if text == IGNORED:
        return RegionLabel(points, None, True)
    return RegionLabel(points, None if text is None else normalize(text))


def _split(found: re.Match[str]) -> tuple[tuple[float, ...], str | None]:
    *numbers, after_comma, after_space = found.groups()
    return tuple(float(number) for number in numbers), after_comma if after_space is None else after_space


def _style(sheets: Sequence[Sequence[bytes]]) -> tuple[re.Pattern[str], bool]:
    """How most rows of a data set are written: eight numbers or four, and whether quotes belong to the format."""
    rows = [raw.decode(errors="replace").removesuffix("\r") for rows in sheets for raw in rows if raw.strip()]
    eight = sum(_EIGHT.match(row) is not None for row in rows)
    if 2 * eight >= len(rows):
        return _EIGHT, False
    texts = [(_split(found)[1] or "").strip() for row in rows if (found := _FOUR.match(row))]
    return _FOUR, bool(texts) and all(re.fullmatch(r'".*"|###', text, re.DOTALL) for text in texts if text)


def _picture_of(path: Path, pictures: dict[str, list[Path]]) -> Path | Flaw:
    """The picture that a label file belongs to: of its own folder if there is one, else the only one of that name."""
    stems = [path.stem, *(path.stem.removeprefix(prefix) for prefix in _PREFIXES if path.stem.startswith(prefix))]
    found = [picture for stem in stems for picture in pictures.get(stem, ())]
    near = [picture for picture in found if picture.parent == path.parent]
    chosen = near or found
    if len(chosen) == 1:
        return chosen[0]
    if not chosen:
        return Flaw(str(path), f"there is no picture called {stems[-1]}")
    return Flaw(str(path), f"several pictures are called {stems[-1]}: {', '.join(map(str, chosen[:3]))}")


def _speaks_of_boxes(rows: Sequence[bytes]) -> bool:
    first = next((raw for raw in rows if raw.strip()), b"")
    return _FOUR.match(first.decode(errors="replace")) is not None


def _row(region: RegionLabel, losses: list[str]) -> str:
    points = region.points
    if len(points) != 4:
        losses.append("outlines that are no quadrilaterals (the smallest rectangle around them is written)")
        points = min_area_quad(points)[0]
    whole = np.rint(points)
    if not np.array_equal(whole, points):
        losses.append("outlines between pixels (rounded)")
    numbers = ",".join(str(int(value)) for value in whole.ravel())
    if region.ignore:
        if region.text is not None:
            losses.append("texts of ignored regions (### stands there instead)")
        return f"{numbers},{IGNORED}"
    if region.text is None:
        return numbers
    if "\n" in region.text or region.text.endswith("\r"):
        losses.append("texts with a line break (their regions are written as ignored)")
        return f"{numbers},{IGNORED}"
    if region.text == IGNORED:
        losses.append("texts that mean 'ignore' in this format (###)")
    return f"{numbers},{region.text}"
