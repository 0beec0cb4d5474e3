"""How a till prints: the constants of one receipt and the few ways it sets a line."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ocrbatch.data.synth.layouts.sheet import Colour, Desk, Draft, Style, Type

_INKS: tuple[Colour, ...] = (
    (15, 15, 18),
    (30, 30, 35),
    (60, 60, 66),
    (90, 90, 96),
    (70, 70, 140),
    (95, 90, 185),
    (45, 45, 90),
)


@dataclass(frozen=True)
class TillForm:
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


def till_form(desk: Desk, width: int) -> TillForm:
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
    if base.size >= 17 and desk.chance(0.1):
        base = replace(base, dots=base.size / desk.uniform(9, 13))
    grow = desk.uniform(1.2, 1.9)
    large = replace(base, wide=grow if desk.chance(0.3) else 1.0, tall=base.tall * grow)
    if style in ("sans", "serif") or desk.chance(0.3):
        large = desk.type(style, base.size * grow, base.colour)
    colon = (":", " :", "", "apart")[desk.whole(0, 3)]
    separator = ("-", "-", "=", "*", "rule", "rule", "dash", "none", "_", ".")[desk.whole(0, 9)]
    pitch = base.em * desk.uniform(1.08, 1.6)
    return TillForm(left, right, base, large, pitch, desk.chance(0.35), desk.chance(0.85), colon, separator)


def put_line(
    desk: Desk, draft: Draft, form: TillForm, text: str, type: Type | None = None, centred: bool | None = None
) -> None:
    """One line over the whole width."""
    type = type or form.base
    text = type.fit(text.upper() if form.upper else text, form.width)
    draft.y += max(form.pitch, type.em * 1.15)
    centred = form.centred if centred is None else centred
    x = form.middle if centred else form.left
    draft.text(text, type, x, draft.y, "centre" if centred else "left", line=desk.chance(0.02))


def put_row(
    desk: Desk, draft: Draft, form: TillForm, cells: list[tuple[str, float, str]], type: Type | None = None
) -> None:
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
        if (
            text
            and not any(start < end + gap and begin - gap < start + span for begin, end in taken)
            and start >= form.left - 1
        ):
            draft.text(text, type, start, draft.y)
            taken.append((start, start + span))


def put_packed(desk: Desk, draft: Draft, form: TillForm, first: str, cells: list[str]) -> None:
    """One line: a cell on the left, the others side by side up to the right edge, with narrow gaps."""
    type, edge = form.base, form.right
    draft.y += form.pitch
    for text in reversed(cells):
        if edge - type.width(text) < form.left + type.em * 3:
            break
        edge -= draft.text(text, type, edge, draft.y, "right") + type.em * desk.uniform(0.7, 1.8)
    draft.text(type.fit(first, edge - form.left), type, form.left, draft.y)


def put_leaders(desk: Desk, draft: Draft, form: TillForm, label: str, amount: str) -> None:
    """``Total ......... RM`` as one run, the amount apart."""
    room = form.width * 0.72 - form.base.width(form.base.clean(label))
    dots = "." * max(3, int(room / max(form.base.width("." * 10) / 10, 1)))
    put_row(desk, draft, form, [(label + dots + ("RM" if desk.chance(0.5) else ""), 0, "left"), (amount, 1, "right")])


def put_separator(desk: Desk, draft: Draft, form: TillForm) -> None:
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
