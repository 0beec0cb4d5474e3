"""The two shapes of a bundle on disk, a folder and a zip file: reading one file of it, writing all of it at once."""

from __future__ import annotations

import os
import re
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from ocrbatch.bundles.format import INFO
from ocrbatch.errors import BundleError, OutputError

SUFFIX = ".ocrb"
INFO_LIMIT = 16 << 20
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


def is_bundle(path: Path) -> bool:
    """Whether ``path`` looks like a bundle; its content is not read."""
    return (path / INFO).is_file() if path.is_dir() else path.suffix == SUFFIX and path.is_file()


def read_member(bundle: Path, name: str, limit: int) -> bytes:
    """Content of the file ``name`` of a bundle, which may be at most ``limit`` bytes long.

    Only plain names are read, so nothing outside the bundle can be reached, and nothing is unpacked beyond ``limit``.
    Raises BundleError.
    """
    if not _PLAIN_NAME.fullmatch(name):
        raise BundleError(f"{bundle} names the file {name!r}: a bundle holds plain file names only.")
    try:
        content = _read_file(bundle / name, limit) if bundle.is_dir() else _read_zipped(bundle, name, limit)
    except FileNotFoundError as error:
        raise BundleError(f"There is no bundle at {bundle}.") from error
    except KeyError as error:
        raise BundleError(f"{bundle} is incomplete: it lacks {name}. Copy or export the bundle anew.") from error
    except (OSError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, ValueError, EOFError) as error:
        raise BundleError(f"{bundle} cannot be read: {name}: {error}.") from error
    if len(content) > limit:
        raise BundleError(f"{bundle} is refused: {name} is longer than the {limit} bytes it may have.")
    return content


def write_archive(target: Path, files: Mapping[str, bytes], *, overwrite: bool = False) -> None:
    """Writes a bundle, as a zip file when ``target`` ends in .ocrb, else as a folder. Either all of it appears or none.

    Raises OutputError when the target exists (and ``overwrite`` is false, or it is no bundle) or cannot be written.
    """
    refuse_existing(target, overwrite=overwrite)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as name:
            made = Path(name) / target.name
            (_write_zip if target.suffix == SUFFIX else _write_folder)(made, files)
            if target.is_dir():
                target.rename(Path(name) / "replaced")
            made.replace(target)
    except OSError as error:
        raise OutputError(f"Cannot write the bundle {target}: {error}.") from error


def refuse_existing(target: Path, *, overwrite: bool) -> None:
    """Raises OutputError when something is at ``target`` that may not be replaced."""
    if target.exists() and not (overwrite and is_bundle(target)):
        advice = "give --overwrite to replace it" if is_bundle(target) else "it is no bundle, so it is left alone"
        raise OutputError(f"{target} already exists: {advice}.")


def _read_file(path: Path, limit: int) -> bytes:
    if not path.is_file():
        raise KeyError(path.name)
    with path.open("rb") as file:
        return file.read(limit + 1)


def _read_zipped(bundle: Path, name: str, limit: int) -> bytes:
    with zipfile.ZipFile(bundle) as archive, archive.open(name) as file:
        return file.read(limit + 1)


def _write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    folder.mkdir()
    for name, content in files.items():
        with (folder / name).open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())


def _write_zip(path: Path, files: Mapping[str, bytes]) -> None:
    with path.open("wb") as file:
        with zipfile.ZipFile(file, "w") as archive:
            for name, content in files.items():
                archive.writestr(zipfile.ZipInfo(name, _ZIP_EPOCH), content, zipfile.ZIP_DEFLATED)
        file.flush()
        os.fsync(file.fileno())
