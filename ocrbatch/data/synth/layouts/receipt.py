"""Till receipts: narrow paper, one printer's face, columns, separators, large totals."""

from __future__ import annotations

from dataclasses import replace

from ocrbatch.data.synth import kinds
from ocrbatch.data.synth.layouts.items import counts_table, items
from ocrbatch.data.synth.layouts.sheet import Colour, Desk, Draft, Sheet
from ocrbatch.data.synth.layouts.till import Cell, Till, set_up_till

TITLES = kinds.listed(
    "TAX INVOICE|Tax Invoice|RECEIPT|Cash Receipt|INVOICE|CASH SALES|SIMPLIFIED TAX INVOICE|"
    "-TAX INVOICE-|*** COPY ***|ORDER|BILL"
)
TOTALS = kinds.listed(
    "Sub Total|Subtotal|Total|Rounding|Service Charge 10%|GST 6%|VAT|Discount|Total Incl. GST|Cash|"
    "Change|Net Total|Rounding Adj|Visa|Total Sales (Excluding GST)|Total Qty|Card|TOTAL AMT|Tax"
)
COLONS = (": ", ":", " : ", ".: ", " ")
THANKS = kinds.listed(
    "Thank you|THANK YOU|Please come again|Thank You ! Please Come Again !|Goods sold are not returnable|"
    "Have a nice day|Customer Copy|No refund without receipt|www.%s.com"
)


def receipt(desk: Desk) -> Sheet:
    """A receipt 420 to 1080 pixels wide, as long as its text needs and some blank paper."""
    draft = Draft(desk.whole(420, 1080))
    till = set_up_till(desk, draft)
    draft.y = desk.uniform(0.3, 5) * till.pitch
    if desk.chance(0.12):
        _note(desk, draft)
    _header(desk, till)
    _meta(desk, till)
    till.separator()
    items(desk, till)
    till.separator()
    _totals(desk, till)
    if desk.chance(0.4):
        _tax_table(desk, till)
    if desk.chance(0.15):
        counts_table(desk, till)
    _footer(desk, till)
    blank = desk.uniform(0, 2) if desk.chance(0.6) else desk.uniform(2, 18)
    height = max(300, int(min(draft.y + blank * till.pitch, 2600)))
    return Sheet(draft.width, height, tuple(draft.items), _paper(desk))


def _paper(desk: Desk) -> Colour:
    """Thermal paper, scanned: most often burnt out to white."""
    if desk.chance(0.6):
        return (255, 255, 255)
    tint = desk.whole(222, 255)
    return tint, tint, min(255, tint + desk.whole(-8, 4))


def _note(desk: Desk, draft: Draft) -> None:
    """A name or number set above the receipt by whoever filed it."""
    type = desk.type("sans", draft.width * desk.uniform(0.035, 0.08), (0, 0, 0))
    text = desk.words(2, 3) if desk.chance(0.7) else kinds.digits(desk.rng, 7)
    draft.y += type.em * desk.uniform(1, 2)
    x = draft.width * (0.5 if desk.chance(0.6) else 0.25)
    draft.text(type.fit(text, draft.width * 0.45), type, x, draft.y, "centre")
    draft.y += type.em * desk.uniform(0.3, 2)


