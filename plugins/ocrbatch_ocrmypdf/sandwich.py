"""A page of invisible text in the form in which OCRmyPDF's sandwich renderer lays it on a scan."""

from __future__ import annotations

from pathlib import Path

import pikepdf
from pikepdf import Dictionary, Name, Operator

_FONT = Name("/F1")


def make_graftable(path: Path) -> None:
    """Rewrite a page that was written by :class:`ocrbatch.outputs.searchable_pdf.SearchablePdf`.

    OCRmyPDF takes the page's content over as it stands, but of its resources nothing except a font that is called
    ``/F1`` or ``/f-0-0``; any other name makes all text unreadable without a word.
    """
    with pikepdf.open(path, allow_overwriting_input=True) as document:
        page = document.pages[0]
        fonts = page.resources.get(Name.Font, Dictionary())
        content = [
            ([_FONT, *step.operands[1:]] if step.operator == Operator("Tf") else list(step.operands), step.operator)
            for step in pikepdf.parse_content_stream(page)
            if step.operator != Operator("gs")
        ]
        page.Contents = document.make_stream(pikepdf.unparse_content_stream(content))
        page.Resources = Dictionary(Font=Dictionary({str(_FONT): font for _, font in fonts.items()}))
        document.save(path)
