"""The hooks of OCRmyPDF that this plugin implements; each does nothing unless ocrbatch was chosen as the engine."""

from __future__ import annotations

from argparse import ArgumentParser

from ocrmypdf import hookimpl
from ocrmypdf.exceptions import BadArgsError
from pydantic import BaseModel, Field

from ocrbatch_ocrmypdf.engine import OcrbatchEngine

NAME = "ocrbatch"
"""What ``--ocr-engine`` calls this engine."""


class OcrbatchOptions(BaseModel):
    """Options of the command line, ``--ocrbatch-det`` and so on; ``options.ocrbatch.det`` in Python."""

    det: str = Field("det", description="Detector: a bundle's folder or file; the default one when left out")
    rec: str = Field("rec", description="Recognizer: a bundle's folder or file; the default one when left out")


@hookimpl
def register_options() -> dict[str, type[BaseModel]]:
    """The options' schema."""
    return {NAME: OcrbatchOptions}


@hookimpl
def add_options(parser: ArgumentParser) -> None:
    """Add the options, and the engine's name to the choices of ``--ocr-engine``, a list in OCRmyPDF itself."""
    for action in parser._actions:
        if "--ocr-engine" in action.option_strings and action.choices is not None:
            action.choices = [*action.choices, NAME]
    group = parser.add_argument_group("ocrbatch", "Options of --ocr-engine ocrbatch")
    for name, field in OcrbatchOptions.model_fields.items():
        group.add_argument(f"--{NAME}-{name}", metavar="BUNDLE", help=f"{field.description}.")


@hookimpl
def check_options(options: object) -> None:
    """Load the models now, so that a wrong bundle is said before any page is looked at."""
    from ocrbatch.errors import OcrbatchError
    from ocrbatch_ocrmypdf.reading import chain_for

    if not _chosen(options):
        return
    try:
        chain_for(options)
    except OcrbatchError as error:
        raise BadArgsError(str(error)) from error


@hookimpl
def get_ocr_engine(options: object) -> OcrbatchEngine | None:
    """The engine, if it was asked for by name."""
    return OcrbatchEngine() if _chosen(options) else None


def _chosen(options: object) -> bool:
    return getattr(options, "ocr_engine", None) == NAME