def _header(desk: Desk, till: Till) -> None:
    if desk.chance(0.15):
        name = till.large.scaled(desk.uniform(1.0, 1.5))
        display = desk.type("display" if desk.chance(0.5) else "sans", name.size, till.base.colour)
        till.line(desk.words(1, 2).title(), display, centred=True)
        till.draft.y += till.pitch * 0.5
    if desk.chance(0.9):
        till.line(desk.of(kinds.company), till.large if desk.chance(0.6) else None)
    if desk.chance(0.5):
        till.line(f"({kinds.digits(desk.rng, 7)}-{kinds.pick(desk.rng, 'ABDHKMTUVWX')})")
    for _ in range(desk.whole(0, 3)):
        till.line(desk.of(kinds.street))
    for _ in range(desk.whole(0, 2)):
        till.line(desk.of(kinds.town))
    if desk.chance(0.6):
        if desk.chance(0.5):
            tel, fax = (f"{name}{kinds.pick(desk.rng, COLONS)}{_number(desk)}" for name in ("Tel", "Fax"))
            if desk.chance(0.75):
                till.abreast([tel, fax], till.centred, least=0.6)
            else:
                till.row([(tel, 0.04, "left"), (fax, 0.97, "right")])
        else:
            till.line(kinds.phone(desk.rng))
    if desk.chance(0.3):
        till.line(desk.of(kinds.email) if desk.chance(0.5) else desk.of(kinds.url))
    if desk.chance(0.6):
        till.line(
            f"GST {kinds.pick(desk.rng, ['ID', 'Reg No', 'No.', 'ID No'])} : {kinds.digits(desk.rng, 12)}",
        )
    till.draft.y += till.pitch * desk.uniform(0, 1.2)
    if desk.chance(0.7):
        _title(desk, till)


def _number(desk: Desk) -> str:
    """A telephone number, its parts set off or not."""
    return f"0{desk.whole(1, 9)}{kinds.pick(desk.rng, ['-', '- ', ' ', ''])}{kinds.digits(desk.rng, desk.whole(6, 8))}"


def _title(desk: Desk, till: Till) -> None:
    title = kinds.pick(desk.rng, TITLES)
    type = till.large if desk.chance(0.5) else till.base
    look = desk.rng.random()
    till.draft.y += till.pitch * 0.4
    if look < 0.12 or look > 0.9:
        width, top = type.width(type.clean(title)), till.draft.y + type.em * 0.1
        full = desk.chance(0.4)
        pad = type.em * desk.uniform(0.3, 1.5)
        box = (
            till.left if full else till.middle - width / 2 - pad,
            top,
            till.right if full else till.middle + width / 2 + pad,
            top + type.em * 1.5,
        )
        if look < 0.12:
            till.draft.fill(box, till.base.colour)
            type = replace(type, colour=(255, 255, 255))
        else:
            till.draft.frame(box, thickness=max(1.0, type.em * 0.06), colour=till.base.colour)
        till.draft.text(title, type, till.middle, top + type.em * 1.1, "centre")
        till.draft.y = top + type.em * 1.8
        return
    till.line(title, type, centred=True)
    till.draft.y += till.pitch * desk.uniform(0, 0.6)


def _meta(desk: Desk, till: Till) -> None:
    value_at, pairs = desk.uniform(0.22, 0.4), desk.chance(0.3)
    colon_gap = desk.uniform(0.02, 0.06) if desk.chance(0.5) else 0.0
    for _ in range(desk.whole(1, 6)):
        label, value = desk.of(kinds.label).rstrip(" :"), _value(desk)
        look = desk.rng.random()
        if desk.chance(0.2):
            till.abreast(_side_by_side(desk, label + ": " + value))
        elif till.colon == "apart":
            pair: list[Cell] = [(f"{desk.of(kinds.label).split()[0]}", 0.6, "left"), (_value(desk), 1, "right")]
            parts: list[Cell] = [(":", value_at, "left"), (value, value_at + colon_gap, "left")]
            second = parts if colon_gap else [(f": {value}", value_at, "left")]
            till.row([(label, 0, "left"), *second, *(pair if pairs else [])])
        elif look < 0.45:
            till.line(f"{label}{till.colon} {value}", centred=False)
        elif look < 0.8:
            till.row(
                [(f"{label}{till.colon} {value}", 0, "left"), (f"{kinds.date(desk.rng)}", 1, "right")],
            )
        else:
            till.row([(label + ":", 0, "left"), (value, desk.uniform(0.9, 1), "right")])


