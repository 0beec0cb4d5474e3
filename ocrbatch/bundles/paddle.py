"""From a training checkpoint of PaddleOCR to a bundle."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ocrbatch.bundles import network
from ocrbatch.bundles.archive import refuse_existing
from ocrbatch.bundles.export import float32_policy, write_model
from ocrbatch.bundles.format import BundleInfo
from ocrbatch.bundles.onnx_graph import native_output_hidden
from ocrbatch.bundles.paddle_recipes import recipe_values
from ocrbatch.bundles.pdparams import read_checkpoint
from ocrbatch.bundles.store import saved_weights
from ocrbatch.charset import load_charset
from ocrbatch.config.load import apply_set
from ocrbatch.config.schema import ModelSpec
from ocrbatch.config.values import validate
from ocrbatch.errors import BundleError
from ocrbatch.plugin_system.host import Host
from ocrbatch.types import Image

State = Mapping[str, NDArray[np.float32]]
Shapes = Mapping[str, tuple[int, ...]]

_CTC_CLASSES, _ATTENTION_CLASSES = "head.fc.bias", "head.generator.bias"
_LOCALIZATION = {16: "small", 64: "large"}
_RESNETS = {(2, False): 18, (6, False): 34, (6, True): 50, (23, True): 101, (36, True): 152}
"""Depth of a ResNet by the units of its third stage and whether these are bottlenecks."""


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
    licence: str | None = None,
    overwrite: bool = False,
) -> BundleInfo:
    """Makes the bundle ``out`` of a ``.pdparams`` file, by a recipe's name or file.

    Options that the recipe leaves open (widths of necks and heads, number and width of the LSTMs, points of the
    rectifier and size of its network, depth of a ResNet) are taken from the shapes. ``charset`` is a name or a file;
    when it lacks only the space, the space is added last, where PaddleOCR puts it. The exported graph is tried on
    ``pictures``. Raises InputError, ConfigError, BundleError, with tensors and shapes named, or OutputError.
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
            weights=saved_weights(networks.training),
            tolerance=tolerance,
            half=half,
            provenance={"imported": {"file": file.name, "sha256": digest, "recipe": Path(recipe).name}},
            licence=licence,
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
    shapes = {name: array.shape for name, array in state.items()}
    seen = {"algorithm": _algorithm_options(shapes), "backbone": _backbone_options(shapes)}
    for role, plugin in plugins.items():
        known = host.schema(plugin).model_fields
        model[role] = {**{key: value for key, value in seen[role].items() if key in known}, **model[role]}
    return validate(ModelSpec, model, recipe)


def _algorithm_options(shapes: Shapes) -> dict[str, Any]:
    """Options of the classic detectors and recognizers that show in the names and shapes of their tensors."""
    lstms = [name for name in shapes if re.fullmatch(r"neck\.encoder\.lstm\.\d+\.cell_fw\.weight_hh", name)]
    sizes = {
        "fpn_channels": _size(shapes, "neck.in2_conv.weight", 0),
        "head_channels": _size(shapes, "head.binarize.conv1.weight", 0),
        "channels": _size(shapes, "neck.g3_conv.conv.weight", 0),
        "hidden": _size(shapes, lstms[0], 1) if lstms else None,
        "layers": len(lstms) or None,
        "points": (_size(shapes, "transform.loc_net.fc2.bias", 0) or 0) // 2 or None,
        "localization": _LOCALIZATION.get(_size(shapes, "transform.loc_net.loc_conv0.conv.weight", 0) or 0),
    }
    return {name: size for name, size in sizes.items() if size is not None}


def _backbone_options(shapes: Shapes) -> dict[str, Any]:
    """The same of their backbones."""
    units = {found[0] for found in map(re.compile(r"backbone\.bb_2_\d+").match, shapes) if found}
    depth = _RESNETS.get((len(units), any(name.startswith("backbone.bb_2_0.conv2.") for name in shapes)))
    found = {"squeeze_excite": any(".mid_se." in name for name in shapes)}
    return found | ({} if depth is None else {"layers": depth})


def _size(shapes: Shapes, name: str, axis: int) -> int | None:
    shape = shapes.get(name, ())
    return shape[axis] if axis < len(shape) else None


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
