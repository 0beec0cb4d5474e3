"""What a person sees of pages that go from results into something else."""

from __future__ import annotations

from dataclasses import dataclass

import click

_SHOWN = 20


@dataclass
class PageReport:
    """Counts pages and says on stderr what is wrong with the first ones."""

    quiet: bool
    pages: int = 0
    problems: int = 0

    def page(self, source: str, page: int, problem: str | None) -> None:
        """Count a page, counted from 0, and tell of its problem."""
        self.pages += 1
        if problem is None:
            return
        self.problems += 1
        if self.problems <= _SHOWN:
            click.echo(f"{source}, page {page + 1}: {problem}", err=True)

    def end(self, out: str, what: str = "failed") -> None:
        """Say how many pages there were, and with how many of them ``what`` happened."""
        if self.problems > _SHOWN:
            click.echo(f"... and {self.problems - _SHOWN} more.", err=True)
        if not self.quiet:
            click.echo(f"{self.pages:,} pages into {out}, {self.problems:,} {what}.", err=True)
