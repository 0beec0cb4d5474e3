"""Results of a run in another format, elsewhere."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from ocrbatch.errors import OutputError
from ocrbatch.outputs.documents import Tell
from ocrbatch.outputs.page_pictures import PageFiles
from ocrbatch.outputs.results import read_batches, read_config, read_sources, read_time, sound_rows
from ocrbatch.outputs.saving import Results, save
from ocrbatch.outputs.target_folders import Documents
from ocrbatch.outputs.targets import Target, refuse_inputs


def convert(
    results: str | Path, target: Target, tell: Tell, *, images: Path | None = None, overwrite: bool = False
) -> None:
    """Write the results into ``target``, row by row in memory, and tell of each page. ``images`` is where the pages are
    if not where they were.

    Pages that failed in the run, or that cannot be written, are left out of documents and told of. Raises InputError
    for results that cannot be read and OutputError for a place that is in use or two sources with the same file.
    """
    target.check()
    if not overwrite and target.mark():
        what = f"{target.name} is not empty" if isinstance(target, Documents) else f"{target.name} exists"
        raise OutputError(f"{what}: choose another --out, or --overwrite.")
    refuse_inputs(target, [results], "where the results are")
    if isinstance(target, Documents) and not overwrite:
        target = replace(target, fresh=True)
    with TemporaryDirectory() as work, PageFiles(images, (os.fspath(results),)) as files:
        save(_stored(results), target, Path(work), files, tell)


def _stored(results: str | Path) -> Results:
    return Results(
        partial(read_batches, results),
        partial(sound_rows, results),
        partial(read_sources, results),
        read_config(results),
        read_time(results),
    )
