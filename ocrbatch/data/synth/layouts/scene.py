"""Photograph-like scenes: a few words, large, in any face and colour, for a textured or photographed ground."""

from __future__ import annotations

import numpy as np

from ocrbatch.data.synth.layouts.sheet import Colour, Desk, Draft, Sheet


def scene(desk: Desk) -> Sheet:
    """Words and short lines at places that do not touch; some stand on plates of their own colour."""
    width, height = desk.whole(560, 1200), desk.whole(480, 1000)
    draft = Draft(width)
    taken: list[tuple[float, float, float, float]] = []
    for _ in range(desk.whole(4, 24)):
        _sign(desk, draft, (width, height), taken)
    return Sheet(width, height, tuple(draft.items), scene=True)


def _sign(desk: Desk, draft: Draft, size: tuple[int, int], taken: list[tuple[float, float, float, float]]) -> None:
    """One to four lines of one face, if there is room."""
    width, height = size
    plate = _any_colour(desk)
    ink = _contrasting(desk, plate)
    type = desk.type(None, height * float(np.exp(desk.uniform(np.log(0.025), np.log(0.16)))), ink)
    lines = [type.fit(_words(desk), width * 0.85) for _ in range(desk.whole(1, 4) if desk.chance(0.4) else 1)]
    if not all(lines):
        return
    wide, high = max(map(type.width, lines)), type.em * 1.3 * len(lines)
    pad = type.em * desk.uniform(0.2, 0.8)
    if wide + 2 * pad > width or high + 2 * pad > height:
        return
    x, y = desk.uniform(pad, width - wide - pad), desk.uniform(pad, height - high - pad)
    box = (x - pad, y - pad, x + wide + pad, y + high + pad)
    if any(box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3] for b in taken):
        return
    taken.append(box)
    if desk.chance(0.65):
        draft.fill(box, plate)
        if desk.chance(0.3):
            draft.frame((box[0] + 3, box[1] + 3, box[2] - 3, box[3] - 3), thickness=type.em * 0.06, colour=ink)
    for number, line in enumerate(lines):
        draft.text(line, type, x + wide / 2, y + type.em * (1 + 1.3 * number), "centre")


def _words(desk: Desk) -> str:
    text = desk.words(1, 3) if desk.chance(0.7) else desk.source.phrase(desk.rng, 24)
    return text.upper() if desk.chance(0.55) else text.title() if desk.chance(0.5) else text


def _any_colour(desk: Desk) -> Colour:
    red, green, blue = (int(value) for value in desk.rng.integers(0, 256, 3))
    return red, green, blue


def _contrasting(desk: Desk, ground: Colour) -> Colour:
    """A colour at least 90 grey levels lighter or darker."""
    level = sum(ground) / 3
    while True:
        ink = _any_colour(desk) if desk.chance(0.6) else ((250, 250, 250) if level < 128 else (15, 15, 15))
        if abs(sum(ink) / 3 - level) > 90:
            return ink
