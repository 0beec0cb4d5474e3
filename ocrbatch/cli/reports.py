"""Reports that commands write where the user says: lists, figures, pages to look at. None costs anybody a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ocrbatch.errors import OutputError


def refuse_other(path: Path | None, option: str, what: str, begins: str) -> None:
    """Raises OutputError when a file is at ``path`` that does not begin as all of ours do: labels perhaps, or whatever
    else somebody needs. An empty one, a pipe or a device holds nothing to lose."""
    if path is None or not path.is_file():
        return
    try:
        with path.open("rb") as file:
            start = file.read(len(begins.encode()))
    except OSError as error:
        raise OutputError(f"Cannot look at {path} ({error.strerror}): choose another {option}.") from error
    if start and start != begins.encode():
        raise OutputError(f"{path} is there already and is no {what}: choose another {option}.")


def refuse_other_list(path: Path | None) -> None:
    """The same for a list of samples that are left out."""
    from ocrbatch.data.check import LIST_BEGINS

    refuse_other(path, "--skip-bad", "list of bad samples", LIST_BEGINS)


def write_json(path: Path, value: Any) -> None:
    """A value as a JSON file. Raises OutputError."""
    import json

    try:
        # Names of files may hold what is no character; JSON can say so.
        path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", "utf-8", errors="backslashreplace")
    except OSError as error:
        raise OutputError(f"Cannot write {path}: {error.strerror}.") from error
