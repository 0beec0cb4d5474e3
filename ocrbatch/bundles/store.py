"""Opening, checking and writing bundles. Nothing of a bundle is executed; keras is imported only on request."""

from __future__ import annotations

import hashlib
import io
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ocrbatch.api import Task
from ocrbatch.bundles import network
from ocrbatch.bundles.archive import INFO_LIMIT, is_bundle, read_member, write_archive
from ocrbatch.bundles.format import (
    GRAPH,
    INFO,
    LEXICON,
    WEIGHTS,
    BundleInfo,
    FileStamp,
    PluginStamp,
    identity,
    parse,
    render,
)
from ocrbatch.charset import Charset
from ocrbatch.config.schema import ImageInput, ModelSpec
from ocrbatch.config.values import merge
from ocrbatch.errors import BundleError, ConfigError, PluginError
from ocrbatch.lexicon import lexicon_sha256
from ocrbatch.plugin_system.host import Host

_KINDS = {"det": "detector", "rec": "recognizer"}
_DEFAULTS = Path(__file__).parent.parent / "models"


@dataclass(frozen=True, slots=True)
class BundleGraph:
    """The graph of a bundle, as engines want it (:class:`ocrbatch.contracts.Graph`)."""

    path: Path
    info: BundleInfo
    host: Host

    def onnx(self) -> bytes:
        """The exported graph. Raises BundleError when it is damaged."""
        return read_checked(self.path, self.info, GRAPH)

    def keras_model(self) -> Any:
        """The inference network with its trained weights: uint8 (N, H, W, C) in. Raises BundleError, PluginError."""
        networks = network.build_networks(self.info.spec, self.host)
        load_weights(networks.training, read_checked(self.path, self.info, WEIGHTS), str(self.path))
        return network.normalized(networks.inference, network.algorithm_config(self.info.spec, self.host).input)


@dataclass(frozen=True, slots=True)
class Bundle:
    """An opened bundle; its files are read, and checked, when they are asked for."""

    path: Path
    info: BundleInfo
    host: Host
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> Task:
        """det or rec."""
        return self.info.spec.task

    @property
    def spec(self) -> ModelSpec:
        """The model, with the options that were given when the bundle was opened."""
        return network.with_options(self.info.spec, self.options)

    @property
    def spec_here(self) -> ModelSpec:
        """The same with the path of the bundle's own lexicon, if it is in effect, as a lexicon in a file has one.

        Raises BundleError when that is damaged.
        """
        if not self._reads_own_words:
            return self.spec
        read_checked(self.path, self.info, LEXICON)
        return network.with_options(self.spec, {"lexicon": str(self.path / LEXICON)})

    @property
    def config(self) -> Any:
        """The algorithm's options (a DetectorConfig or RecognizerConfig)."""
        return network.algorithm_config(self.spec, self.host)

    @property
    def input(self) -> ImageInput:
        """How pixels enter the network."""
        return self.config.input

    @property
    def charset(self) -> Charset | None:
        """The characters of a recognizer."""
        return None if self.spec.charset is None else Charset(self.spec.charset)

    @property
    def identity(self) -> str:
        """sha256 over the model's description, as opened, and the content of its files."""
        return identity(self.info.model_copy(update={"spec": self.spec}))

    @property
    def lexicon_sha256(self) -> str | None:
        """sha256 of the file of words that the recognizer favours, as opened; None without one. Raises ConfigError."""
        if self._reads_own_words:
            return self.info.files[LEXICON].sha256
        lexicon = network.lexicon(self.spec, self.host)
        return None if lexicon is None else lexicon_sha256(lexicon)

    @property
    def _reads_own_words(self) -> bool:
        named = self.info.spec.algorithm.options.get("lexicon") == LEXICON and LEXICON in self.info.files
        return named and "lexicon" not in self.options  # there it names a file like any other

    @property
    def graph(self) -> BundleGraph:
        """What an engine opens."""
        return BundleGraph(self.path, self.info, self.host)

    def codec(self) -> Any:
        """The DetectorCodec or RecognizerCodec; imports no keras. Raises BundleError, ConfigError."""
        return network.codec_for(self.spec_here, self.host)

    def weights(self) -> bytes:
        """Weights of the training network, as Keras saves them (.weights.h5)."""
        return read_checked(self.path, self.info, WEIGHTS)


def open_bundle(
    path_or_name: str | Path, host: Host, *, kind: Task | None = None, options: Mapping[str, Any] | None = None
) -> Bundle:
    """Opens a bundle by path, or a default one by the name ``det`` or ``rec``.

    ``options`` lay over the algorithm's own, such as ``{"unclip_ratio": 1.8}``. Raises BundleError when the bundle is
    missing, damaged, of a newer format, of another kind than ``kind``, or made for a plugin that is not usable here;
    ConfigError when ``options`` do not fit.
    """
    path = locate(path_or_name)
    info = read_info(path)
    if kind is not None and info.spec.task != kind:
        raise BundleError(f"{path} is a {_KINDS[info.spec.task]}: a {_KINDS[kind]} is needed here.")
    bundle = Bundle(path, info, host)
    _check_plugin(bundle)
    if not options:
        return bundle
    host.config(network.algorithm(info.spec, host), merge(info.spec.algorithm.options, options), str(path))
    return Bundle(path, info, host, dict(options))


