"""Till receipts: narrow paper, one printer's face, columns, separators, large totals."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ocrbatch.data.synth import kinds
from ocrbatch.data.synth.layouts.sheet import Colour, Desk, Draft, Sheet, Style, Type

_INKS: tuple[Colour, ...] = ((15, 15, 18), (30, 30, 35), (60, 60, 66), (90, 90, 96), (70, 70, 140), (95, 90, 185), (45, 45, 90))
_TITLES = ["TAX INVOICE", "Tax Invoice", "RECEIPT", "Cash Receipt", "INVOICE", "CASH SALES", "SIMPLIFIED TAX INVOICE", "-TAX INVOICE-", "*** COPY ***", "ORDER", "BILL"]
_TOTALS = ["Sub Total", "Subtotal", "Total", "Rounding", "Service Charge 10%", "GST 6%", "VAT", "Discount", "Total Incl. GST", "Cash", "Change", "Net Total", "Rounding Adj", "Visa", "Total Sales (Excluding GST)", "Total Qty", "Card", "TOTAL AMT", "Tax"]
_HEADS = ("Item|Description|Desc|Qty Description|Code", "Qty|QTY|Units|Pcs", "Price|U/P|S/Price|Unit|RM", "Amount|Amt|Total|Amt(RM)|TOTAL|Tax")
_THANKS = ["Thank you", "THANK YOU", "Please come again", "Thank You ! Please Come Again !", "Goods sold are not returnable", "Have a nice day", "Customer Copy", "No refund without receipt", "www.%s.com"]


@dataclass(frozen=True)
class _Form:
    """The constants of one receipt: printable left and right edges, base type, large type, line pitch, column style."""

    left: float
    right: float
    base: Type
    large: Type
    pitch: float
    upper: bool
    centred: bool
    colon: str
    separator: str

    @property
    def middle(self) -> float:
        return (self.left + self.right) / 2

    @property
    def width(self) -> float:
        return self.right - self.left


def receipt(desk: Desk) -> Sheet:
    """A receipt 420 to 1080 pixels wide, as long as its text needs and some blank paper."""
    width = desk.whole(420, 1080)
    form = _form(desk, width)
    draft = Draft(width, y=desk.uniform(0.3, 5) * form.pitch)
    _header(desk, draft, form)
    _meta(desk, draft, form)
    _separator(desk, draft, form)
    _items(desk, draft, form)
    _separator(desk, draft, form)
    _totals(desk, draft, form)
    if desk.chance(0.4):
        _tax_table(desk, draft, form)
    _footer(desk, draft, form)
    blank = desk.uniform(0, 2) if desk.chance(0.6) else desk.uniform(2, 18)
    height = int(min(draft.y + blank * form.pitch, 2600))
    tint = desk.whole(225, 255)
    paper = (tint, tint, min(255, tint + desk.whole(-8, 4))) if desk.chance(0.5) else (255, 255, 255)
    return Sheet(width, max(height, 300), tuple(draft.items), paper, thermal=True)


def _form(desk: Desk, width: int) -> _Form:
    styles: tuple[tuple[Style, float], ...] = (("mono", 0.34), ("dot", 0.2), ("sans", 0.38), ("serif", 0.08))
    style = styles[int(desk.rng.choice(len(styles), p=[share for _, share in styles]))][0]
    side = desk.uniform(0.03, 0.14) * width
    left, right = side * desk.uniform(0.6, 1.4), width - side * desk.uniform(0.6, 1.4)
    if desk.chance(0.1):  # a small print on a large sheet
        shrink = desk.uniform(0.55, 0.8) * (right - left)
        left = desk.uniform(left, right - shrink)
        right = left + shrink
    columns = desk.uniform(30, 50)
    probe = desk.type(style, 40, _INKS[desk.whole(0, len(_INKS) - 1)])
    size = 40 * (right - left) / columns / (probe.width("Total Amount 123.45 No") / 22)
    base = replace(probe, size=max(9, round(size)), tall=desk.uniform(1.0, 1.35) if desk.chance(0.3) else 1.0)
    grow = desk.uniform(1.2, 1.9)
    large = replace(base, wide=grow if desk.chance(0.3) else 1.0, tall=base.tall * grow)
    if style in ("sans", "serif") or desk.chance(0.3):
        large = desk.type(style, base.size * grow, base.colour)
    colon = (":", " :", "", "apart")[desk.whole(0, 3)]
    separator = ("-", "-", "=", "*", "rule", "rule", "dash", "none", "_", ".")[desk.whole(0, 9)]
    pitch = base.em * desk.uniform(1.08, 1.6)
    return _Form(left, right, base, large, pitch, desk.chance(0.35), desk.chance(0.85), colon, separator)


def _line(desk: Desk, draft: Draft, form: _Form, text: str, type: Type | None = None, centred: bool | None = None) -> None:
    """One line over the whole width."""
    type = type or form.base
    text = type.fit(text.upper() if form.upper else text, form.width)
    draft.y += max(form.pitch, type.em * 1.15)
    centred = form.centred if centred is None else centred
    x = form.middle if centred else form.left
    draft.text(text, type, x, draft.y, "centre" if centred else "left", line=desk.chance(0.02))


def _row(desk: Desk, draft: Draft, form: _Form, cells: list[tuple[str, float, str]], type: Type | None = None) -> None:
    """One line of cells (text, place as a fraction of the width, alignment); a cell that would touch another is cut."""
    type = type or form.base
    draft.y += max(form.pitch, type.em * 1.12)
    gap = type.em * desk.uniform(0.6, 1.0)
    taken: list[tuple[float, float]] = []
    for text, place, align in reversed(cells):  # the last cells hold the amounts: they go first
        text = type.clean(text.upper() if form.upper else text)
        edge = form.left + place * form.width
        room = form.width
        if align == "left":
            room = min([start for start, _ in taken if start > edge] or [form.right]) - gap - edge
        text = type.fit(text, room)
        span = type.width(text)
        start = edge if align == "left" else edge - span if align == "right" else edge - span / 2
        if text and not any(start < end + gap and begin - gap < start + span for begin, end in taken) and start >= form.left - 1:
            draft.text(text, type, start, draft.y)
            taken.append((start, start + span))


def _separator(desk: Desk, draft: Draft, form: _Form) -> None:
    kind, base = form.separator, form.base
    if kind == "none" or desk.chance(0.15):
        draft.y += form.pitch * desk.uniform(0.2, 1)
        return
    left, right = (form.left, form.right) if desk.chance(0.9) else (form.middle, form.right)
    thick = max(1.0, base.em * desk.uniform(0.04, 0.12))
    if kind in ("rule", "dash"):
        draft.y += form.pitch * desk.uniform(0.35, 0.7)
        dash = (base.em * desk.uniform(0.1, 0.5), base.em * desk.uniform(0.1, 0.4)) if kind == "dash" else None
        for offset in range(1 + desk.chance(0.15)):
            y = draft.y + offset * 3 * thick
            draft.rule(left, y, right, y, thickness=thick, dash=dash, colour=base.colour)
        draft.y += form.pitch * desk.uniform(0, 0.35)
        return
    draft.y += form.pitch * desk.uniform(0.7, 1)
    sign = kind + " " if desk.chance(0.1) else kind
    count = int((right - left) / max(base.width(sign * 10) / 10, 1))
    text = (sign * count).strip()
    if desk.chance(0.15) and len(text) > 4:
        text = "*" + text[1:-1] + "*"
    draft.text(text, base, left, draft.y, label=False)


def _header(desk: Desk, draft: Draft, form: _Form) -> None:
    if desk.chance(0.15):
        name = form.large.scaled(desk.uniform(1.0, 1.5))
        display = desk.type("display" if desk.chance(0.5) else "sans", name.size, form.base.colour)
        _line(desk, draft, form, desk.words(1, 2).title(), display, centred=True)
        draft.y += form.pitch * 0.5
    if desk.chance(0.9):
        _line(desk, draft, form, desk.of(kinds.company), form.large if desk.chance(0.6) else None)
    if desk.chance(0.5):
        _line(desk, draft, form, f"({kinds.digits(desk.rng, 7)}-{kinds.pick(desk.rng, 'ABDHKMTUVWX')})")
    for _ in range(desk.whole(0, 3)):
        _line(desk, draft, form, desk.of(kinds.street))
    for _ in range(desk.whole(0, 2)):
        _line(desk, draft, form, desk.of(kinds.town))
    if desk.chance(0.6):
        if desk.chance(0.4):
            _row(desk, draft, form, [("Tel: " + kinds.digits(desk.rng, 9), 0.04, "left"), ("Fax: " + kinds.digits(desk.rng, 9), 0.97, "right")])
        else:
            _line(desk, draft, form, kinds.phone(desk.rng))
    if desk.chance(0.3):
        _line(desk, draft, form, desk.of(kinds.email) if desk.chance(0.5) else desk.of(kinds.url))
    if desk.chance(0.6):
        _line(desk, draft, form, f"GST {kinds.pick(desk.rng, ['ID', 'Reg No', 'No.', 'ID No'])} : {kinds.digits(desk.rng, 12)}")
    draft.y += form.pitch * desk.uniform(0, 1.2)
    if desk.chance(0.7):
        _title(desk, draft, form)


def _title(desk: Desk, draft: Draft, form: _Form) -> None:
    title = kinds.pick(desk.rng, _TITLES)
    type = form.large if desk.chance(0.5) else form.base
    look = desk.rng.random()
    draft.y += form.pitch * 0.4
    if look < 0.12 or look > 0.9:
        width, top = type.width(type.clean(title)), draft.y + type.em * 0.1
        full = desk.chance(0.4)
        pad = type.em * desk.uniform(0.3, 1.5)
        box = (form.left if full else form.middle - width / 2 - pad, top, form.right if full else form.middle + width / 2 + pad, top + type.em * 1.5)
        if look < 0.12:
            draft.fill(box, form.base.colour)
            type = replace(type, colour=(255, 255, 255))
        else:
            draft.frame(box, thickness=max(1.0, type.em * 0.06), colour=form.base.colour)
        draft.text(title, type, form.middle, top + type.em * 1.1, "centre")
        draft.y = top + type.em * 1.8
        return
    _line(desk, draft, form, title, type, centred=True)
    draft.y += form.pitch * desk.uniform(0, 0.6)


def _meta(desk: Desk, draft: Draft, form: _Form) -> None:
    value_at = desk.uniform(0.25, 0.42)
    for _ in range(desk.whole(1, 6)):
        label, value = desk.of(kinds.label).rstrip(" :"), _value(desk)
        look = desk.rng.random()
        if form.colon == "apart":
            _row(desk, draft, form, [(label, 0, "left"), (f": {value}", value_at, "left")])
        elif look < 0.45:
            _line(desk, draft, form, f"{label}{form.colon} {value}", centred=False)
        elif look < 0.8:
            _row(desk, draft, form, [(f"{label}{form.colon} {value}", 0, "left"), (f"{kinds.date(desk.rng)}", 1, "right")])
        else:
            _row(desk, draft, form, [(label + ":", 0, "left"), (value, desk.uniform(0.9, 1), "right")])


def _value(desk: Desk) -> str:
    makers = (kinds.code, kinds.date, kinds.date_time, kinds.time, kinds.digits, kinds.number)
    return desk.of(kinds.person) if desk.chance(0.2) else makers[desk.whole(0, len(makers) - 1)](desk.rng)


def _items(desk: Desk, draft: Draft, form: _Form) -> None:
    style = desk.whole(0, 3)
    at = (desk.uniform(0.42, 0.58), desk.uniform(0.66, 0.8), 1.0)
    if desk.chance(0.7):
        head = [kinds.pick(desk.rng, names.split("|")) for names in _HEADS]
        aligns = ("left", "right", "right", "right")
        _row(desk, draft, form, list(zip(head, (0.0, *at), aligns, strict=True)))
        if desk.chance(0.5):
            _separator(desk, draft, form)
    for _ in range(max(1, int(desk.rng.gamma(1.6, 3.2)))):
        if draft.y > 1900:
            return
        name, price, total = desk.of(kinds.item), kinds.amount(desk.rng), _money(desk)
        count = str(desk.whole(1, 12))
        if style == 0:
            _row(desk, draft, form, [(f"{count} {name}" if desk.chance(0.6) else name, 0, "left"), (total, 1, "right")])
        elif style == 1:
            _line(desk, draft, form, name, centred=False)
            code = kinds.digits(desk.rng, desk.whole(5, 13))
            _row(desk, draft, form, [(code, 0, "left"), (count, at[0], "right"), (price, at[1], "right"), (total, 1, "right")])
        elif style == 2:
            _row(desk, draft, form, [(name, 0, "left"), (count, at[0], "right"), (price, at[1], "right"), (total, 1, "right")])
        else:
            _line(desk, draft, form, name, centred=False)
            _row(desk, draft, form, [(f"{count} {kinds.pick(desk.rng, 'xX@*')} {price}", desk.uniform(0, 0.3), "left"), (total, 1, "right")])
        if desk.chance(0.12):
            draft.y += form.pitch * desk.uniform(0.2, 0.8)


def _money(desk: Desk) -> str:
    return kinds.amount(desk.rng) if desk.chance(0.75) else kinds.price(desk.rng)


def _totals(desk: Desk, draft: Draft, form: _Form) -> None:
    right_labels = desk.chance(0.35)
    label_at = desk.uniform(0.55, 0.75)
    for _ in range(desk.whole(2, 8)):
        type = form.large if desk.chance(0.18) else form.base
        label = kinds.pick(desk.rng, _TOTALS) if desk.chance(0.85) else desk.of(kinds.label)
        amount = ("RM " if desk.chance(0.2) else "$" if desk.chance(0.15) else "") + kinds.amount(desk.rng)
        if desk.chance(0.08):
            draft.y += form.pitch * 0.3
            _leaders(desk, draft, form, label, amount)
        elif right_labels:
            cells = [(label + ("" if form.colon == "apart" else form.colon), label_at, "right"), (amount, 1, "right")]
            _row(desk, draft, form, [*cells[:1], (":", label_at + 0.05, "left"), cells[1]] if form.colon == "apart" else cells, type)
        else:
            _row(desk, draft, form, [(label + ("" if form.colon == "apart" else form.colon), 0, "left"), (amount, 1, "right")], type)
        if desk.chance(0.15):
            _separator(desk, draft, form)


def _leaders(desk: Desk, draft: Draft, form: _Form, label: str, amount: str) -> None:
    """``Total ......... RM`` as one run, the amount apart."""
    room = form.width * 0.72 - form.base.width(form.base.clean(label))
    dots = "." * max(3, int(room / max(form.base.width("." * 10) / 10, 1)))
    _row(desk, draft, form, [(label + dots + ("RM" if desk.chance(0.5) else ""), 0, "left"), (amount, 1, "right")])


def _tax_table(desk: Desk, draft: Draft, form: _Form) -> None:
    draft.y += form.pitch * desk.uniform(0.3, 1.5)
    top = draft.y + form.pitch * 0.15
    at = (desk.uniform(0.55, 0.68), 0.97)
    _row(desk, draft, form, [("GST Summary", 0.02, "left"), ("Amount(RM)", at[0], "right"), ("Tax(RM)", at[1], "right")])
    for _ in range(desk.whole(1, 3)):
        code = f"{kinds.pick(desk.rng, ['SR', 'ZRL', 'S', 'Z', 'TX', 'A'])} {kinds.pick(desk.rng, ['@ 6%', '6%', '', '(0%)', '= 6%'])}"
        _row(desk, draft, form, [(code, 0.02, "left"), (kinds.amount(desk.rng), at[0], "right"), (kinds.amount(desk.rng), at[1], "right")])
    draft.y += form.pitch * 0.4
    if desk.chance(0.35):
        draft.frame((form.left, top, form.right, draft.y), thickness=max(1.0, form.base.em * 0.06), colour=form.base.colour)


def _footer(desk: Desk, draft: Draft, form: _Form) -> None:
    draft.y += form.pitch * desk.uniform(0.3, 2)
    for _ in range(desk.whole(0, 5)):
        line = kinds.pick(desk.rng, _THANKS).replace("%s", desk.words(1, 1)) if desk.chance(0.5) else desk.source.sentence(desk.rng, 45)
        _line(desk, draft, form, line, form.large if desk.chance(0.08) else None)
    draft.y += form.pitch * 0.6
