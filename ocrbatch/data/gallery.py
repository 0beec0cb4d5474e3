"""One self-contained HTML page of labelled samples, and of what augmentation makes of them."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

import cv2
import numpy as np

from ocrbatch.types import Image, Polygon

_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="generator" content="ocrbatch data view">
<title>{title}</title><style>
body {{ font: 15px system-ui, sans-serif; margin: 2em; color: #222; background: #f6f6f4 }}
article {{ margin: 0 0 1.5em; padding: 1em; background: #fff; border: 1px solid #ddd }}
figure {{ display: inline-block; margin: 0 .8em .5em 0; vertical-align: top }}
img {{ max-width: 100%; border: 1px solid #ccc }}
figcaption, .name {{ color: #777; font-size: 12px }}
pre {{ margin: .3em 0; white-space: pre-wrap; font: 15px ui-monospace, monospace }}
mark {{ background: #fdd }}
</style></head><body><h1>{title}</h1><p>{about}</p>
"""
_TAIL = "</body></html>\n"
BEGINS = _HEAD.partition("<title>")[0]
"""How every such page begins."""

_LABELLED, _IGNORED = (31, 119, 180), (160, 160, 160)


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One article of the page: pictures with their captions, and the texts of the label."""

    name: str
    pictures: Sequence[tuple[str, Image]]
    texts: Sequence[str]


def gallery(title: str, about: str, samples: Iterable[Sample], *, side: int = 900) -> Iterator[str]:
    """Pieces of the HTML page; pictures are shrunk to at most ``side`` pixels."""
    yield _HEAD.format(title=escape(title), about=escape(about))
    for sample in samples:
        figures = "".join(_figure(caption, picture, side) for caption, picture in sample.pictures)
        texts = "\n".join(_visible(text) for text in sample.texts)
        yield f'<article><div class="name">{escape(sample.name)}</div>{figures}<pre>{texts}</pre></article>\n'
    yield _TAIL


def outlined(picture: Image, polygons: Sequence[Polygon], ignore: Sequence[bool]) -> Image:
    """A copy of a picture with outlines drawn on it, grey ones for what is ignored."""
    canvas = picture.copy()
    thickness = max(1, round(max(picture.shape[:2]) / 700))
    for polygon, ignored in zip(polygons, ignore, strict=True):
        points = np.rint(polygon).astype(np.int32).reshape(-1, 1, 2)
        cv2.polylines(canvas, [points], True, _IGNORED if ignored else _LABELLED, thickness, cv2.LINE_AA)
    return canvas


def small_jpeg(picture: Image, side: int, quality: int = 88) -> bytes:
    """The picture as JPEG, shrunk to at most ``side`` pixels a side."""
    height, width = picture.shape[:2]
    scale = min(1.0, side / max(height, width))
    if scale < 1:
        size = max(1, round(width * scale)), max(1, round(height * scale))
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return data.tobytes()


def _figure(caption: str, picture: Image, side: int) -> str:
    source = base64.b64encode(small_jpeg(picture, side)).decode()
    return (
        f'<figure><img alt="{escape(caption)}" src="data:image/jpeg;base64,{source}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def _visible(text: str) -> str:
    """Text as HTML; spaces that the eye would miss are marked."""
    inner = text.strip(" ")
    before, after = text[: len(text) - len(text.lstrip(" "))], text[len(text.rstrip(" ")) :] if inner else ""
    return _marked(before) + escape(inner).replace("  ", "<mark>  </mark>") + _marked(after)


def _marked(spaces: str) -> str:
    return f"<mark>{spaces}</mark>" if spaces else ""
