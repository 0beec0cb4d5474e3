"""Invoices, forms and tables: labels beside values, boxes, rules, rows and columns."""

from __future__ import annotations

from dataclasses import replace

from ocrbatch.data.synth import kinds
from ocrbatch.data.synth.layouts.sheet import Colour, Desk, Draft, Sheet, Style, Type

_INK: Colour = (18, 18, 20)
_LINE: Colour = (70, 70, 75)


def invoice(desk: Desk) -> Sheet:
    """An invoice: sender, title, labels with values, a table of goods, sums."""
    draft, height, body, left, right = _page(desk)
    title = desk.type(None, body.size * desk.uniform(1.5, 3), _accent(desk))
    draft.y += title.em
    draft.text(title.fit(desk.of(kinds.company), (right - left) * 0.6), title, left, draft.y)
    word = kinds.pick(
        desk.rng, ["INVOICE", "Invoice", "Rechnung", "FACTURE", "Quotation", "DELIVERY ORDER", "Statement", "Factura"]
    )
    if desk.chance(0.7):
        head = title.scaled(desk.uniform(0.7, 1))
        draft.text(head.fit(word, (right - left) * 0.3), head, right, draft.y, "right")
    draft.y += body.em
    start = draft.y
    for maker in (kinds.street, kinds.town, kinds.email, kinds.company, kinds.person, kinds.street):
        if desk.chance(0.75):
            draft.y += body.em * 1.35
            draft.text(body.fit(desk.of(maker), (right - left) * 0.42), body, left, draft.y)
    end, draft.y = draft.y, start
    _pairs(desk, draft, body, left + (right - left) * desk.uniform(0.5, 0.6), right, desk.whole(3, 7))
    draft.y = max(draft.y, end) + body.em * desk.uniform(1, 2.5)
    _table(desk, draft, body, left, right, height * desk.uniform(0.6, 0.8))
    draft.y += body.em
    for _ in range(desk.whole(1, 5)):
        draft.y += body.em * 1.5
        kind = replace(body, tall=1.3, wide=1.2) if desk.chance(0.15) else body
        draft.text(desk.of(kinds.label), kind, left + (right - left) * 0.72, draft.y, "right")
        draft.text(kinds.price(desk.rng), kind, right, draft.y, "right")
    _small_print(desk, draft, body.scaled(0.8), left, right, height)
    return _sheet(desk, draft, height)


def form(desk: Desk) -> Sheet:
    """A form to fill in: headed sections, labels with boxes, lines or values, boxes to tick."""
    draft, height, body, left, right = _page(desk)
    title = desk.type(None, body.size * desk.uniform(1.3, 2), _INK)
    draft.y += title.em
    draft.text(title.fit(desk.of(kinds.title), right - left), title, (left + right) / 2, draft.y, "centre")
    hand = desk.type("mono" if desk.chance(0.5) else "display", body.size * desk.uniform(1, 1.25), _accent(desk))
    draft.y += body.em
    while draft.y < height * desk.uniform(0.8, 0.93):
        what = desk.rng.random()
        if what < 0.14:
            _section_bar(desk, draft, body, left, right)
        elif what < 0.6:
            _boxed_row(desk, draft, body, hand, left, right)
        elif what < 0.78:
            _ticks(desk, draft, body, left, right)
        elif what < 0.9:
            _ruled_row(desk, draft, body, hand, left, right)
        else:
            draft.y += body.em * 1.3
            draft.text(body.fit(desk.source.sentence(desk.rng), right - left), body, left, draft.y)
            draft.y += body.em * 0.5
    return _sheet(desk, draft, height)


def table_page(desk: Desk) -> Sheet:
    """One or more tables, with rules, without, or with shaded rows, some text around them."""
    draft, height, body, left, right = _page(desk)
    while draft.y < height * 0.85:
        if desk.chance(0.7):
            head = desk.type(None, body.size * desk.uniform(1, 1.8), _INK)
            draft.y += head.em * 1.4
            draft.text(head.fit(desk.of(kinds.title), right - left), head, left, draft.y)
        for _ in range(desk.whole(0, 4)):
            draft.y += body.em * 1.4
            draft.text(body.fit(desk.source.sentence(desk.rng), right - left), body, left, draft.y)
        draft.y += body.em
        _table(desk, draft, body, left, right, min(height * 0.95, draft.y + height * desk.uniform(0.2, 0.9)))
        draft.y += body.em * 2
    return _sheet(desk, draft, height)


