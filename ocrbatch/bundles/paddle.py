"""From a training checkpoint of PaddleOCR to a bundle."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ocrbatch.bundles import network
from ocrbatch.bundles.archive import refuse_existing
from ocrbatch.bundles.export import float32_policy, write_model
from ocrbatch.bundles.format import WEIGHTS, BundleInfo
from ocrbatch.bundles.onnx_graph import native_output_hidden
from ocrbatch.bundles.paddle_recipes import recipe_values
from ocrbatch.bundles.pdparams import read_checkpoint
from ocrbatch.charset import load_charset
from ocrbatch.config.load import apply_set, validate
from ocrbatch.config.schema import ModelSpec
from ocrbatch.errors import BundleError
from ocrbatch.plugin_system.host import Host
from ocrbatch.types import Image

State = Mapping[str, NDArray[np.float32]]

_CTC_CLASSES, _ATTENTION_CLASSES = "head.fc.bias", "head.generator.bias"
_LOCALIZATION = {16: "small", 64: "large"}


def import_checkpoint(
    file: Path,
    out: Path,
    host: Host,
    pictures: Sequence[Image],
    *,
    recipe: str,
    charset: str | None = None,
    assignments: Sequence[str] = (),
    tolerance: float | None = None,
    half: bool = False,
    overwrite: bool = False,
) -> BundleInfo:
    """Makes the bundle ``out`` of a ``.pdparams`` file, by a recipe's name or file.

    Options that the recipe leaves open (widths of the pyramid and of the LSTMs, size of the rectifier's network) are
    taken from the shapes. ``charset`` is a name or a file; when it lacks only the space, the space is added last, where
    PaddleOCR puts it. The exported graph is tried on ``pictures``. Raises InputError, ConfigError, BundleError, with
    tensors and shapes named, or OutputError.
    """
    refuse_existing(out, overwrite=overwrite)
    state, digest = read_checkpoint(file)
    spec = describe(state, recipe, charset, assignments, host)
    with native_output_hidden():
        import keras  # noqa: F401 - it is loud when it is first imported
    from ocrbatch.nn.paddle import load_reference_state

    with float32_policy():
        networks = network.build_networks(spec, host)
        load_reference_state(networks.training, state)
        return write_model(
            networks,
            spec,
            host,
            out,
            pictures,
            weights=_saved(networks.training),
            tolerance=tolerance,
            half=half,
            provenance={"imported": {"file": file.name, "sha256": digest, "recipe": Path(recipe).name}},
            overwrite=overwrite,
        )


def describe(state: State, recipe: str, charset: str | None, assignments: Sequence[str], host: Host) -> ModelSpec:
    """The model that a checkpoint holds. Raises ConfigError, PluginError, BundleError."""
    values = recipe_values(recipe)
    model = apply_set(values["model"], assignments)
    if model.get("task") == "rec":
        model["charset"] = _characters(charset or values.get("charset") or "en", state)
    spec = validate(ModelSpec, model, recipe)
    plugins = {"algorithm": network.algorithm(spec, host), "backbone": host.backbone(spec.backbone.name)}
    for role, plugin in plugins.items():
        seen = {key: value for key, value in _options(state).items() if key in host.schema(plugin).model_fields}
        model[role] = {**seen, **model[role]}
    return validate(ModelSpec, model, recipe)


def _options(state: State) -> dict[str, Any]:
    """Options of the classic architectures that show in the names and shapes of their tensors."""
    shapes = {name: array.shape for name, array in state.items()}
    found: dict[str, Any] = {"squeeze_excite": any(".mid_se." in name for name in shapes)}
    if "neck.in2_conv.weight" in shapes:
        found["fpn_channels"] = shapes["neck.in2_conv.weight"][0]
    if "neck.encoder.lstm.0.cell_fw.weight_hh" in shapes:
        found["hidden"] = shapes["neck.encoder.lstm.0.cell_fw.weight_hh"][1]
    first = shapes.get("transform.loc_net.loc_conv0.conv.weight", (0,))[0]
    return found | ({"localization": _LOCALIZATION[first]} if first in _LOCALIZATION else {})


def _characters(charset: str, state: State) -> str:
    """The characters, as many as the head has classes besides blank, or sos and eos."""
    if _CTC_CLASSES in state:
        wanted = len(state[_CTC_CLASSES]) - 1
    elif _ATTENTION_CLASSES in state:
        wanted = len(state[_ATTENTION_CLASSES]) - 2
    else:
        raise BundleError(f"The checkpoint is no recognizer's: it has neither {_CTC_CLASSES} nor {_ATTENTION_CLASSES}.")
    characters = load_charset(charset).characters
    if len(characters) == wanted - 1 and " " not in characters:
        characters += " "
    if len(characters) != wanted:
        raise BundleError(
            f"The checkpoint knows {wanted} characters, the charset {charset!r} has {len(characters)}: "
            "name the dictionary that it was trained with by --charset FILE."
        )
    return characters


def _saved(model: Any) -> bytes:
    with tempfile.TemporaryDirectory(prefix="ocrbatch-") as folder:
        path = Path(folder) / WEIGHTS
        model.save_weights(path)
        return path.read_bytes()
