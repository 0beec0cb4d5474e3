"""Where results go: a file, a folder of part files, or a folder of documents, on this machine or elsewhere."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

from ocrbatch.data.places import Place, canonical, is_uri
from ocrbatch.errors import OutputError
from ocrbatch.outputs.formats import DOCUMENTS, form_of, is_one_file
from ocrbatch.outputs.target_files import LocalFile, RemoteFile, WriteFile
from ocrbatch.outputs.target_folders import Documents, Parts


class Target(Protocol):
    """A place for results. A file appears there whole, those of a folder one by one."""

    @property
    def name(self) -> str:
        """How messages call it."""
        ...

    @property
    def form(self) -> str:
        """The format."""
        ...

    @property
    def journal(self) -> Path:
        """Folder of the journal when no other is named."""
        ...

    @property
    def most_pages(self) -> int | None:
        """How many pages there is room for; None for any number."""
        ...

    def check(self) -> None:
        """Raises OutputError when nothing can be written there: better now than after hours."""
        ...

    def mark(self) -> dict[str, Any]:
        """What changes when somebody changes what is there; empty when nothing is. Raises OutputError."""
        ...

    def write(self, write: WriteFile, rows: Iterable[Any], work: Path) -> None:
        """Put rows there, as record batches or dictionaries as the format has it; ``work`` is a folder for what is on
        its way. Raises OutputError."""
        ...


def target_of(out: str | Path, form: str | None = None) -> Target:
    """The target that a path or URI means, in the format ``form`` or else as its name says.

    One that ends in a slash is a folder: of part files (Parquet), or of documents when ``form`` is one of theirs; then
    a name that does not end as such a file does is a folder too. Raises InputError for what is no URI, OutputError for
    what is no place for results.
    """
    text = os.fspath(out)
    is_folder = text.partition("?")[0].endswith("/") if is_uri(text) else text.endswith("/")
    if is_uri(text):
        place = Place.parse(text)
        if place.local is not None:
            return target_of(f"{place.local}/" if is_folder else place.local, form)
        if is_folder or (form and not is_one_file(place.key, form)):
            return _folder(place, f"{place.name.rstrip('/')}/", state_folder(place), form)
        return RemoteFile(place, form or form_of(place.name), state_folder(place))
    if is_folder or (form and not is_one_file(text, form)):
        return _local_folder(Path(text), text, form)
    return LocalFile(Path(text), form or form_of(text))


def refuse_inputs(target: Target, inputs: Iterable[str | Path], what: str) -> None:
    """Raises OutputError, which says ``what`` that is, when writing would replace an input: one with the same place,
    links followed, or one in a folder of part files. Documents stand beside whatever else is in their folder."""
    if isinstance(target, Documents):
        return
    place = _resolved(target.name)
    for path in inputs:
        there = _resolved(os.fspath(path))
        if there == place or (isinstance(target, Parts) and there.startswith(f"{place}/")):
            raise OutputError(f"{target.name} is {what}: choose another --out.")


def _resolved(path: str) -> str:
    found = canonical(path)
    return found if is_uri(found) else os.path.realpath(found)


def _local_folder(folder: Path, text: str, form: str | None) -> Target:
    if folder.name in ("", "..") and not (form in DOCUMENTS and folder.absolute().name):
        raise OutputError(f"Cannot write {text}: name a folder of its own for the part files, such as results/.")
    whole = folder if folder.name else folder.absolute()
    return _folder(Place.of_path(folder), f"{folder}/", whole.with_name(f"{whole.name}.journal"), form)


def _folder(place: Place, name: str, journal: Path, form: str | None) -> Target:
    if form is not None and form in DOCUMENTS:
        return Documents(place, name, journal, form)
    if form not in (None, "parquet"):
        raise OutputError(f"Cannot write {name}: {form} is one file, so leave out the slash at its end.")
    return Parts(place, name, journal)


def state_folder(place: Place) -> Path:
    """Where this machine keeps the journal of an output that is elsewhere: in ``$XDG_STATE_HOME/ocrbatch``, or else
    ``~/.local/state/ocrbatch``, under the last part of the URI and a hash of all of it but user and password."""
    home = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    key = hashlib.sha256(f"{place.name}?{place.query}".encode()).hexdigest()[:12]
    last = "".join(letter if letter.isalnum() or letter in "._-" else "_" for letter in place.key.rpartition("/")[2])
    return home / "ocrbatch" / f"{last[:60] or place.netloc}-{key}.journal"
