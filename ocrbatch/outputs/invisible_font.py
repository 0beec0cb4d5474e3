"""A TrueType font that draws every character as the same plain box: for text that is found but never seen."""

from __future__ import annotations

import io
from collections.abc import Collection

UNITS, ASCENT, DESCENT = 1000, 800, 200
ADVANCE = 500
"""Width of each character in thousandths of the font's size; a line from descent to ascent is one size high."""


def invisible_font(characters: Collection[str]) -> bytes:
    """A font file with just these characters of the Basic Multilingual Plane."""
    from fontTools.fontBuilder import FontBuilder  # of all outputs only searchable PDFs need it

    names = {character: f"u{ord(character):04X}" for character in sorted(characters)}
    glyphs = [".notdef", *names.values()]
    builder = FontBuilder(UNITS, isTTF=True)
    builder.setupGlyphOrder(glyphs)
    builder.setupCharacterMap({ord(character): name for character, name in names.items()})
    builder.setupGlyf({name: _box() for name in glyphs})
    builder.setupHorizontalMetrics(dict.fromkeys(glyphs, (ADVANCE, 0)))
    builder.setupHorizontalHeader(ascent=ASCENT, descent=-DESCENT)
    builder.setupNameTable({"familyName": "Invisible", "styleName": "Regular", "psName": "Invisible"})
    builder.setupOS2(sTypoAscender=ASCENT, sTypoDescender=-DESCENT, usWinAscent=ASCENT, usWinDescent=DESCENT)
    builder.setupPost(keepGlyphNames=False)
    file = io.BytesIO()
    builder.save(file)
    return file.getvalue()


def _box() -> object:
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    pen = TTGlyphPen(None)
    pen.moveTo((0, -DESCENT))
    for corner in ((0, ASCENT), (ADVANCE, ASCENT), (ADVANCE, -DESCENT)):
        pen.lineTo(corner)
    pen.closePath()
    return pen.glyph()
