"""What is refused of arguments before any command sees them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import click


class FiniteRange(click.FloatRange):
    """A number in a range, and neither nan, which is in every range, nor infinite."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is no number that can be reckoned with.", param, ctx)
        return number


def refuse_empty(ctx: click.Context, arguments: Sequence[str]) -> None:
    """Raise UsageError for an option or argument that is empty, as of a shell variable that is not set: it would mean
    the current folder, or a default."""
    for before, argument in pairwise(["", *arguments]):
        option = re.fullmatch(r"(--[\w-]+)=\s*", argument)
        if option or not argument.strip():
            what = option[1] if option else f"What follows {before}" if before.startswith("-") else "An argument"
            ctx.fail(f"{what} is empty: give it a value, or leave it out.")
