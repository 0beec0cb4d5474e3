from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ocrbatch.plugin_system.host import Host

# spawned workers, which get this process's search path, import the doubles too
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A detector for which dark is text, and a recognizer that reads "ab 12" on everything."""
    import handmade_bundles

    folder, host = tmp_path_factory.mktemp("bundles"), Host.load(environ={})
    return {
        "det": str(handmade_bundles.detector(folder / "dark.ocrb", host)),
        "rec": str(handmade_bundles.recognizer(folder / "always", host)),
    }
