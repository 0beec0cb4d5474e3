from __future__ import annotations

import pytest

from ocrbatch import errors
from ocrbatch.errors import ExitCode, OcrbatchError

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, OcrbatchError)]


def test_exit_codes_are_fixed() -> None:
    """Scripts rely on these numbers; 1 is Python's own for a traceback, 2 click's for wrong usage."""
    assert {code.name: code.value for code in ExitCode} == {
        "OK": 0,
        "USAGE": 2,
        "PLUGIN": 3,
        "CONFIG": 4,
        "INPUT": 5,
        "OUTPUT": 6,
        "BUNDLE": 7,
        "TRAINING": 8,
        "PARTIAL": 10,
        "INTERRUPTED": 130,
    }


def test_each_kind_of_error_has_its_own_exit_code() -> None:
    codes = [kind.exit_code for kind in KINDS]
    assert len(set(codes)) == len(codes) > 5


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_message_is_what_was_given(kind: type[OcrbatchError]) -> None:
    error = kind("pages.pdf: page 3 is damaged.")
    assert str(error) == "pages.pdf: page 3 is damaged."
    assert error.exit_code not in (ExitCode.OK, ExitCode.PARTIAL, ExitCode.INTERRUPTED)