def _page(desk: Desk) -> tuple[Draft, int, Type, float, float]:
    width = desk.whole(700, 1400)
    height = int(width * (desk.uniform(1.2, 1.45) if desk.chance(0.75) else desk.uniform(0.6, 1)))
    styles: tuple[Style, ...] = ("sans", "sans", "sans", "serif", "mono")
    style = kinds.pick(desk.rng, styles)
    size = max(10.5, width / desk.uniform(60, 115) / 0.5)
    body = desk.type(style, size, _INK, accents=desk.chance(0.5))
    left, right = width * desk.uniform(0.04, 0.1), width * desk.uniform(0.9, 0.96)
    return Draft(width, y=height * desk.uniform(0.02, 0.06)), height, body, left, right


def _sheet(desk: Desk, draft: Draft, height: int) -> Sheet:
    grey = desk.whole(230, 255)
    paper = (grey, grey, grey) if desk.chance(0.8) else (grey, grey - desk.whole(0, 15), grey - desk.whole(0, 30))
    return Sheet(draft.width, height, tuple(draft.items), paper)


def _accent(desk: Desk) -> Colour:
    return (desk.whole(0, 140), desk.whole(0, 90), desk.whole(0, 170)) if desk.chance(0.45) else _INK


def _tint(desk: Desk) -> Colour:
    return (desk.whole(195, 240), desk.whole(200, 240), desk.whole(205, 245))


def _value(desk: Desk) -> str:
    makers = (
        kinds.date,
        kinds.code,
        kinds.phone,
        kinds.number,
        kinds.price,
        kinds.digits,
        kinds.percentage,
        kinds.quantity,
    )
    wordy = (kinds.person, kinds.company, kinds.street, kinds.town, kinds.email)
    if desk.chance(0.45):
        return desk.of(wordy[desk.whole(0, len(wordy) - 1)])
    return makers[desk.whole(0, len(makers) - 1)](desk.rng)


def _pairs(desk: Desk, draft: Draft, body: Type, left: float, right: float, count: int) -> None:
    """Labels with values beside them, in a box now and then."""
    top, value_at = draft.y, left + (right - left) * desk.uniform(0.42, 0.55)
    aligned = desk.chance(0.3)
    for _ in range(count):
        draft.y += body.em * 1.45
        draft.text(body.fit(desk.of(kinds.label), value_at - left - body.em), body, left + body.em * 0.5, draft.y)
        text = body.fit(_value(desk), right - value_at - body.em * 0.5)
        draft.text(text, body, right - body.em * 0.5 if aligned else value_at, draft.y, "right" if aligned else "left")
    if desk.chance(0.35):
        draft.frame((left, top, right, draft.y + body.em * 0.6), thickness=max(1.0, body.em * 0.06), colour=_LINE)
        draft.y += body.em * 0.6


def _cell(desk: Desk, kind: int) -> str:
    if kind == 0:
        return desk.of(kinds.item)
    if kind == 1:
        return str(desk.whole(1, 999))
    if kind == 2:
        return kinds.amount(desk.rng)
    if kind == 3:
        return kinds.code(desk.rng)
    if kind == 4:
        return kinds.date(desk.rng)
    if kind == 5:
        return kinds.percentage(desk.rng)
    return desk.words(1, 3) if desk.chance(0.85) else kinds.mark(desk.rng)


def _table(desk: Desk, draft: Draft, body: Type, left: float, right: float, bottom: float) -> None:
    """A table between ``draft.y`` and about ``bottom``."""
    type = body.scaled(desk.uniform(0.85, 1.05))
    count = min(desk.whole(2, 8), int((right - left) / (type.em * 5)))
    shares = desk.rng.dirichlet([4] * count) * (1 - 0.06 * count) + 0.06
    edges = [left]
    for share in shares:
        edges.append(edges[-1] + (right - left) * float(share) / float(shares.sum()))
    columns = [desk.whole(0, 6) for _ in range(count)]
    rights = [kind in (1, 2, 5) and desk.chance(0.8) for kind in columns]
    look, pitch = desk.rng.random(), type.em * desk.uniform(1.25, 2.2)
    top, pad, first, thick = draft.y, type.em * 0.5, True, max(1.0, type.em * desk.uniform(0.03, 0.1))
    head_fill = _tint(desk) if desk.chance(0.3) else (40, 50, 80) if desk.chance(0.15) else None
    lines = [top]
    while draft.y + pitch < bottom and len(lines) < 45:
        y0, y1 = draft.y, draft.y + pitch
        fill = head_fill if first else _tint(desk) if look > 0.85 and len(lines) % 2 else None
        if fill:
            draft.fill((left, y0, right, y1), fill)
        kind = replace(type, colour=(250, 250, 250)) if first and fill and fill[0] < 100 else type
        for number in range(count):
            if not first and desk.chance(0.06):
                continue
            text = desk.of(kinds.label).rstrip(": ") if first else _cell(desk, columns[number])
            text = kind.fit(text, edges[number + 1] - edges[number] - 2 * pad)
            x = edges[number + 1] - pad if rights[number] else edges[number] + pad
            draft.text(text, kind, x, y0 + pitch / 2 + type.em * 0.35, "right" if rights[number] else "left")
        draft.y, first = y1, False
        lines.append(y1)
    if look < 0.6:
        drawn = lines if look < 0.45 else [*lines[:2], lines[-1]]
        for y in drawn:
            draft.rule(left, y, right, y, thickness=thick, colour=_LINE)
    if look < 0.35:
        for x in edges:
            draft.rule(x, top, x, draft.y, thickness=thick, colour=_LINE)


