"""Small labelled pictures, and the command line as a function."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from ocrbatch.cli.main import cli

Run = Callable[..., tuple[int, str]]


def draw(path: Path, height: int = 32, width: int = 120, shade: int = 230) -> Path:
    """A picture whose content depends on its size and shade."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = np.full((height, width, 3), shade, np.uint8)
    picture[height // 4 : height // 2, width // 4 : width // 2] = 20
    cv2.imwrite(str(path), picture)
    return path


@pytest.fixture(scope="session")
def picture() -> Callable[..., Path]:
    return draw


@pytest.fixture
def run() -> Run:
    """Runs ``ocrbatch`` and gives the exit code and all output."""

    def call(*arguments: object) -> tuple[int, str]:
        result = CliRunner().invoke(cli, [str(argument) for argument in arguments])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        return result.exit_code, result.output

    return call
