"""Places on other machines: URIs of S3, Google Cloud Storage, Azure, HDFS, and ``file://``, through pyarrow."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from ocrbatch.data.stores import AZURE, as_os_errors, open_store, refuse_azure
from ocrbatch.errors import InputError

_URI = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_UNCLEAR = re.compile(r"[%?#]")
_CHUNK = 8 << 20
_SECOND = 1_000_000_000
_RENAMED = ("file", "hdfs", "viewfs")  # here a file is renamed in one step; a store shows an upload at its end only


@dataclass(frozen=True, slots=True)
class Stat:
    """What a file system says of a file: size in bytes and time of change in nanoseconds, of whole seconds (stores list
    more digits than they tell when they are asked for one file)."""

    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Place:
    """A file or folder by URI: ``scheme://netloc/key?query``, the key decoded and without slashes at its ends.

    The query is pyarrow's, such as ``endpoint_override=localhost:9000&scheme=http``; it is part of how a place is
    reached, not of its name.
    """

    scheme: str
    netloc: str
    key: str
    query: str = ""

    @classmethod
    def parse(cls, uri: str) -> Place:
        """Takes what pyarrow takes, and also blanks and letters of any language. Raises InputError."""
        match = _URI.match(uri)
        if match is None:
            raise InputError(f"{uri} is no URI such as s3://bucket/folder.")
        rest, _, query = uri[match.end() :].partition("?")
        netloc, _, key = rest.partition("/")
        return cls(match[1].lower(), netloc, unquote(key).strip("/"), query)

    @classmethod
    def of_path(cls, path: Path) -> Place:
        """A path of this machine."""
        return cls("file", "", str(path.absolute()).strip("/"))

    @property
    def uri(self) -> str:
        """All that is needed to open it."""
        return f"{self.scheme}://{self.netloc}/{quote(self.key)}" + (f"?{self.query}" if self.query else "")

    @property
    def name(self) -> str:
        """How results and messages call it: without query, user and password, and with blanks as they are."""
        key = _UNCLEAR.sub(lambda mark: quote(mark[0]), self.key)
        user, _, host = self.netloc.rpartition("@")
        container = user.partition(":")[0] if self.scheme.startswith("abfs") else ""  # what others have a user for
        return f"{self.scheme}://{f'{container}@' if container else ''}{host}/{key}"

    @property
    def local(self) -> Path | None:
        """The path of a ``file://`` URI."""
        return Path("/", self.key) if self.scheme == "file" else None

    def child(self, name: str) -> Place:
        """A file or folder in this one."""
        return replace(self, key=f"{self.key}/{name}" if self.key else name)

    def root(self) -> Place:
        """The bucket, container or file system."""
        return replace(self, key="")

    def parent(self) -> Place:
        """The folder that it lies in."""
        return replace(self, key=self.key.rpartition("/")[0])

    def stat(self) -> Stat | None:
        """Of a file; None for a folder. Raises FileNotFoundError and other OSErrors."""
        with _opened(self) as (fs, path):
            (info,) = fs.get_file_info([path])
        if info.type.name == "NotFound":
            raise FileNotFoundError(f"there is no file or folder {self.name}")
        return _stat(info) if info.type.name == "File" else None

    def entries(self) -> Iterator[tuple[str, Stat | None]]:
        """Names in a folder, those of files with their stat; none when it is not there. Raises OSError."""
        with _opened(self) as (fs, path):
            found = _listed(fs, path, below=False)
        for info in found:
            yield info.base_name, _stat(info) if info.type.name == "File" else None

    def walk(self) -> Iterator[tuple[str, Stat]]:
        """Files in a folder and those below it, by their paths in it; none when it is not there. Raises OSError."""
        with _opened(self) as (fs, path):
            found = _listed(fs, path, below=True)
        for info in sorted(found, key=lambda info: str(info.path)):
            stat = _stat(info) if info.type.name == "File" else None
            if stat is not None:
                yield info.path[len(path) :].lstrip("/"), stat

    def open(self) -> Any:
        """The file for reading at any position. Raises OSError."""
        with _opened(self) as (fs, path):
            return fs.open_input_file(path)

    def get(self, target: Path, alive: Callable[[], None] = lambda: None) -> None:
        """Copy to a file on this machine; ``alive`` is called for each piece. Raises OSError."""
        with _opened(self) as (fs, path), fs.open_input_stream(path) as source, target.open("wb") as file:
            while piece := source.read(_CHUNK):
                file.write(piece)
                alive()

    def put(self, source: Path) -> None:
        """Copy a file of this machine here; it appears whole or not at all. Raises OSError."""
        with _opened(self) as (fs, path):
            partial = f"{path}.partial" if self.scheme in _RENAMED else path
            with source.open("rb") as file, fs.open_output_stream(partial) as stream:
                while piece := file.read(_CHUNK):
                    stream.write(piece)
            (info,) = fs.get_file_info([partial])
            if info.size != source.stat().st_size:
                fs.delete_file(partial)
                raise OSError(f"only {info.size} of {source.stat().st_size} bytes arrived")
            if partial != path:
                if self.scheme != "file" and fs.get_file_info([path])[0].type.name == "File":
                    fs.delete_file(path)  # HDFS renames onto nothing only
                fs.move(partial, path)

    def delete(self) -> None:
        """Remove a file. Raises OSError."""
        with _opened(self) as (fs, path):
            fs.delete_file(path)


def is_uri(path: str) -> bool:
    """Whether ``path`` is a URI rather than a path."""
    return _URI.match(path) is not None


def shown_as(path: str) -> str:
    """A path, or a URI without what is secret in it."""
    return Place.parse(path).name if is_uri(path) else path


def canonical(path: str) -> str:
    """The same for all ways to name a place but links; of a URI without what is secret in it."""
    if is_uri(path):
        place = Place.parse(path)
        return place.name.rstrip("/") if place.local is None else canonical(str(place.local))
    return os.path.abspath(path)  # noqa: PTH100 - resolves dots, not links


def _stat(info: Any) -> Stat:
    return Stat(int(info.size), (info.mtime_ns or 0) // _SECOND * _SECOND)


@contextmanager
def _opened(place: Place) -> Iterator[tuple[Any, str]]:
    """The file system and the path in it, for as long as it is asked for something. Raises OSError."""
    fs, base = open_store(place.scheme, place.netloc, place.query)
    path = f"{base}{place.key}" if place.key else base.rstrip("/") or base
    if path and place.scheme in AZURE:
        refuse_azure(place.scheme, place.netloc, place.query, path.partition("/")[0])
    with as_os_errors():
        yield fs, path


def _listed(fs: Any, path: str, *, below: bool) -> Any:
    """What is in a folder, or also ``below`` it; in one that is not there, which stores say in different ways, is
    nothing. Raises OSError."""
    from pyarrow.fs import FileSelector

    if not path:
        raise OSError("name a container, as in abfs://container@account.dfs.core.windows.net/folder")
    return fs.get_file_info(FileSelector(path, recursive=below, allow_not_found=True))
