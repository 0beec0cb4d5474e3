"""How a till prints: the constants of one receipt and the few ways it sets a line."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ocrbatch.data.synth import kinds
from ocrbatch.data.synth.layouts.sheet import Colour, Desk, Draft, Style, Type

Cell = tuple[str, float, str]
"""Text, place as a fraction of the printed width, alignment there."""

_INKS: tuple[Colour, ...] = (
    (15, 15, 18),
    (30, 30, 35),
    (60, 60, 66),
    (90, 90, 96),
    (70, 70, 140),
    (95, 90, 185),
    (45, 45, 90),
)
_COLON_REACH = 1.1  # em: further off, a colon is a column of its own
_STYLES: tuple[tuple[Style, float], ...] = (("mono", 0.42), ("dot", 0.12), ("sans", 0.35), ("serif", 0.11))


@dataclass(frozen=True)
class Till:
    """One receipt's printer: printed left and right edges, plain and large type, line pitch and habits."""

    desk: Desk
    draft: Draft
    left: float
    right: float
    base: Type
    large: Type
    pitch: float
    upper: bool
    centred: bool
    colon: str
    rule: str

    @property
    def middle(self) -> float:
        return (self.left + self.right) / 2

    @property
    def width(self) -> float:
        return self.right - self.left

    def _pitch_of(self, type: Type, least: float) -> float:
        """From one baseline to the next; larger type takes ``least`` em, the plain one may be set closer."""
        return self.pitch if type is self.base else max(self.pitch, type.em * least)

    def line(self, text: str, type: Type | None = None, centred: bool | None = None) -> None:
        """One run on a line of its own."""
        type = type or self.base
        text = type.fit(text.upper() if self.upper else text, self.width)
        self.draft.y += self._pitch_of(type, 1.15)
        centred = self.centred if centred is None else centred
        x = self.middle if centred else self.left
        self.draft.text(text, type, x, self.draft.y, "centre" if centred else "left", line=self.desk.chance(0.02))

    def row(self, cells: list[Cell], type: Type | None = None, line: bool = False) -> None:
        """One line of cells, underlined if ``line``; the last go first, what would touch them is cut or left out. A
        colon belongs to what stands near it."""
        type = type or self.base
        self.draft.y += self._pitch_of(type, 1.12)
        gap = type.width("0") * self.desk.uniform(0.9, 1.5)
        taken: list[tuple[float, float]] = []
        last = ("", 0.0)  # the cell to the right and where it starts
        for text, place, align in reversed(cells):
            text = type.clean(text.upper() if self.upper else text)
            edge = self.left + place * self.width
            room = self.width
            if align == "left":
                room = min([start for start, _ in taken if start > edge] or [self.right]) - gap - edge
            text = type.fit(text, room)
            span = type.width(text)
            start = edge if align == "left" else edge - span
            clash = any(start < end + gap and begin - gap < start + span for begin, end in taken)
            if text and not clash and start >= self.left - 1:
                near = last[1] - start - span < _COLON_REACH * type.em
                joined = near and (text == ":" or last[0].startswith(":"))
                self.draft.text(text, type, start, self.draft.y, line=line, joined=joined)
                taken.append((start, start + span))
                last = (text, start)

    def narrow_gap(self, least: float = 1.0) -> float:
        """A gap between two cells that is little wider than a space, in pixels: at least ``least`` figures wide."""
        return max(self.base.width(" "), self.base.width("0") * self.desk.uniform(least, 2.4))

    def packed(self, first: str, cells: list[str]) -> None:
        """One line: a cell on the left, the others side by side up to the right edge, with narrow gaps."""
        type, edge = self.base, self.right
        self.draft.y += self.pitch
        for text in reversed(cells):
            text = type.clean(text)
            if edge - type.width(text) < self.left + type.em * 3:
                break
            edge -= self.draft.text(text, type, edge, self.draft.y, "right") + self.narrow_gap()
        self.draft.text(type.fit(first, edge - self.left), type, self.left, self.draft.y)

    def abreast(self, cells: list[str], centred: bool = False, least: float = 1.0) -> None:
        """One line of cells side by side with gaps of ``least`` figures and more, without those that find no room."""
        type = self.base
        self.draft.y += self.pitch
        placed, end = list[tuple[str, float]](), 0.0
        for text in cells:
            text = type.clean(text.upper() if self.upper else text)
            start = end + self.narrow_gap(least) if placed else 0.0
            if start + type.width(text) > self.width:
                break
            placed.append((text, start))
            end = start + type.width(text)
        left = self.middle - end / 2 if centred else self.left
        for text, start in placed:
            self.draft.text(text, type, left + start, self.draft.y)

    def leaders(self, label: str, amount: str) -> None:
        """``Total ......... RM`` as one run, the amount apart."""
        room = self.width * 0.72 - self.base.width(self.base.clean(label))
        dots = "." * max(3, int(room / max(self.base.width("." * 10) / 10, 1)))
        self.row([(label + dots + ("RM" if self.desk.chance(0.5) else ""), 0, "left"), (amount, 1, "right")])

    def separator(self) -> None:
        """A rule, a line of dashes, stars or the like, or some space."""
        desk, draft = self.desk, self.draft
        if self.rule == "none" or desk.chance(0.15):
            draft.y += self.pitch * desk.uniform(0.2, 1)
            return
        left, right = (self.left, self.right) if desk.chance(0.9) else (self.middle, self.right)
        if self.rule in ("rule", "dash"):
            self._drawn_rule(left, right)
            return
        draft.y += self.pitch * desk.uniform(0.7, 1)
        sign = self.rule + " " if desk.chance(0.1) else self.rule
        count = int((right - left) / max(self.base.width(sign * 10) / 10, 1))
        text = (sign * count).strip()
        if desk.chance(0.15) and len(text) > 4:
            text = "*" + text[1:-1] + "*"
        draft.text(text, self.base, left, draft.y, label=False)

    def _drawn_rule(self, left: float, right: float) -> None:
        desk, draft, em = self.desk, self.draft, self.base.em
        thick = max(1.0, em * desk.uniform(0.04, 0.12))
        draft.y += self.pitch * desk.uniform(0.35, 0.7)
        dash = (em * desk.uniform(0.1, 0.5), em * desk.uniform(0.1, 0.4)) if self.rule == "dash" else None
        for offset in range(1 + desk.chance(0.15)):
            y = draft.y + offset * 3 * thick
            draft.rule(left, y, right, y, thickness=thick, dash=dash, colour=self.base.colour)
        draft.y += self.pitch * desk.uniform(0, 0.35)


