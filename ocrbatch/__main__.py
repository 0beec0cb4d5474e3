"""``python -m ocrbatch``."""

from ocrbatch.cli.main import cli

if __name__ == "__main__":
    cli(prog_name="ocrbatch")
