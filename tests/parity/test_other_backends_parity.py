"""The same comparisons on the other backends of Keras, where they are installed (they are no dependencies)."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TESTS = (
    "test_det_parity.py::test_db_parity[det_mv3_db]",
    "test_det_parity.py::test_east_parity[det_mv3_east]",
    "test_rec_parity.py::test_recognizer_parity[rec_mv3_none_bilstm_ctc]",
    "test_rec_parity.py::test_attention_recognizer_parity[rec_mv3_tps_bilstm_att]",
)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_parity_on(backend: str) -> None:
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *(str(HERE / test) for test in TESTS)]
    environment = os.environ | {"KERAS_BACKEND": backend}
    done = subprocess.run(command, cwd=HERE.parents[1], capture_output=True, text=True, env=environment, timeout=900)
    assert done.returncode == 0, done.stdout
    assert f"{len(TESTS)} passed" in done.stdout
