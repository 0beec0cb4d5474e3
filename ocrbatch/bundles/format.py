"""What bundle.json says: all that is needed to run a model and to know where it came from."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import datetime
from typing import Any, Literal

from pydantic import Field, ValidationError

from ocrbatch.config.schema import ModelSpec, PluginConfig
from ocrbatch.errors import BundleError

FORMAT = "ocrbatch-bundle"
FORMAT_VERSION = 1
INFO, GRAPH, WEIGHTS, LEXICON = "bundle.json", "model.onnx", "model.weights.h5", "lexicon.txt"

_UNSEALED = "0" * 64
_CHECKSUM = re.compile(r'"checksum": "([0-9a-f]{64})"')


class PluginStamp(PluginConfig):
    """A plugin as it was when the model was exported."""

    name: str
    distribution: str
    version: str


class FileStamp(PluginConfig):
    """A file of the bundle."""

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    size: int = Field(ge=0, description="Bytes.")


class Agreement(PluginConfig):
    """How closely the exported graph gave the network's outputs."""

    samples: int = Field(ge=1, description="Pictures that both have seen.")
    difference: float = Field(
        ge=0, description="Largest |a - b| / max(1, |a|) over all outputs; int8: sum |a - b| / sum |a|."
    )
    tolerance: float = Field(gt=0)


class BundleInfo(PluginConfig):
    """The content of bundle.json.

    ``spec`` is resolved: it spells out every option of algorithm and backbone, and so the input contract, the charset
    and the thresholds of the post-processing.
    """

    format: Literal["ocrbatch-bundle"] = "ocrbatch-bundle"
    format_version: Literal[1] = 1
    name: str = Field(min_length=1)
    spec: ModelSpec
    algorithm: PluginStamp
    backbone: PluginStamp
    outputs: tuple[str, ...] = Field(min_length=1, description="Names of the graph's outputs, in order.")
    parameters: int = Field(ge=0, description="Numbers in the inference network.")
    metrics: dict[str, Any] = Field(
        description="As measured at the end of the training; empty where none was of just these weights."
    )
    agreement: Agreement
    provenance: dict[str, Any] = Field(description="Training data, fonts and their licences.")
    licence: str | None = Field(None, min_length=1, description="Licence of the weights, such as Apache-2.0.")
    created: datetime
    ocrbatch: str = Field(description="Version that exported the model.")
    files: dict[str, FileStamp]


def identity(info: BundleInfo) -> str:
    """sha256 of what decides the results: the description of the model and the content of its files."""
    files = {name: stamp.sha256 for name, stamp in info.files.items()}
    text = json.dumps({"spec": info.spec.model_dump(mode="json"), "files": files}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def render(info: BundleInfo) -> bytes:
    """bundle.json as UTF-8. Its last entry, ``checksum``, is the sha256 of the text with that value as 64 zeros."""
    values = info.model_dump(mode="json") | {"checksum": _UNSEALED}
    text = json.dumps(values, indent=1, ensure_ascii=False) + "\n"
    return hashlib.sha256(text.encode()).hexdigest().join(text.rsplit(_UNSEALED, 1)).encode()


def parse(content: bytes, where: str) -> BundleInfo:
    """The reverse of :func:`render`. Raises BundleError for a newer format, a wrong checksum or invalid content."""
    try:
        text = content.decode()
        values = json.loads(text)
        version = values.pop("format_version") if values.get("format") == FORMAT else None
    except (ValueError, AttributeError, KeyError, RecursionError) as error:
        raise BundleError(f"{where} is damaged: its {INFO} cannot be read. Copy or export the bundle anew.") from error
    if version is None:
        raise BundleError(f"{where} is no ocrbatch bundle: its {INFO} says something else.")
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise BundleError(
            f"{where} has bundle format {version}, this ocrbatch reads up to {FORMAT_VERSION}: update ocrbatch."
        )
    if not _seal_holds(text, str(values.pop("checksum", "none"))):
        raise BundleError(f"{where} is damaged: its {INFO} does not have its checksum. Copy or export the bundle anew.")
    try:
        return BundleInfo.model_validate(values | {"format_version": version})
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise BundleError(f"{where} is not valid: {INFO}, {key}: {first['msg']}.") from error


def _seal_holds(text: str, checksum: str) -> bool:
    found = _CHECKSUM.findall(text)
    unsealed = _UNSEALED.join(text.rsplit(checksum, 1))
    return found[-1:] == [checksum] and hashlib.sha256(unsealed.encode()).hexdigest() == checksum
