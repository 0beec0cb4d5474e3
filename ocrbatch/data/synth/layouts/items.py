"""What was bought: the heads of a receipt's columns and the few ways in which tills set an article."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate

from ocrbatch.data.synth import kinds
from ocrbatch.data.synth.layouts.sheet import Desk
from ocrbatch.data.synth.layouts.till import Cell, Till

HEADS = (
    "Item|Description|Desc|Code",
    "Qty|QTY|Units|Pcs",
    "Price|U/P|S/Price|Unit|RM",
    "Amount|Amt|Total|Amt(RM)|TOTAL|Tax",
)
_SHORT_HEADS = kinds.listed(
    "Qty|Tax|U.P|Iss|Exc|D|Sale|Amt|Disc|Price|Rate|Code|No|Item|Desc|Excl|Incl|GST|Net|Unit|RM"
)
_TAX_CODES = ("S", "SR", "Z", "ZRL", "T", "TX", "A", "*", "OS")


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where the columns of one receipt end, as fractions of the printed width, and where tax codes begin."""

    count: float
    price: float
    total: float
    tax: float | None

    def sums(self, desk: Desk, total: str) -> list[Cell]:
        """The total of an article, and often its tax code right behind it."""
        cells: list[Cell] = [(total, self.total, "right")]
        if self.tax is not None and desk.chance(0.8):
            cells.append((kinds.pick(desk.rng, _TAX_CODES), self.tax, "left"))
        return cells


def items(desk: Desk, till: Till) -> None:
    """Articles, all set in the same way, below the heads of their columns."""
    columns = _columns(desk, till)
    if desk.chance(0.7):
        _heads(desk, till, columns)
        if desk.chance(0.5):
            till.separator()
    item = kinds.pick(desk.rng, _STYLES)
    for _ in range(max(1, int(desk.rng.gamma(1.7, 3.6)))):
        if till.draft.y > 1900:
            return
        item(desk, till, columns)
        if desk.chance(0.12):
            till.draft.y += till.pitch * desk.uniform(0.2, 0.8)


def counts_table(desk: Desk, till: Till) -> None:
    """Narrow columns of small whole numbers, each on its own: what detectors miss first."""
    columns = desk.whole(3, 6)
    if desk.chance(0.5):
        heads = [kinds.pick(desk.rng, _SHORT_HEADS) for _ in range(columns)]
        gap = till.narrow_gap(0.6)
        ends = accumulate(till.base.width(till.base.clean(head)) + gap for head in heads)
        places = [0.3 + end / till.width for end in ends]
    else:
        heads = [desk.words(1, 1)[: desk.whole(1, 4)].title() for _ in range(columns)]
        places = [desk.uniform(0.3, 0.4) + 0.6 * n / (columns - 1) for n in range(columns)]
    places = [place for place in places if place <= 1]
    till.row([("Code", 0, "left"), *((head, place, "right") for head, place in zip(heads, places, strict=False))])
    for _ in range(desk.whole(2, 8)):
        first = kinds.amount(desk.rng) if desk.chance(0.5) else desk.of(kinds.item)[:10]
        till.row([(first, 0, "left"), *((_small(desk), place, "right") for place in places)])


def _small(desk: Desk) -> str:
    return str(desk.whole(-3, 30) if desk.chance(0.3) else desk.whole(0, 9))


def _columns(desk: Desk, till: Till) -> _Columns:
    code, gap = till.base.width("SR") / till.width, till.narrow_gap() / till.width
    taxed = desk.chance(0.4)
    total = 1 - code - gap if taxed else 1.0
    return _Columns(desk.uniform(0.42, 0.58), desk.uniform(0.66, 0.76), total, 1 - code if taxed else None)


def _heads(desk: Desk, till: Till, columns: _Columns) -> None:
    if desk.chance(0.35):
        till.abreast([kinds.pick(desk.rng, _SHORT_HEADS) for _ in range(desk.whole(3, 7))], least=0.6)
        return
    first, *others = [kinds.pick(desk.rng, names.split("|")) for names in HEADS]
    places = (columns.count, columns.price, columns.total)
    cells: list[Cell] = [(head, place, "right") for head, place in zip(others, places, strict=True)]
    till.row([(first, 0, "left"), *cells], line=desk.chance(0.12))


def _named(desk: Desk, till: Till, columns: _Columns) -> None:
    name = desk.of(kinds.item)
    first = f"{_count(desk)} {name}" if desk.chance(0.6) else name
    till.row([(first, 0, "left"), *columns.sums(desk, _money(desk))])


def _counted(desk: Desk, till: Till, columns: _Columns) -> None:
    till.row([(_count(desk), 0, "left"), (desk.of(kinds.item), 0.12, "left"), *columns.sums(desk, _money(desk))])


def _priced(desk: Desk, till: Till, columns: _Columns) -> None:
    till.row([(desk.of(kinds.item), 0, "left"), *_figures(desk, columns)])


def _coded(desk: Desk, till: Till, columns: _Columns) -> None:
    till.line(desk.of(kinds.item), centred=False)
    till.row([(kinds.digits(desk.rng, desk.whole(5, 13)), 0, "left"), *_figures(desk, columns)])


def _count_and_code(desk: Desk, till: Till, columns: _Columns) -> None:
    till.line(desk.of(kinds.item), centred=False)
    count = _count(desk)
    code = kinds.code(desk.rng) if desk.chance(0.3) else kinds.digits(desk.rng, desk.whole(5, 13))
    beside = (till.base.width(count) + till.narrow_gap()) / till.width
    price: Cell = (kinds.amount(desk.rng), columns.price, "right")
    till.row([(count, 0, "left"), (code, beside, "left"), price, *columns.sums(desk, _money(desk))])


def _packed(desk: Desk, till: Till, columns: _Columns) -> None:
    if desk.chance(0.6):
        till.line(desk.of(kinds.item), centred=False)
    star = ["*"] if desk.chance(0.2) else []
    sums = [text for text, _, _ in columns.sums(desk, _money(desk))]
    figures = [_count(desk), "X", kinds.amount(desk.rng), *star, *sums]
    till.packed(kinds.digits(desk.rng, desk.whole(4, 13)), figures)


def _multiplied(desk: Desk, till: Till, columns: _Columns) -> None:
    till.line(desk.of(kinds.item), centred=False)
    product = f"{_count(desk)} {kinds.pick(desk.rng, 'xX@*')} {kinds.amount(desk.rng)}"
    till.row([(product, desk.uniform(0, 0.3), "left"), *columns.sums(desk, _money(desk))])


_STYLES: tuple[Callable[[Desk, Till, _Columns], None], ...] = (
    _named,
    _counted,
    _priced,
    _coded,
    _count_and_code,
    _packed,
    _multiplied,
)


def _figures(desk: Desk, columns: _Columns) -> list[Cell]:
    """Count, price and total."""
    count: Cell = (_count(desk), columns.count, "right")
    return [count, (kinds.amount(desk.rng), columns.price, "right"), *columns.sums(desk, _money(desk))]


def _count(desk: Desk) -> str:
    return str(desk.whole(1, 12))


def _money(desk: Desk) -> str:
    return kinds.amount(desk.rng) if desk.chance(0.75) else kinds.price(desk.rng)
