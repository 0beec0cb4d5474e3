"""Letters, book pages and newspaper columns: running text, justified or ragged, with headings, notes and numbers."""

from __future__ import annotations

from collections.abc import Sequence

from ocrbatch.data.synth import kinds
from ocrbatch.data.synth.layouts.sheet import Align, Colour, Desk, Draft, Sheet, Style, Type

_INK: Colour = (18, 18, 20)
_CLOSINGS = ("Yours sincerely,", "Best regards,", "Kind regards", "Yours faithfully", "Sincerely,")


def letter(desk: Desk) -> Sheet:
    """A letter on A4 paper: letterhead, address, date, paragraphs, closing, footer."""
    width, height, size = _a4(desk, 55, 95)
    style: Style = "serif" if desk.chance(0.4) else "mono" if desk.chance(0.15) else "sans"
    body = desk.type(style, size, _INK, accents=desk.chance(0.6))
    left, right = width * desk.uniform(0.08, 0.14), width * desk.uniform(0.86, 0.93)
    pitch = size * desk.uniform(1.15, 1.7)
    draft = Draft(width, y=height * desk.uniform(0.03, 0.08))
    _letterhead(desk, draft, body, left, right)
    draft.y += pitch * desk.uniform(1, 3)
    _salutation(desk, draft, body, left, right, pitch)
    bottom = height * desk.uniform(0.6, 0.88)
    while draft.y < bottom - 2 * pitch:
        _paragraph(desk, draft, body, left, right, pitch, bottom, justify=desk.chance(0.3), indent=0.0)
        draft.y += pitch * desk.uniform(0.4, 1)
    if desk.chance(0.7):
        _closing(desk, draft, body, left, pitch)
    if desk.chance(0.5):
        _foot_columns(desk, draft, body.scaled(0.75), left, right, height)
    return Sheet(width, height, tuple(draft.items), _paper(desk))


def book_page(desk: Desk) -> Sheet:
    """A page of a book: running head, one or two justified columns, headings, footnotes, page number."""
    width, height, size = _a4(desk, 42, 75)
    columns = 2 if desk.chance(0.25) else 1
    if columns == 2:
        size *= 0.8
    body = desk.type("serif" if desk.chance(0.85) else "sans", size, _INK, accents=desk.chance(0.6))
    left, right = width * desk.uniform(0.06, 0.14), width * desk.uniform(0.86, 0.95)
    top, bottom = height * desk.uniform(0.05, 0.1), height * desk.uniform(0.86, 0.95)
    draft = Draft(width, y=top)
    number = (
        str(desk.whole(1, 900)) if desk.chance(0.9) else kinds.pick(desk.rng, ["iv", "xii", "viii", "- 12 -", "[3]"])
    )
    if desk.chance(0.7):
        head = body.fit(desk.of(kinds.title), width * 0.5)
        draft.text(head.upper() if desk.chance(0.5) else head, body.scaled(0.85), (left + right) / 2, top, "centre")
        draft.text(number, body, *((left, top) if desk.chance(0.5) else (right - body.width(number), top)))
        if desk.chance(0.3):
            draft.rule(left, top + size * 0.5, right, top + size * 0.5, thickness=max(1.0, size * 0.05))
    else:
        draft.text(number, body, (left + right) / 2, bottom + size * 1.8, "centre")
    _columns(desk, draft, body, (left, top + size * 1.2, right, bottom), columns)
    return Sheet(width, height, tuple(draft.items), _paper(desk, aged=0.5))


