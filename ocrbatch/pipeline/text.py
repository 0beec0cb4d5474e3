"""The text of a page from its regions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from ocrbatch.types import TextRegion


def page_text(regions: Sequence[TextRegion]) -> str:
    """Texts of the kept regions in reading order: a space between those of one line, a line break between lines, an
    empty line between blocks. Regions that no postprocessor has put in order follow each other as they are."""
    kept = sorted((region for region in regions if region.kept and region.text), key=lambda region: region.order)
    if not kept:
        return ""
    return kept[0].text + "".join(_gap(before, after) + after.text for before, after in pairwise(kept))


def _gap(before: TextRegion, after: TextRegion) -> str:
    if before.block != after.block:
        return "\n\n"
    return " " if before.line == after.line != -1 else "\n"
