"""``python -m ocrbatch``."""

from __future__ import annotations

from ocrbatch.cli.main import cli

if __name__ == "__main__":
    cli(prog_name="ocrbatch")