def newspaper(desk: Desk) -> Sheet:
    """Several narrow columns below headlines."""
    width, height, size = _a4(desk, 75, 120)
    columns = desk.whole(2, 5)
    body = desk.type("serif" if desk.chance(0.75) else "sans", max(10, size), _INK)
    left, right = width * desk.uniform(0.03, 0.07), width * desk.uniform(0.93, 0.97)
    draft = Draft(width, y=height * desk.uniform(0.02, 0.05))
    if desk.chance(0.5):
        name = desk.type("serif" if desk.chance(0.7) else "display", size * desk.uniform(3, 5), _INK)
        draft.y += name.em
        draft.text(
            name.fit("The " + desk.words(1, 2).title(), right - left), name, (left + right) / 2, draft.y, "centre"
        )
        draft.y += name.em * 0.4
        draft.rule(left, draft.y, right, draft.y, thickness=max(1.0, size * 0.12))
    while draft.y < height * 0.9:
        if desk.chance(0.85):
            head = desk.type("sans" if desk.chance(0.5) else "serif", size * desk.uniform(1.6, 3.2), _INK)
            for _ in range(desk.whole(1, 2)):
                draft.y += head.em * 1.15
                draft.text(head.fit(desk.words(3, 9).capitalize(), right - left), head, left, draft.y)
        draft.y += size * 0.8
        bottom = min(height * 0.97, draft.y + height * desk.uniform(0.25, 0.8))
        _columns(desk, draft, body, (left, draft.y, right, bottom), columns, rules=desk.chance(0.4))
        draft.y = bottom + size
    return Sheet(width, height, tuple(draft.items), _paper(desk, aged=0.4))


def _a4(desk: Desk, fewest: int, most: int) -> tuple[int, int, float]:
    """Width, height and letter size of a page whose lines would hold so many letters from edge to edge."""
    width = desk.whole(720, 1400)
    height = int(width * desk.uniform(1.2, 1.45))
    return width, height, max(10.5, width / desk.uniform(fewest, most) / 0.47)


def _paper(desk: Desk, aged: float = 0.1) -> Colour:
    if desk.chance(aged):
        red = desk.whole(215, 250)
        return red, red - desk.whole(4, 18), red - desk.whole(15, 50)
    grey = desk.whole(228, 255)
    return grey, grey, grey


def _letterhead(desk: Desk, draft: Draft, body: Type, left: float, right: float) -> None:
    colour: Colour = (desk.whole(0, 120), desk.whole(0, 90), desk.whole(0, 150)) if desk.chance(0.5) else _INK
    name = desk.type("sans" if desk.chance(0.5) else None, body.size * desk.uniform(1.3, 2.6), colour)
    side = desk.rng.random()
    draft.y += name.em
    align: Align
    x, align = ((left + right) / 2, "centre") if side < 0.35 else (right, "right") if side < 0.6 else (left, "left")
    draft.text(name.fit(desk.of(kinds.company), right - left), name, x, draft.y, align)
    small = body.scaled(desk.uniform(0.7, 0.95))
    for maker in (kinds.street, kinds.town, kinds.email):
        if desk.chance(0.6):
            draft.y += small.em * 1.3
            draft.text(small.fit(desk.of(maker), (right - left) * 0.6), small, x, draft.y, align)
    if desk.chance(0.4):
        draft.y += small.em * 0.7
        draft.rule(left, draft.y, right, draft.y, thickness=max(1.0, body.em * 0.08), colour=colour)


def _salutation(desk: Desk, draft: Draft, body: Type, left: float, right: float, pitch: float) -> None:
    """Address, date, subject and ``Dear ...``."""
    for line in (desk.of(kinds.person), desk.of(kinds.company), desk.of(kinds.street), desk.of(kinds.town)):
        if desk.chance(0.85):
            draft.y += pitch
            draft.text(body.fit(line, (right - left) * 0.5), body, left, draft.y)
    where = desk.rng.random()
    draft.y += pitch * (2 if where > 0.5 else 0)
    draft.text(kinds.date(desk.rng), body, *((right, draft.y, "right") if where < 0.7 else (left, draft.y, "left")))
    draft.y += pitch * desk.uniform(1.2, 2.5)
    if desk.chance(0.7):
        subject = desk.type(body.face.style, body.size, _INK) if desk.chance(0.5) else body
        text = subject.fit("Re: " + desk.of(kinds.title), right - left)
        draft.text(text, subject, left, draft.y, line=desk.chance(0.3))
        draft.y += pitch * 1.5
    draft.text(f"Dear {desk.of(kinds.person)},", body, left, draft.y)
    draft.y += pitch * 0.5


def _closing(desk: Desk, draft: Draft, body: Type, left: float, pitch: float) -> None:
    draft.y += pitch * 1.2
    draft.text(kinds.pick(desk.rng, _CLOSINGS), body, left, draft.y)
    draft.y += pitch * desk.uniform(2, 4)
    draft.text(desk.of(kinds.person), body, left, draft.y)


