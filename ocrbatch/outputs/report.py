"""One self-contained HTML page of a run's results, for looking at them in a browser without a network.

The page's scripts and styles lie in ``viewer/``. Data stand in it as blocks of JSON that no browser executes, and its
content security policy lets nothing run or load but the scripts that were written with it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import Path, PurePath
from string import Template
from typing import Any, TextIO

from ocrbatch.data.gallery import small_jpeg
from ocrbatch.data.places import shown_as
from ocrbatch.outputs.documents import Outcome
from ocrbatch.outputs.files import replacing
from ocrbatch.outputs.page_pictures import NO_PICTURE, PageFiles
from ocrbatch.outputs.report_rows import Tally, page_entry, region_entries
from ocrbatch.outputs.results import Row, read_rows

_SCRIPTS = ("pages.js", "list.js", "viewer.js", "charts.js", "main.js")
_THUMB_SIDE, _THUMB_QUALITY, _PICTURE_QUALITY = 128, 60, 72
_UNSAFE = re.compile("[<>&\u2028\u2029\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """How much goes into a report: at most ``limit`` pages, of the statuses in ``only`` (all when empty), the first
    ``pictures`` of them with a picture of at most ``side`` pixels, looked for below ``images``."""

    pictures: int = 300
    side: int = 1100
    limit: int = 10_000
    only: frozenset[str] = frozenset()
    images: Path | None = None


def write_report(results: str | Path, target: Path, options: ReportOptions | None = None) -> Iterator[Outcome]:
    """Write the page, row by row in memory, and tell of each page that it shows; a ``problem`` says why a page that
    was to have a picture has none.

    Raises InputError for results that cannot be read and OutputError when the file cannot be written.
    """
    options, name = options or ReportOptions(), PurePath(shown_as(os.fspath(results))).name
    with (
        replacing(target, flush=False) as path,
        path.open("w", encoding="utf-8", newline="\n") as file,
        PageFiles(options.images, (os.fspath(results),)) as pages,
    ):
        yield from _write(file, name, read_rows(results), _Pictures(options, pages), options)


def _write(
    file: TextIO, name: str, rows: Iterable[Row], pictures: _Pictures, options: ReportOptions
) -> Iterator[Outcome]:
    script = _script()
    file.write(_head(f"ocrbatch: {name}", script))
    tally, shown = Tally(), 0
    for given in rows:
        row, entry, regions = _understood(given)
        tally.add(row)
        if shown >= options.limit or (options.only and row["status"] not in options.only):
            continue
        problem = None
        if row["status"] != "failed":
            problem = pictures.add(entry, row)
            if "picture" in entry:
                _block(file, "text/plain", f'id="picture-{shown}"', entry.pop("picture"))
            _block(file, "application/json", f'id="regions-{shown}"', to_json(regions))
        _block(file, "application/json", 'class="page"', to_json(entry))
        shown += 1
        yield Outcome(entry["source"], entry["page"], problem)
    _block(file, "application/json", 'id="summary"', to_json(tally.summary(shown)))
    file.write(f"<script>{script}</script>\n</body>\n</html>\n")


def to_json(value: Any) -> str:
    """Compact JSON that can stand in an HTML document: nothing in it ends a block or begins a tag, and lone surrogates
    are escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


class _Pictures:
    """Pictures for the first pages that have one to give."""

    def __init__(self, options: ReportOptions, files: PageFiles) -> None:
        self._left = options.pictures
        self._options = options
        self._files = files

    def add(self, entry: dict[str, Any], row: Row) -> str | None:
        """Put a thumbnail and a picture into ``entry``; else say there, and return, why a page has none."""
        if self._left < 1:
            entry["missing"] = f"only {self._options.pictures} pages have one (--pictures)."
            return None
        try:
            pixels = self._files.picture(row).pixels
        except NO_PICTURE as error:
            entry["missing"] = str(error)
            return f"no picture: {error}"
        self._left -= 1
        entry["picture"] = _base64(small_jpeg(pixels, self._options.side, _PICTURE_QUALITY))
        entry["thumb"] = _base64(small_jpeg(pixels, _THUMB_SIDE, _THUMB_QUALITY))
        return None


def _understood(row: Row) -> tuple[Row, dict[str, Any], list[list[Any]]]:
    """The row, its entry and its regions; one whose values make no sense becomes a failed page that says so."""
    try:
        return row, page_entry(row), region_entries(row)
    except (TypeError, ValueError, LookupError, AttributeError, OverflowError) as error:
        damaged = dict.fromkeys(row) | {
            "source": row["source"],
            "status": "failed",
            "error_kind": "DamagedRow",
            "error_stage": "view",
            "error_message": f"The row in the results is damaged ({type(error).__name__}: {error}).",
        }
        return damaged, page_entry(damaged), []


def _block(file: TextIO, kind: str, attribute: str, content: str) -> None:
    file.write(f'<script type="{kind}" {attribute}>{content}</script>\n')


def _head(title: str, script: str) -> str:
    style = _read("style.css")
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    values = {"title": escape(title.encode(errors="replace").decode()), "policy": policy, "style": style}
    return Template(_read("page.html")).substitute(values)


def _script() -> str:
    """All scripts as one, whose names nobody else sees."""
    return "\n(() => {\n'use strict';\n" + "\n".join(map(_read, _SCRIPTS)) + "})();\n"


def _read(name: str) -> str:
    return files("ocrbatch.outputs").joinpath("viewer", name).read_text(encoding="utf-8")


def _hash(content: str) -> str:
    """As a content security policy names an inline script or style."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
