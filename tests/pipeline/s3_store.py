"""A bucket on a real S3 server of this machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow.fs import FileSelector, S3FileSystem


@dataclass(frozen=True)
class Store:
    """A bucket of its own for each test, and the query that says how it is reached."""

    fs: S3FileSystem
    bucket: str
    query: str

    def uri(self, key: str) -> str:
        """With the endpoint in the query, as pyarrow takes it."""
        return f"s3://{self.bucket}/{key}?{self.query}"

    def upload(self, source: Path, key: str = "") -> None:
        """A file or a folder of files."""
        for path in sorted(source.rglob("*")) if source.is_dir() else [source]:
            if path.is_file():
                below = path.relative_to(source) if source.is_dir() else ""
                with self.fs.open_output_stream(f"{self.bucket}/{key}{below}") as stream:
                    stream.write(path.read_bytes())

    def read(self, key: str) -> bytes:
        """The content of a file."""
        with self.fs.open_input_stream(f"{self.bucket}/{key}") as stream:
            return bytes(stream.read())

    def names(self, folder: str, *, below: bool = False) -> list[str]:
        """Files in a folder; those of folders in it too if ``below``, by their paths."""
        place = f"{self.bucket}/{folder}".rstrip("/")
        infos = self.fs.get_file_info(FileSelector(place, allow_not_found=True, recursive=below))
        return sorted(info.path[len(place) + 1 :] for info in infos if info.is_file)

    def table(self, key: str) -> pa.Table:
        """A Parquet file, or a folder of them as one, without the times."""
        rows = pq.read_table(f"{self.bucket}/{key}", filesystem=self.fs)
        return rows.drop_columns([name for name in rows.column_names if name.startswith("seconds_")])
