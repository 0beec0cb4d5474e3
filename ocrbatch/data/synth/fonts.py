"""Which font files can print Latin text, and which of them suits a text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from fontTools.ttLib import TTCollection, TTFont, TTLibError
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ocrbatch.data.regular import files_in
from ocrbatch.errors import InputError

Style = Literal["sans", "serif", "mono", "display", "dot"]

SUFFIXES = frozenset({".ttf", ".otf", ".ttc", ".woff"})
_BASIC_LATIN = frozenset(map(ord, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.,-"))
_DOT_NAMES = re.compile(r"vt323|dot ?gothic|doto|pixel|silkscreen|press start|jersey|micro 5|tiny5|terminus|bitcount")
_UNFIT_NAMES = re.compile(
    r"d050000l|dseg|initials|keyboard|symbol|emoji|dingbat|barcode|redacted|music|\bmath\b|ornament"
)
_UNICASE_NAMES = re.compile(r"\bsc\b|\bcaps\b|luckiest guy|monoton")  # small letters differ too little for the eye test
_WEIGHTS = re.compile(
    r"( (thin|hairline|(extra|ex|ultra|semi|demi)?-? ?(light|bold|black)|medium|heavy|regular|book"
    r"|condensed(?= condensed)|\d+))+$",
    re.IGNORECASE,
)
_DISPLAY_NAMES = re.compile(
    r"script|hand|display|brush|marker|poster|black ops|bungee|lobster|pacifico|comic|humor|caveat|kalam|architects"
    r"|shadows|amatic|vibes|z003|bangers|luckiest|monoton|orbitron|righteous|abril|alfa slab|passion|staatliches"
)


@dataclass(frozen=True, slots=True)
class Face:
    """One face of one font file. ``unicase`` faces draw small letters as capitals, so they fit only upper-case text."""

    path: str
    index: int
    family: str
    style: Style
    unicase: bool = False
    italic: bool = False
    weight: int = 400

    @property
    def chance(self) -> float:
        """How much more often than its sisters it is seen in print: upright and regular most, hairlines hardly ever."""
        weight = 1.0 if 350 <= self.weight <= 450 else 0.3 if 250 < self.weight <= 700 else 0.1
        return weight * (0.12 if self.italic else 1.0)


@dataclass(frozen=True)
class FontBook:
    """Usable faces, what each can print (code points) and what each says of its licence."""

    faces: tuple[Face, ...]
    coverage: tuple[frozenset[int], ...]
    licences: tuple[str, ...]
    _families: dict[str, dict[str, list[int]]] = field(init=False, repr=False, compare=False)
    _alphabets: frozenset[tuple[frozenset[int], bool]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        families: dict[str, dict[str, list[int]]] = {}
        for number, face in enumerate(self.faces):
            families.setdefault(face.style, {}).setdefault(face.family, []).append(number)
        object.__setattr__(self, "_families", families)
        cases = (face.unicase for face in self.faces)
        object.__setattr__(self, "_alphabets", frozenset(zip(self.coverage, cases, strict=True)))

    @classmethod
    def scan(cls, *folders: Path) -> FontBook:
        """Every usable face under the folders and what they link to, sorted by path. Raises InputError for none."""
        paths = sorted(path for folder in folders for path in files_in(folder) if path.suffix.lower() in SUFFIXES)
        known: dict[frozenset[int], frozenset[int]] = {}
        rows = [(f, known.setdefault(points, points), licence) for p in paths for f, points, licence in _faces(p)]
        if not rows:
            where = ", ".join(map(str, folders))
            raise InputError(f"No usable font found in {where}: give a folder with .ttf, .otf, .ttc or .woff files.")
        faces, coverage, licences = zip(*rows, strict=True)
        return cls(faces, coverage, licences)

    def pick(
        self, rng: np.random.Generator, text: str, style: Style | None = None, like: re.Pattern[str] | None = None
    ) -> Face:
        """A face that prints all of ``text``: first a family, each as likely as the others, then one of its faces.

        Families of another ``style``, or whose names ``like`` does not find, are taken only if there is no other.
        Raises InputError if no face covers the text.
        """
        needed, cased = _needs(text)
        for pool in self._pools(style, like):
            for family in rng.permutation(len(pool)):
                fit = [n for n in pool[family] if needed <= self.coverage[n] and not (cased and self.faces[n].unicase)]
                if fit:
                    chances = np.array([self.faces[n].chance for n in fit])
                    return self.faces[fit[int(rng.choice(len(fit), p=chances / chances.sum()))]]
        raise InputError(f"No font covers all characters of {text!r}: add fonts or choose a smaller charset.")

    def prints(self, text: str) -> bool:
        """Whether a face prints all of ``text``."""
        needed, cased = _needs(text)
        return any(needed <= points and not (cased and unicase) for points, unicase in self._alphabets)

    def sister(self, rng: np.random.Generator, face: Face, text: str) -> Face:
        """Another face of the same family that prints ``text``, to stress a word with; itself if there is none."""
        needed = {ord(c) for c in text if c != " "}
        numbers = self._families[face.style][face.family]
        fit = [n for n in numbers if needed <= self.coverage[n] and not self.faces[n].unicase and self.faces[n] != face]
        return self.faces[fit[int(rng.integers(len(fit)))]] if fit else face

    def _pools(self, style: Style | None, like: re.Pattern[str] | None) -> Iterator[list[list[int]]]:
        """Families (numbers of their faces) to choose from, the most wanted first."""
        if style:
            wanted = self._families.get(style, {})
            if like:
                yield [faces for name, faces in wanted.items() if like.search(name)]
            yield list(wanted.values())
        yield [faces for families in self._families.values() for faces in families.values()]

    def licence_table(self) -> list[dict[str, str]]:
        """One row a family: its name and the licence that its first file states."""
        rows = {face.family: licence for face, licence in zip(self.faces, self.licences, strict=True)}
        return [{"family": family, "licence": rows[family]} for family in sorted(rows)]


def _needs(text: str) -> tuple[set[int], bool]:
    """The code points that a face needs for a text, and whether small letters must look like such."""
    return {ord(c) for c in text if c != " "}, text != text.upper()


def _faces(path: Path) -> Iterator[tuple[Face, frozenset[int], str]]:
    """Usable faces of one file; a file that is broken yields none."""
    try:
        if path.suffix.lower() == ".ttc":
            with TTCollection(str(path), lazy=True) as collection:
                fonts: Sequence[TTFont] = list(collection)
                yield from (row for n, font in enumerate(fonts) if (row := _describe(path, n, font)))
        else:
            with TTFont(str(path), lazy=True) as font:
                if row := _describe(path, 0, font):
                    yield row
    except (TTLibError, OSError, KeyError, ValueError, AssertionError, IndexError):
        return  # a broken font file is no reason to stop: there are others


def _describe(path: Path, index: int, font: TTFont) -> tuple[Face, frozenset[int], str] | None:
    points = frozenset(font.getBestCmap() or ())
    names = font["name"]
    family = names.getBestFamilyName() or path.stem
    if not points >= _BASIC_LATIN or _UNFIT_NAMES.search(family.lower()):
        return None
    glyphs = {c: _glyph(path, index, c) for c in "aegrAEGRIil"}
    if any(not glyph.any() for glyph in glyphs.values()):
        return None
    unicase = bool(_UNICASE_NAMES.search(family.lower())) or all(
        _alike(glyphs[small], glyphs[small.upper()]) for small in "aegr"
    )
    style = _style(font, family, glyphs["I"])
    face = Face(str(path), index, _short_family(family), style, unicase, *_slope_and_weight(font, path.stem))
    return face, points, (names.getDebugName(13) or names.getDebugName(14) or "not stated").strip()


def _short_family(family: str) -> str:
    """One name for all weights and optical sizes; Noto repeats one Latin design in a family for each script."""
    family = _WEIGHTS.sub("", family) or family
    return " ".join(family.split()[:2]) if re.match(r"Noto (Sans|Serif) (?!Mono|Display)", family) else family


def _style(font: TTFont, family: str, capital_i: NDArray[np.uint8]) -> Style:
    name = family.lower()
    panose = getattr(font["OS/2"], "panose", None) if "OS/2" in font else None
    if _DOT_NAMES.search(name):
        return "dot"
    advances = font["hmtx"].metrics
    cmap = font.getBestCmap()
    if len({advances[cmap[ord(c)]][0] for c in "iMw."}) == 1:
        return "mono"
    if _DISPLAY_NAMES.search(name) or (panose is not None and panose.bFamilyType in (3, 4)):
        return "display"
    if "sans" in name or "serif" in name:
        return "sans" if "sans" in name else "serif"
    foot, waist = (np.ptp(np.flatnonzero(row)) + 1 for row in (capital_i[-2], capital_i[len(capital_i) // 2]))
    return "serif" if foot > 1.3 * waist else "sans"


def _slope_and_weight(font: TTFont, stem: str) -> tuple[bool, int]:
    bold = re.search(r"bold|black|heavy", stem, re.IGNORECASE) is not None
    if "OS/2" not in font:
        return re.search(r"italic|oblique", stem, re.IGNORECASE) is not None, 700 if bold else 400
    weight = int(font["OS/2"].usWeightClass)
    return bool(font["OS/2"].fsSelection & 1) or font["post"].italicAngle != 0, max(weight, 700) if bold else weight


def _glyph(path: Path, index: int, character: str) -> NDArray[np.uint8]:
    """One character, 48 pixels to the em, cut to its ink (uint8; 3 x 3 zeros if it has none)."""
    font = ImageFont.truetype(str(path), 48, index=index, layout_engine=ImageFont.Layout.BASIC)
    left, top, right, bottom = map(int, font.getbbox(character))
    if right - left < 2 or bottom - top < 3:
        return np.zeros((3, 3), np.uint8)
    picture = Image.new("L", (right - left, bottom - top))
    ImageDraw.Draw(picture).text((-left, -top), character, fill=255, font=font)
    pixels = np.asarray(picture) > 127
    if not pixels.any():
        return np.zeros((3, 3), np.uint8)
    rows, columns = (np.flatnonzero(pixels.any(axis=axis)) for axis in (1, 0))
    return pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.uint8)


def _alike(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> bool:
    """Whether two glyphs have one shape, whatever their sizes."""
    a, b = (cv2.resize(glyph * 255, (32, 32), interpolation=cv2.INTER_AREA) > 127 for glyph in (one, other))
    return float((a & b).sum()) > 0.75 * float((a | b).sum())