def set_up_till(desk: Desk, draft: Draft) -> Till:
    """A random till for a sheet of the draft's width."""
    side = desk.uniform(0.03, 0.14) * draft.width
    left, right = side * desk.uniform(0.6, 1.4), draft.width - side * desk.uniform(0.6, 1.4)
    if desk.chance(0.1):  # a small print on a large sheet
        shrink = desk.uniform(0.55, 0.8) * (right - left)
        left = desk.uniform(left, right - shrink)
        right = left + shrink
    base = _base_type(desk, right - left)
    rules = ("-", "-", "=", "*", "rule", "rule", "dash", "none", "_", ".")
    return Till(
        desk,
        draft,
        left,
        right,
        base,
        _large_type(desk, base),
        pitch=base.em * (desk.uniform(0.88, 1.05) if desk.chance(0.15) else desk.uniform(1.05, 1.55)),
        upper=desk.chance(0.35),
        centred=desk.chance(0.85),
        colon=kinds.pick(desk.rng, (":", " :", "", "apart")),
        rule=kinds.pick(desk.rng, rules),
    )


def _base_type(desk: Desk, width: float) -> Type:
    """The plain type: 28 to 50 letters would fill the printed width."""
    style = _STYLES[int(desk.rng.choice(len(_STYLES), p=[share for _, share in _STYLES]))][0]
    probe = desk.type(style, 40, _INKS[desk.whole(0, len(_INKS) - 1)])
    if style == "sans" and desk.chance(0.5):
        probe = replace(probe, cell=desk.uniform(0.5, 0.72))
    size = 40 * width / desk.uniform(28, 50) / (probe.width("Total Amount 123.45 No") / 22)
    tall = desk.uniform(1.05, 1.5) if desk.chance(0.5 if style in ("mono", "dot") else 0.15) else 1.0
    base = replace(probe, size=max(9, round(size)), tall=tall)
    if base.size >= 17 and desk.chance(0.1):
        return replace(base, dots=base.size / desk.uniform(9, 13))
    return base


def _large_type(desk: Desk, base: Type) -> Type:
    """Double width or height, bold, or another face."""
    grow, look = desk.uniform(1.2, 1.9), desk.rng.random()
    if look < 0.18:
        return replace(base, wide=desk.uniform(1.4, 2.1), bold=base.size * 0.03)
    if look < 0.4:
        return replace(base, tall=base.tall * grow, bold=base.size * desk.uniform(0, 0.05))
    if look < 0.6:
        return replace(base.scaled(grow), bold=base.size * desk.uniform(0, 0.08))
    if look < 0.75:
        return replace(base, bold=base.size * desk.uniform(0.04, 0.09))
    if look < 0.85:
        return replace(base.scaled(desk.uniform(1, 1.3)), tracking=desk.uniform(0.08, 0.35), bold=base.size * 0.03)
    return desk.type(base.face.style if desk.chance(0.6) else None, base.size * grow, base.colour)