def _foot_columns(desk: Desk, draft: Draft, type: Type, left: float, right: float, height: int) -> None:
    """Small columns at the foot, as business letters have them."""
    count = desk.whole(2, 4)
    step = (right - left) / count
    for column in range(count):
        y = height * 0.93
        for maker in (kinds.company, kinds.street, kinds.town, kinds.url)[: desk.whole(2, 4)]:
            draft.text(type.fit(desk.of(maker), step - type.em * 1.5), type, left + column * step, y)
            y += type.em * 1.25


def _columns(
    desk: Desk, draft: Draft, body: Type, area: tuple[float, float, float, float], count: int, rules: bool = False
) -> None:
    left, top, right, bottom = area
    gutter = body.em * desk.uniform(1.5, 3)
    width = (right - left - gutter * (count - 1)) / count
    pitch, justify = body.em * desk.uniform(1.08, 1.5), desk.chance(0.8)
    for column in range(count):
        x, draft.y = left + column * (width + gutter), top
        if rules and column:
            draft.rule(x - gutter / 2, top, x - gutter / 2, bottom, thickness=max(1.0, body.em * 0.05))
        stop = bottom - (pitch * desk.whole(3, 7) if desk.chance(0.25) else 0)
        while draft.y < stop - pitch * 1.5:
            if desk.chance(0.15):
                _heading(desk, draft, body, x, width)
            indent = body.em * desk.uniform(1, 2) if desk.chance(0.7) else 0.0
            _paragraph(desk, draft, body, x, x + width, pitch, stop, justify, indent)
            draft.y += pitch * (0.6 if desk.chance(0.15) else 0)
        if stop < bottom:
            _footnotes(desk, draft, body.scaled(0.8), x, width, stop, bottom)


def _heading(desk: Desk, draft: Draft, body: Type, x: float, width: float) -> None:
    type = body.scaled(desk.uniform(1.0, 1.6)) if desk.chance(0.6) else desk.type(None, body.size * 1.2, _INK)
    text = desk.of(kinds.title)
    if desk.chance(0.4):
        text = f"{kinds.section(desk.rng)} {text}"
    draft.y += type.em * 1.7
    centred = desk.chance(0.5)
    draft.text(type.fit(text, width), type, x + width / 2 if centred else x, draft.y, "centre" if centred else "left")
    draft.y += type.em * 0.5


def _paragraph(
    desk: Desk,
    draft: Draft,
    type: Type,
    left: float,
    right: float,
    pitch: float,
    bottom: float,
    justify: bool,
    indent: float,
) -> None:
    """Breaks a paragraph greedily into lines until its words or the room end."""
    text = type.clean(" ".join(desk.source.paragraph(desk.rng, desk.whole(15, 90))))
    words = [word for word in text.split() if type.width(word) < right - left - indent]
    x = left + indent
    while words and draft.y + pitch < bottom:
        line, words = _break_line(type, words, right - x)
        draft.y += pitch
        if justify and words and len(line) > 2:
            draft.justified(" ".join(line), type, x, draft.y, right - x)
        else:
            draft.text(" ".join(line), type, x, draft.y)
        x = left


def _break_line(type: Type, words: Sequence[str], width: float) -> tuple[list[str], list[str]]:
    """The words of the first line (at least one) and the rest."""
    space, used, count = type.width(" "), 0.0, 0
    for word in words:
        used += type.width(word) + (space if count else 0)
        if used > width and count:
            break
        count += 1
    return list(words[:count]), list(words[count:])


def _footnotes(desk: Desk, draft: Draft, type: Type, x: float, width: float, top: float, bottom: float) -> None:
    if desk.chance(0.8):
        draft.rule(
            x,
            top + type.em * 0.4,
            x + width * desk.uniform(0.2, 1),
            top + type.em * 0.4,
            thickness=max(1.0, type.em * 0.05),
        )
    draft.y = top + type.em * 0.6
    while draft.y < bottom - type.em * 1.4:
        draft.y += type.em * 1.25
        text = kinds.pick(desk.rng, ["* ", "1 ", "2 ", "† ", "", ""]) + desk.source.sentence(desk.rng)
        draft.text(type.fit(text, width), type, x, draft.y)
