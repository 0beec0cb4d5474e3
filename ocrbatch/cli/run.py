"""``ocrbatch run``: from files to rows."""

from __future__ import annotations

import codecs
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from ocrbatch.cli.options import OUT_HELP, form_option, pass_host
from ocrbatch.data.places import Place, is_uri
from ocrbatch.data.stores import reason
from ocrbatch.errors import ConfigError, InputError
from ocrbatch.pipeline.cores import share_cores, usable_cores
from ocrbatch.pipeline.processes import Processes
from ocrbatch.pipeline.worker import READING, module_of

if TYPE_CHECKING:
    from ocrbatch.config.run import RunConfig
    from ocrbatch.pipeline.preparation import Preparation
    from ocrbatch.plugin_system.host import Host

_PICTURES = "inference_results"


@click.command("run", context_settings={"max_content_width": 120})
@click.argument("paths", nargs=-1, metavar="PATH...")
@click.option(
    "--out",
    "-o",
    required=True,
    metavar="PLACE",
    help=OUT_HELP,
)
@form_option
@click.option(
    "--journal",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Where to keep what was read until the results are written. Default: beside them.",
)
@click.option("--det", metavar="BUNDLE", help="Detector: a folder or .ocrb file; the default one when left out.")
@click.option("--rec", metavar="BUNDLE", help="Recognizer: a folder or .ocrb file; the default one when left out.")
@click.option("--stages", metavar="det,rec", help="det: only find boxes; rec: each picture is one line. Default: both.")
@click.option(
    "--post",
    multiple=True,
    metavar="NAME[:key=value,...]",
    help="Postprocessor; repeat for a chain. Default: score_filter, reading_order. 'none' for none.",
)
@click.option("--engine", metavar="NAME", help="What executes the networks (see `ocrbatch plugins list`).")
@click.option("-c", "--config", type=click.Path(path_type=Path), metavar="FILE|NAME", help="Settings; options win.")
@click.option(
    "--set", "assignments", multiple=True, metavar="KEY=VALUE", help="One setting, such as det.unclip_ratio=1.8."
)
@click.option("--dpi", type=int, help="Resolution for pages of a PDF. Default: 200.")
@click.option("--include", multiple=True, metavar="GLOB", help="In folders, take only such files (hidden ones too).")
@click.option("--exclude", multiple=True, metavar="GLOB", help="In folders, leave out such files and folders.")
@click.option(
    "--files-from", metavar="FILE", help="Also read the files named in FILE, one a line or ended by NUL; - is stdin."
)
@click.option("--limit", type=click.IntRange(1, 10**12), help="Stop after that many pages, in input order.")
@click.option("--shard", metavar="I/N", help="Read only part I of N, the same command for each; see `ocrbatch merge`.")
@click.option("--workers", type=click.IntRange(min=1), help="Processes, four a core at most. Default: cores / threads.")
@click.option("--threads", type=click.IntRange(min=1), help="Threads of each process. Default: cores / workers, or 1.")
@click.option(
    "--executor", type=click.Choice(["local", "ray"]), default="local", help="Processes here, or on a Ray cluster."
)
@click.option("--ray-address", metavar="ADDRESS", help="The Ray cluster. Default: auto, the one of this machine.")
@click.option("--timeout", type=float, metavar="SECONDS", help="Give a page up when a step takes longer. Default: 120.")
@click.option("--retry-failed", is_flag=True, help="Read pages again that failed in an earlier start.")
@click.option("--max-failures", type=click.IntRange(min=0), help="Stop when more pages than that have failed.")
@click.option("--overwrite", is_flag=True, help="Begin anew, whatever was read before.")
@click.option(
    "--visualize",
    is_flag=False,
    flag_value=_PICTURES,
    type=click.Path(path_type=Path, file_okay=False),
    metavar="[DIR]",
    help=f"Draw each page with its boxes and text. Default folder: ./{_PICTURES}.",
)
@click.option("--quiet", "-q", is_flag=True, help="Say nothing but errors.")
@click.option("--log-file", type=click.Path(path_type=Path, dir_okay=False), help="Append what happens to a file.")
@pass_host
def command(host: Host, /, paths: tuple[str, ...], out: str, **options: Any) -> None:
    """Read pictures, PDFs and TIFFs, and whole folders of them, into a table with a row for each page, or into
    documents: text, hOCR, ALTO, PAGE, searchable PDF.

    PATH and --out may be URIs too, such as s3://bucket/scans.

    Started again, the same command goes on where it was interrupted, and reads only files that are new or changed.

    \b
    ocrbatch run scans --out results.parquet
    ocrbatch run page.jpg letter.pdf --out results.jsonl --visualize
    ocrbatch run book.pdf --out searchable.pdf
    ocrbatch run scans --to hocr --out hocr/
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # those of numpy would spin for work that is not there
    inputs = _inputs(paths, options["files_from"], options["visualize"])
    ray = _ray_address(options["executor"], options["ray_address"])
    workers, threads = _work_sharing(options["workers"], options["threads"], ray)
    with closing(Processes(module_of(READING), threads)) as processes:
        processes.prepare(soon_needed(inputs, workers, ray))
        prepared = _prepared(host, inputs, threads, options)
        processes.tell(prepared.start)
        _run(prepared, processes, out, workers, ray, options)


def _prepared(host: Host, inputs: Sequence[str], threads: int, options: Mapping[str, Any]) -> Preparation:
    from ocrbatch.pipeline.preparation import prepare

    return prepare(_config(options), host, inputs, threads=threads, pictures=options["visualize"])


def _run(
    prepared: Preparation,
    processes: Processes,
    out: str,
    workers: int | None,
    ray: str | None,
    options: Mapping[str, Any],
) -> NoReturn:
    from ocrbatch.cli.run_report import exit_code, open_watch, say_start, say_summary
    from ocrbatch.data.shards import Shard
    from ocrbatch.data.sources import Selection
    from ocrbatch.pipeline.batch import batch_of, run_batch

    batch = batch_of(
        prepared,
        out,
        workers=workers,
        ray=ray,
        form=options["form"],
        limit=options["limit"],
        max_failures=options["max_failures"],
        overwrite=options["overwrite"],
        retry_failed=options["retry_failed"],
        journal_at=options["journal"],
        selection=Selection(options["include"], options["exclude"]),
        shard=Shard.parse(options["shard"]) if options["shard"] else None,
    )
    with open_watch(quiet=options["quiet"], log_file=options["log_file"]) as watch:
        with watch.bar:
            say_start(watch, batch)
            summary = run_batch(batch, watch, processes)
        say_summary(watch, batch, summary)
    sys.exit(exit_code(summary))


def soon_needed(inputs: Sequence[str], workers: int | None, ray: str | None) -> int:
    """Workers to start before anything else, while this process gets ready: one for a single file, which is read sooner
    alone, else two. The others follow when there is work for them."""
    if ray:
        return 0
    single = len(inputs) == 1 and not is_uri(inputs[0]) and not Path(inputs[0]).is_dir()
    return min(workers or 1, 1 if single else 2)


def _ray_address(executor: str, address: str | None) -> str | None:
    """The address of the Ray cluster to read on, None for this machine. Raises ConfigError."""
    if executor == "ray":
        return address or "auto"
    if address is not None:
        raise ConfigError("--ray-address is for --executor ray: add that, or leave the address out.")
    return None


def _work_sharing(workers: int | None, threads: int | None, ray: str | None) -> tuple[int | None, int]:
    """Workers (None: as many as a cluster has room for) and threads of each."""
    return (workers, threads or 1) if ray else share_cores(usable_cores(), workers, threads)


def _inputs(paths: tuple[str, ...], files_from: str | None, pictures: Path | None) -> list[str]:
    """Paths as given, then those of the list. Raises InputError for one on the command line that is not there."""
    for path in paths:
        _refuse_missing(path)
    inputs = list(paths)
    if files_from is not None:
        try:
            content = sys.stdin.buffer.read() if files_from == "-" else Path(files_from).read_bytes()
        except OSError as error:
            raise InputError(f"Cannot read the list {files_from}: {error.strerror or error}.") from error
        inputs += _listed(content)
    if not inputs:
        taken = f" (--visualize took {pictures} as its folder)" if pictures and pictures.exists() else ""
        raise InputError(f"Nothing to read{taken}: name a file or folder, or a list with --files-from.")
    return inputs


def _listed(content: bytes) -> list[str]:
    """The names in a list: one a line, or one before each NUL as of ``find -print0``; marks of UTF-8 and UTF-16 as
    Windows sets them are none of the first name."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        content = os.fsencode(content.decode("utf-16", errors="replace"))
    content = content.removeprefix(codecs.BOM_UTF8)
    names = content.split(b"\0") if b"\0" in content else [line.rstrip(b"\r") for line in content.split(b"\n")]
    return [os.fsdecode(name) for name in names if name.strip()]


