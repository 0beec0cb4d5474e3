"""The file systems behind URIs, through pyarrow: how they are opened, and what their errors mean."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

_PATIENCE = 5
"""Seconds that Google's client tries again after a failure, instead of fifteen minutes; others have theirs."""

AZURE = ("abfs", "abfss")
"""Schemes of Azure."""


@lru_cache(maxsize=16)
def open_store(scheme: str, netloc: str, query: str) -> tuple[Any, str]:
    """A file system (making one may ask the network where a bucket is) and what the paths in it begin with: nothing for
    an account of Azure, whose containers are in the paths. Raises OSError."""
    from pyarrow.fs import FileSystem

    if scheme in ("gs", "gcs") and "retry_limit_seconds=" not in query:
        query = f"{query}&retry_limit_seconds={_PATIENCE}".lstrip("&")
    with as_os_errors():
        fs, base = FileSystem.from_uri(f"{scheme}://{netloc}/" + (f"?{query}" if query else ""))
    base = base.rstrip("/")
    return fs, "" if scheme in AZURE and not base else f"{base}/"


@lru_cache(maxsize=64)
def refuse_azure(scheme: str, netloc: str, query: str, container: str) -> None:
    """Raises OSError when Azure gives no access. Asked for a container without credentials, pyarrow's client ends the
    process; asked for a file, whether there is one or not, it says why."""
    fs, _ = open_store(scheme, netloc, query)
    with as_os_errors():
        fs.get_file_info([f"{container}/_"])


@contextmanager
def as_os_errors() -> Iterator[None]:
    """pyarrow has errors of its own for what is no fault of the caller: drivers that are not there, credentials that
    are not right, options that are unknown."""
    import pyarrow as pa

    try:
        yield
    except pa.ArrowException as error:
        raise OSError(str(error)) from error


def reason(error: Exception) -> str:
    """Why a file system refused, in a few words."""
    text = " ".join(str(error).split())
    for mark, words in _REASONS.items():
        if mark in text:
            return words
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return text.rpartition("operation: ")[2].partition(" Detail: ")[0].rstrip(". ") or type(error).__name__


_REASONS = {
    "no regular file": "it is no regular file",
    "Unrecognized filesystem": "only s3, gs, abfs, hdfs and file are known",
    "NO_SUCH_BUCKET": "there is no such bucket",
    "ACCESS_DENIED": "access is denied: look at the credentials, such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "INVALID_ACCESS_KEY_ID": "the store does not know the access key: look at AWS_ACCESS_KEY_ID",
    "SIGNATURE_DOES_NOT_MATCH": "the secret key is wrong: look at AWS_SECRET_ACCESS_KEY",
    "NETWORK_CONNECTION": "there is no connection: look at the network, and at endpoint_override or AWS_ENDPOINT_URL",
    "Unable to load libjvm": "HDFS needs Java and Hadoop's libhdfs: set JAVA_HOME, HADOOP_HOME and CLASSPATH",
    "Unable to load libhdfs": "HDFS needs Hadoop's libhdfs: set HADOOP_HOME and CLASSPATH, or ARROW_LIBHDFS_DIR",
    "OAuth2 access token": "Google gives no access: run `gcloud auth application-default login`, or set "
    "GOOGLE_APPLICATION_CREDENTIALS, and look at the network",
    "AuthenticationException": "Azure gives no access: run `az login`, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and "
    "AZURE_CLIENT_SECRET",
    "Could not resolve host": "there is no connection: look at the network, and at the name of the store",
    "Retry policy exhausted": "there is no connection: look at the network, and at endpoint_override",
    "Fail to get a new connection": "there is no connection: look at the network, and at the name of the store",
    "PERMISSION_DENIED": "access is denied: look at the credentials",
}
"""What stands in an error's text, and what it means; the first that fits counts."""
