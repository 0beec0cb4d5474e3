"""Formats of results: which there are, and which one the name of a file means."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ocrbatch.config.suggest import did_you_mean
from ocrbatch.errors import OutputError

TABLES: Mapping[str, str] = MappingProxyType({"parquet": ".parquet", "jsonl": ".jsonl", "json": ".json", "csv": ".csv"})
"""Formats with a row for each page or region, and what their files end in."""

DOCUMENTS: Mapping[str, str] = MappingProxyType(
    {"txt": ".txt", "hocr": ".hocr", "alto": ".alto.xml", "pagexml": ".page.xml", "pdf": ".pdf"}
)
"""Formats with the text of pages, and what their files end in."""

BY_PAGE = frozenset(("hocr", "alto", "pagexml"))
"""Documents of which a folder has a file for each page; of the others it has one for each source."""

ONE_PAGE = frozenset(("pagexml",))
"""Documents that have room for one page only."""

ONE_PAGE_ONLY = "A PAGE file holds one page, and there are more: use --to pagexml with a folder, such as --out pages/."
"""What to do when a file of one of ONE_PAGE has no room for all pages."""

_ENDS = {end: form for form, end in (*TABLES.items(), *DOCUMENTS.items())} | {".alto": "alto", ".pagexml": "pagexml"}


def form_of(name: str) -> str:
    """The format that a file's name means. Raises OutputError for one that means none, or could be two."""
    lower = name.lower()
    for end, form in _ENDS.items():
        if lower.endswith(end):
            return form
    if lower.endswith(".xml"):
        stem = name[: -len(".xml")].rpartition("/")[2]
        raise OutputError(
            f"Cannot write {name}: call it {stem}.alto.xml for ALTO or {stem}.page.xml for PAGE, or say --to."
        )
    last = lower.rpartition("/")[2]
    hint = did_you_mean(f".{last.rpartition('.')[2]}", _ENDS) if "." in last else ""
    known = ", ".join((*TABLES.values(), *DOCUMENTS.values()))
    raise OutputError(f"Cannot write {name}: its name must end in one of {known}{hint}")


def is_one_file(name: str, form: str) -> bool:
    """Whether a name given together with a format is that of one file; for documents it is that of a folder unless it
    ends as their files do."""
    if form not in DOCUMENTS:
        return True
    lower = name.lower()
    also = (".xml",) if form in ("alto", "pagexml") else ()
    return lower.endswith((*also, *(end for end, meant in _ENDS.items() if meant == form)))
