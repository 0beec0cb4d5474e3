"""Checks of postprocessors."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from ocrbatch.contracts import Postprocessor
from ocrbatch.plugin_system.host import Host
from ocrbatch.testing.expect import expect, expect_score, expect_within
from ocrbatch.types import TextRegion, Word

WIDTH, HEIGHT = 400, 300
TEXTS = ("Invoice", "", "  two  words ", "12,50 €", "a", "Straße")


def check_postprocessor(host: Host, name: str, /, **options: Any) -> None:
    """A postprocessor gives every region back, keeps its input as it is, answers the same twice, and sets order numbers
    that no two regions share. Raises AssertionError."""
    descriptor = host.postprocessor(name)
    step = host.resolve(descriptor.factory)(host.config(descriptor, options))
    for count in (0, 1, 2, 30):
        _check_page(step, _regions(count), f"the postprocessor {name!r} on {count} regions")


def _check_page(step: Postprocessor, regions: tuple[TextRegion, ...], what: str) -> None:
    before = [_plain(region) for region in regions]
    result = step(regions, WIDTH, HEIGHT)
    expect(isinstance(result, tuple), f"{what} returns a {type(result).__name__}, not a tuple")
    expect(len(result) == len(regions), f"{what} returns {len(result)}: reject regions with kept=False instead")
    expect([_plain(region) for region in regions] == before, f"{what} changes its input")
    again = step(regions, WIDTH, HEIGHT)
    expect([_plain(r) for r in again] == [_plain(r) for r in result], f"{what} answers differently the second time")
    for region in result:
        expect(region.points.shape == (4, 2), f"{what}: points have the shape {region.points.shape}")
        expect_within(region.points, WIDTH, HEIGHT, f"{what}: a box")
        expect_score(region.det_score, f"{what}: det_score")
        expect_score(region.rec_score, f"{what}: rec_score")
    orders = Counter(region.order for region in result if region.order >= 0)
    shared = [order for order, count in orders.items() if count > 1]
    expect(not shared, f"{what}: several regions have the order {shared}")


def _regions(count: int) -> tuple[TextRegion, ...]:
    """Regions as a page has them: in rows, tilted, overlapping, tall, some without text and some rejected before."""
    generator = np.random.default_rng(count)
    regions = []
    for number in range(count):
        x, y = generator.uniform(0, WIDTH - 120), generator.uniform(0, HEIGHT - 110)
        width, height = generator.uniform(4, 110, 2) if number % 5 == 0 else (generator.uniform(20, 110), 14.0)
        box = np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]], np.float32)
        regions.append(_region(box, number, generator))
    for region in regions:
        region.points.flags.writeable = False
    return tuple(regions)


def _region(box: Any, number: int, generator: np.random.Generator) -> TextRegion:
    text = TEXTS[number % len(TEXTS)]
    region = TextRegion(box, None, text, generator.uniform(), generator.uniform(), kept=number % 7 != 6)
    if number % 3 == 0:
        region = replace(region, polygon=box.copy(), words=tuple(Word(word, box, 0.9) for word in text.split()))
    return region


def _plain(region: TextRegion) -> str:
    """A region as text, to compare: arrays compare element by element."""
    with np.printoptions(threshold=10_000, floatmode="unique"):
        return repr(asdict(region))
