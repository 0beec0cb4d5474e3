"""The detector keeps what every detector promises."""

from __future__ import annotations

import pytest

from ocrbatch.testing import Host, check_detector


@pytest.mark.parametrize("options", [{"channels": 8}, {"channels": 4, "geometry": "rbox", "reach": 100.0}])
def test_east_keeps_the_contract(options: dict[str, object]) -> None:
    check_detector(Host.load(), "east", **options)