def locate(path_or_name: str | Path) -> Path:
    """Path of a bundle; ``det`` and ``rec`` name the default ones unless there is such a path. Raises BundleError."""
    named = str(path_or_name) in _KINDS and not Path(path_or_name).exists()
    return default_bundle(str(path_or_name)) if named else Path(path_or_name)


def read_info(path: Path) -> BundleInfo:
    """What bundle.json says; needs no plugin. Raises BundleError."""
    if not is_bundle(path):
        raise BundleError(_no_bundle(path))
    return parse(read_member(path, INFO, INFO_LIMIT), str(path))


def read_checked(path: Path, info: BundleInfo, name: str) -> bytes:
    """Content of a file of the bundle. Raises BundleError when it is not what was exported."""
    stamp = info.files.get(name)
    if stamp is None:
        raise BundleError(f"{path} holds no {name}.")
    content = read_member(path, name, stamp.size)
    if len(content) != stamp.size or hashlib.sha256(content).hexdigest() != stamp.sha256:
        raise BundleError(f"{path} is damaged: {name} is not as it was exported. Copy or export the bundle anew.")
    return content


def damages(path: Path) -> list[str]:
    """One sentence for each file of a bundle that is not as it was exported. Raises BundleError without bundle.json."""
    info = read_info(path)
    found = []
    for name in info.files:
        try:
            read_checked(path, info, name)
        except BundleError as error:
            found.append(str(error))
    return found


def write_bundle(target: Path, info: BundleInfo, files: Mapping[str, bytes], *, overwrite: bool = False) -> BundleInfo:
    """Writes ``files`` and a bundle.json that lists them; ``target`` ending in .ocrb is a zip file, else a folder.

    Either the whole bundle appears or none. Raises OutputError.
    """
    stamps = {
        name: FileStamp(sha256=hashlib.sha256(content).hexdigest(), size=len(content))
        for name, content in files.items()
    }
    info = info.model_copy(update={"files": stamps})
    write_archive(target, {INFO: render(info), **files}, overwrite=overwrite)
    return info


def default_bundle(kind: str) -> Path:
    """Path of the detector (``det``) or recognizer (``rec``) that comes with ocrbatch. Raises BundleError."""
    if kind not in _KINDS:
        raise BundleError(f"There is no default bundle {kind!r}: there is det and rec.")
    path = _DEFAULTS / kind
    if not is_bundle(path):
        raise BundleError(f"This installation has no default {_KINDS[kind]}: name a bundle with --{kind} PATH.")
    return path


def load_weights(model: Any, content: bytes, where: str) -> None:
    """Sets the weights of a ``keras.Model``. Raises BundleError when they belong to another network."""
    with tempfile.TemporaryDirectory(prefix="ocrbatch-") as folder:
        path = Path(folder) / WEIGHTS
        path.write_bytes(content)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", UserWarning)  # what Keras says when it leaves a layer as it was
                model.load_weights(path)
        except (OSError, RuntimeError) as error:
            raise BundleError(f"The weights of {where} are damaged: put back a copy, or take others.") from error
        except (ValueError, KeyError, UserWarning) as error:
            raise BundleError(f"The weights of {where} do not fit the network that it describes: {error}") from error


def saved_weights(model: Any) -> bytes:
    """The weights of a ``keras.Model`` as Keras saves them (.weights.h5)."""
    file = _WeightsInMemory()
    model.save_weights(file)
    return file.getvalue()


class _WeightsInMemory(io.BytesIO):
    """A file that Keras takes for one of weights, for it goes by the name. HDF5 must not write to a disk itself: when
    that is full it ends the whole process (a segmentation fault)."""

    def __str__(self) -> str:
        return WEIGHTS


def stamp_plugins(spec: ModelSpec, host: Host) -> dict[str, PluginStamp]:
    """Names, distributions and versions of the plugins that ``spec`` uses now."""
    used = {"algorithm": network.algorithm(spec, host), "backbone": host.backbone(spec.backbone.name)}
    stamps = {}
    for role, plugin in used.items():
        distribution, version = host.provider(plugin)
        stamps[role] = PluginStamp(name=plugin.name, distribution=distribution, version=version)
    return stamps


def _check_plugin(bundle: Bundle) -> None:
    made_with = bundle.info.algorithm
    wanted = f"{bundle.path} was made with {made_with.name!r} of {made_with.distribution} {made_with.version}"
    try:
        plugin = network.algorithm(bundle.info.spec, bundle.host)
    except PluginError as error:
        raise BundleError(f"{wanted}, which is not usable here: {error}") from error
    try:
        network.algorithm_config(bundle.info.spec, bundle.host)
    except ConfigError as error:
        installed = " ".join(bundle.host.provider(plugin))
        raise BundleError(f"{wanted}, and its options do not fit {installed}, installed here: {error}") from error


def _no_bundle(path: Path) -> str:
    if not path.exists():
        return f"There is no bundle at {path}."
    if (path / "config.yml").is_file():
        return f"{path} is a training run, not a bundle: make one with `ocrbatch export {path} --out NAME.ocrb`."
    return f"{path} is no bundle: a bundle is a folder with {INFO}, or a file that ends in .ocrb."