def _section_bar(desk: Desk, draft: Draft, body: Type, left: float, right: float) -> None:
    draft.y += body.em * 0.8
    dark = desk.chance(0.4)
    draft.fill((left, draft.y, right, draft.y + body.em * 1.6), (45, 45, 50) if dark else _tint(desk))
    kind = replace(body, colour=(255, 255, 255)) if dark else body
    text = f"{kinds.section(desk.rng)} {desk.of(kinds.title)}" if desk.chance(0.5) else desk.of(kinds.title)
    draft.text(kind.fit(text, right - left - body.em), kind, left + body.em * 0.5, draft.y + body.em * 1.15)
    draft.y += body.em * 2


def _boxed_row(desk: Desk, draft: Draft, body: Type, hand: Type, left: float, right: float) -> None:
    """Cells side by side: a small label at the top, a value below it or none."""
    count = desk.whole(1, 4)
    height = body.em * desk.uniform(2.4, 3.4)
    step = (right - left) / count
    small = body.scaled(desk.uniform(0.65, 0.9))
    for column in range(count):
        x = left + column * step
        draft.frame((x, draft.y, x + step, draft.y + height), thickness=max(1.0, body.em * 0.05), colour=_LINE)
        label = small.fit(desk.of(kinds.label), step - body.em)
        draft.text(label, small, x + body.em * 0.3, draft.y + small.em * 1.05)
        if desk.chance(0.75):
            draft.text(
                hand.fit(_value(desk), step - body.em), hand, x + body.em * 0.5, draft.y + height - hand.em * 0.35
            )
    draft.y += height + (body.em * desk.uniform(0.2, 0.8) if desk.chance(0.3) else 0)


def _ticks(desk: Desk, draft: Draft, body: Type, left: float, right: float) -> None:
    draft.y += body.em * 1.8
    x = left + draft.text(body.fit(desk.of(kinds.label), (right - left) * 0.3), body, left, draft.y) + body.em * 2
    side = body.em * desk.uniform(0.6, 0.9)
    while x < right - body.em * 8:
        box = (x, draft.y - side, x + side, draft.y)
        draft.frame(box, thickness=max(1.0, body.em * 0.06), colour=_INK)
        if desk.chance(0.3):
            draft.fill((x + side * 0.25, draft.y - side * 0.75, x + side * 0.75, draft.y - side * 0.25), _INK)
        label = body.fit(desk.words(1, 2), min(body.em * 7, right - x - side - body.em))
        x += side + body.em * 0.5
        x += draft.text(label, body, x, draft.y) + body.em * desk.uniform(1.8, 4)
    draft.y += body.em * 0.5


def _ruled_row(desk: Desk, draft: Draft, body: Type, hand: Type, left: float, right: float) -> None:
    """A label and a line to write on, dotted or plain."""
    draft.y += body.em * 2
    end = left + draft.text(body.fit(desk.of(kinds.label), (right - left) * 0.4), body, left, draft.y) + body.em * 0.8
    dash = (2.0, body.em * 0.25) if desk.chance(0.4) else None
    draft.rule(end, draft.y + body.em * 0.15, right, draft.y + body.em * 0.15, dash=dash, colour=_LINE)
    if desk.chance(0.6):
        draft.text(hand.fit(_value(desk), right - end - body.em * 2), hand, end + body.em, draft.y - body.em * 0.05)
    draft.y += body.em * 0.5


def _small_print(desk: Desk, draft: Draft, small: Type, left: float, right: float, height: int) -> None:
    draft.y = max(draft.y + small.em * 2, height * desk.uniform(0.85, 0.92))
    while desk.chance(0.7) and draft.y < height - small.em * 2:
        draft.text(small.fit(desk.source.sentence(desk.rng), right - left), small, left, draft.y)
        draft.y += small.em * 1.3
