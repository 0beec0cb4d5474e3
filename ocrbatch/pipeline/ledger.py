"""What is known of each file and page: an index over the journal, kept on the disk so that memory does not grow.

It is rebuilt from the journal at every start and holds nothing of its own.
"""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby
from pathlib import Path

from ocrbatch.data.sources import SourceFile
from ocrbatch.errors import OutputError
from ocrbatch.pipeline.journal import Entry, Place

_TABLES = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE files (ordinal INTEGER PRIMARY KEY, source TEXT UNIQUE, path BLOB, size INTEGER, mtime_ns INTEGER,
                    place INTEGER);
CREATE TABLE seen (source TEXT PRIMARY KEY, size INTEGER, mtime_ns INTEGER, sha256 TEXT, n_pages INTEGER) WITHOUT ROWID;
CREATE TABLE pages (source TEXT, page INTEGER, status TEXT, kind TEXT,
                    segment INTEGER, offset INTEGER, position INTEGER, PRIMARY KEY (source, page)) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A listed file and, when it was seen before, what was found then (``sha256`` empty when not)."""

    ordinal: int
    file: SourceFile
    seen_size: int
    seen_mtime_ns: int
    sha256: str
    n_pages: int

    @property
    def untouched(self) -> bool:
        """Seen before, with the same size and time of change."""
        return self.n_pages > 0 and (self.file.size, self.file.mtime_ns) == (self.seen_size, self.seen_mtime_ns)


@dataclass(frozen=True, slots=True)
class PageRow:
    """Where the row of a page stands: its entry in the journal, and the row's number there; ``listed`` is the place of
    its file in the listing."""

    source: str
    page: int
    status: str
    kind: str
    place: Place
    position: int
    listed: int


@dataclass(frozen=True, slots=True)
class Tally:
    """Pages by status, failed ones by kind of error, and a digest that changes with any row or its place."""

    counts: Counter[str]
    failures: Counter[str]
    digest: str


@contextmanager
def open_ledger(path: Path) -> Iterator[Ledger]:
    """A ledger at ``path`` while the block lasts. Raises OutputError when the disk refuses."""
    try:
        with closing(Ledger(path)) as ledger:
            yield ledger
    except sqlite3.Error as error:
        raise OutputError(f"Cannot keep the index {path}: {error}.") from error


class Ledger:
    """Files of today's listing, files seen, and pages read. ``path`` is overwritten."""

    def __init__(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self._path = path
        self._base = sqlite3.connect(path, isolation_level=None)
        self._base.executescript(_TABLES)

    def close(self) -> None:
        """Close and remove the index."""
        self._base.close()
        self._path.unlink(missing_ok=True)

    def replay(self, entries: Iterable[Entry]) -> None:
        """Record many entries at a time."""
        self._base.execute("BEGIN")
        for entry in entries:
            self.record(entry)
        self._base.execute("COMMIT")

    def record(self, entry: Entry) -> None:
        """Note what an entry of the journal reports. Pages of a file with another content are forgotten."""
        position = 0
        for report in entry.reports:
            before = self._base.execute("SELECT sha256 FROM seen WHERE source = ?", (report.source,)).fetchone()
            if before is not None and before[0] != report.sha256:
                self._base.execute("DELETE FROM pages WHERE source = ?", (report.source,))
            self._base.execute(
                "INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?, ?)",
                (report.source, report.size, report.mtime_ns, report.sha256, report.n_pages),
            )
            for page, status, kind in report.pages:
                row = (report.source, page, status, kind, entry.place.segment, entry.place.offset, position)
                self._base.execute("INSERT OR REPLACE INTO pages VALUES (?, ?, ?, ?, ?, ?, ?)", row)
                position += 1

    def forget_failures(self) -> None:
        """As if failed pages had never been read; a file without any good page as if it had never been seen."""
        self._base.execute("DELETE FROM pages WHERE status = 'failed'")
        self._base.execute("DELETE FROM seen WHERE source NOT IN (SELECT source FROM pages)")

    def list_files(self, files: Iterable[SourceFile]) -> int:
        """Append files to the listing; one that is listed already is left out. Returns how many were new."""
        rows = ((file.source, os.fsencode(file.path), file.size, file.mtime_ns, file.place) for file in files)
        sql = "INSERT OR IGNORE INTO files (source, path, size, mtime_ns, place) VALUES (?, ?, ?, ?, ?)"
        self._base.execute("BEGIN")
        added = self._base.executemany(sql, rows).rowcount
        self._base.execute("COMMIT")
        return added

    def files_from(self, ordinal: int, most: int) -> list[KnownFile]:
        """Up to ``most`` listed files from the place ``ordinal`` (from 0) on."""
        sql = """SELECT ordinal, path, source, f.size, f.mtime_ns, s.size, s.mtime_ns, s.sha256, s.n_pages
                 FROM files f LEFT JOIN seen s USING (source) WHERE ordinal > ? ORDER BY ordinal LIMIT ?"""
        found = []
        for number, path, source, size, mtime_ns, *seen in self._base.execute(sql, (ordinal, most)):
            file = SourceFile(os.fsdecode(path), source, size, mtime_ns)
            found.append(KnownFile(number - 1, file, *(seen if seen[3] else (-1, -1, "", 0))))
        return found

    def missing(self, source: str, n_pages: int) -> list[tuple[int, int]]:
        """Runs of pages of a file that have no row yet, as first and stop."""
        rows = self._base.execute("SELECT page FROM pages WHERE source = ?", (source,))
        have = {page for (page,) in rows}
        absent = [page for page in range(n_pages) if page not in have]
        runs = [list(run) for _, run in groupby(enumerate(absent), key=lambda pair: pair[1] - pair[0])]
        return [(run[0][1], run[-1][1] + 1) for run in runs]

    def unlisted(self) -> Iterator[str]:
        """Files with rows that today's listing does not name."""
        sql = "SELECT source FROM seen WHERE source NOT IN (SELECT source FROM files WHERE source IS NOT NULL)"
        return (source for (source,) in self._base.execute(sql))

    def rows(self, limit: int | None = None) -> Iterator[PageRow]:
        """Rows of the listed files in the order of the listing, at most ``limit``."""
        sql = """SELECT source, page, status, kind, segment, offset, position, place
                 FROM files CROSS JOIN pages USING (source) ORDER BY ordinal, page LIMIT ?"""
        rows = self._base.execute(sql, (-1 if limit is None else limit,))
        for source, page, status, kind, segment, offset, position, listed in rows:
            yield PageRow(source, page, status, kind, Place(segment, offset), position, listed)

    def tally(self, limit: int | None = None) -> Tally:
        """Counts and digest of :meth:`rows`."""
        counts: Counter[str] = Counter()
        failures: Counter[str] = Counter()
        digest = sha256()
        for row in self.rows(limit):
            counts[row.status] += 1
            if row.kind:
                failures[row.kind] += 1
            digest.update(f"{row.source}\0{row.page}\0{row.place.segment}\0{row.place.offset}\n".encode())
        return Tally(counts, failures, digest.hexdigest())