def _side_by_side(desk: Desk, named: str) -> list[str]:
    """What stands on one line though it does not belong together: a date and a time, numbers, who and where."""
    look = desk.rng.random()
    if look < 0.4:
        prefix = kinds.pick(desk.rng, ["", "", "Date : ", "Date: "])
        return [prefix + kinds.date(desk.rng), kinds.time(desk.rng)]
    if look < 0.6:
        return [named, f"{kinds.pick(desk.rng, ['Cashier', 'Table', 'Pax', 'POS', 'Time'])}: {_value(desk)}"]
    return [_value(desk) for _ in range(desk.whole(2, 3))]


def _value(desk: Desk) -> str:
    makers = (kinds.code, kinds.date, kinds.date_time, kinds.time, kinds.digits, kinds.number)
    return desk.of(kinds.person) if desk.chance(0.2) else makers[desk.whole(0, len(makers) - 1)](desk.rng)


def _totals(desk: Desk, till: Till) -> None:
    right_labels, currency = desk.chance(0.35), desk.chance(0.15)
    label_at = desk.uniform(0.55, 0.75)
    colon_at = label_at + 0.05 if right_labels else desk.uniform(0.3, 0.8)
    for _ in range(desk.whole(2, 8)):
        type = till.large if desk.chance(0.18) else till.base
        label = kinds.pick(desk.rng, TOTALS) if desk.chance(0.85) else desk.of(kinds.label)
        amount = ("RM " if desk.chance(0.2) else "$" if desk.chance(0.15) else "") + kinds.amount(desk.rng)
        colon: list[Cell] = [(":", colon_at, "left")] if till.colon == "apart" else []
        label += "" if colon else till.colon
        if desk.chance(0.08):
            till.draft.y += till.pitch * 0.3
            till.leaders(label, amount)
        elif right_labels:
            till.row([(label, label_at, "right"), *colon, (amount, 1, "right")], type)
        elif currency:
            till.row([(label, 0, "left"), ("RM", label_at, "left"), (kinds.amount(desk.rng), 1, "right")], type)
        else:
            till.row([(label, 0, "left"), *colon, (amount, 1, "right")], type)
        if desk.chance(0.15):
            till.separator()


def _tax_table(desk: Desk, till: Till) -> None:
    till.draft.y += till.pitch * desk.uniform(0.3, 1.5)
    top = till.draft.y + till.pitch * 0.15
    at = (desk.uniform(0.55, 0.68), 0.97)
    till.row([("GST Summary", 0.02, "left"), ("Amount(RM)", at[0], "right"), ("Tax(RM)", at[1], "right")])
    for _ in range(desk.whole(1, 3)):
        rate = kinds.pick(desk.rng, ["@ 6%", "6%", "", "(0%)", "= 6%"])
        code = f"{kinds.pick(desk.rng, ['SR', 'ZRL', 'S', 'Z', 'TX', 'A'])} {rate}"
        till.row(
            [(code, 0.02, "left"), (kinds.amount(desk.rng), at[0], "right"), (kinds.amount(desk.rng), at[1], "right")],
        )
    till.draft.y += till.pitch * 0.4
    if desk.chance(0.35):
        till.draft.frame(
            (till.left, top, till.right, till.draft.y), thickness=max(1.0, till.base.em * 0.06), colour=till.base.colour
        )


def _footer(desk: Desk, till: Till) -> None:
    till.draft.y += till.pitch * desk.uniform(0.3, 2)
    for _ in range(desk.whole(0, 5)):
        line = (
            kinds.pick(desk.rng, THANKS).replace("%s", desk.words(1, 1))
            if desk.chance(0.5)
            else desk.source.sentence(desk.rng, 45)
        )
        if desk.chance(0.15):
            stars = kinds.pick(desk.rng, "**-=~") * desk.whole(1, 9)
            line = f"{stars} {line} {stars}"
        till.line(line, till.large if desk.chance(0.08) else None)
    till.draft.y += till.pitch * 0.6
