from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ocrbatch.plugin_system.host import Host

if TYPE_CHECKING:
    from s3_store import Store

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


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """Host and port of an S3 server on this machine."""
    moto_server = pytest.importorskip("moto.server", reason="needs moto, a local S3")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"{host}:{port}"
    server.stop()


@pytest.fixture
def store(endpoint: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Store:
    """A bucket, with the credentials for it in the environment."""
    from pyarrow.fs import S3FileSystem
    from s3_store import Store

    for name, value in {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "TMPDIR": str(tmp_path / "tmp"),
    }.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", None)
    bucket = f"bucket-{abs(hash(request.node.nodeid)) % 10**9}"
    fs = S3FileSystem(endpoint_override=endpoint, scheme="http", allow_bucket_creation=True)
    fs.create_dir(bucket)
    return Store(fs, bucket, f"endpoint_override={endpoint}&scheme=http")