def _refuse_missing(path: str) -> None:
    if not is_uri(path):
        if not os.path.lexists(path):
            raise InputError(f"There is no file or folder {path}.")
        return
    place = Place.parse(path)
    try:
        place.stat()
    except FileNotFoundError:
        raise InputError(f"There is no file or folder {place.name}.") from None
    except OSError as error:
        raise InputError(f"Cannot read {place.name}: {reason(error)}.") from error


def _config(options: Mapping[str, Any]) -> RunConfig:
    """Schema defaults, then the file, then the options, then --set. Raises ConfigError."""
    from ocrbatch.config.load import apply_set
    from ocrbatch.config.recipes import load_recipe
    from ocrbatch.config.run import RunConfig
    from ocrbatch.config.values import validate

    chains = RunConfig().model_dump(mode="json", include={"post", "engine"})  # so that --set reaches into them
    values = chains | (load_recipe(options["config"], ["run"]) if options["config"] else {})
    for name in ("det", "rec"):
        if options[name]:
            values[name] = {**_mapping(values, name), "bundle": options[name]}
    if options["engine"]:
        values["engine"] = _engine(values["engine"], options["engine"])
    if options["stages"]:
        values["stages"] = [stage.strip() for stage in options["stages"].split(",")]
    if options["post"]:
        values["post"] = [_post(text) for text in options["post"] if text != "none"]
    values |= {name: options[name] for name in ("dpi", "timeout") if options[name] is not None}
    values = apply_set(values, options["assignments"])
    for name in ("det", "rec"):
        if name in values:
            values[name] = {"bundle": name, **_mapping(values, name)}
    return validate(RunConfig, values)


def _engine(chosen: Any, name: str) -> dict[str, Any]:
    """The engine of that name, with the options of the file when these are for it."""
    return chosen if isinstance(chosen, dict) and chosen.get("name") == name else {"name": name}


def _mapping(values: dict[str, Any], name: str) -> dict[str, Any]:
    """The value of det or rec, which may also be written as the bundle's path alone."""
    value = values.get(name, {})
    if isinstance(value, str):
        return {"bundle": value}
    if not isinstance(value, dict):
        raise ConfigError(f"{name}: give a bundle's path, or keys and values.")
    return value


def _post(text: str) -> dict[str, Any]:
    """``NAME:key=value,key=value`` as a mapping. Raises ConfigError."""
    from ocrbatch.config.load import parse_value

    name, _, rest = text.partition(":")
    choice: dict[str, Any] = {"name": name.strip()}
    for part in filter(None, rest.split(",")):
        key, equals, value = part.partition("=")
        if not equals:
            raise ConfigError(f"--post {text!r} is not of the form NAME:key=value,key=value.")
        choice[key.strip()] = parse_value(value)
    return choice
