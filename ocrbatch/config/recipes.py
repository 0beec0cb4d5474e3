"""The recipes that come with the package, by name: ``det_plain_db`` is ``configs/det/det_plain_db.yml``."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ocrbatch.config.load import load_yaml
from ocrbatch.config.problems import shown
from ocrbatch.config.suggest import did_you_mean
from ocrbatch.errors import ConfigError

TRAINING = ("det", "rec")
KINDS = (*TRAINING, "run")
"""What a recipe is for: a training of a detector or recognizer, or ``ocrbatch run``. Each kind has a folder."""

_KEYS: tuple[type | tuple[type, ...], str] = dict, "keys and values"
_CHOICE: tuple[type | tuple[type, ...], str] = (dict, str), "a name, or keys and values"
_SHAPES = {
    "model": _KEYS,
    "model.task": (str, "det or rec"),
    "model.algorithm": _CHOICE,
    "model.backbone": _CHOICE,
    "data": _KEYS,
    "train": _KEYS,
    "augment": (list, "a list"),
    "charset": (str, "the name of a charset or of its file"),
}


@dataclass(frozen=True, slots=True)
class Recipe:
    """One that comes with the package. No two have the same name, whatever their kinds."""

    name: str
    kind: str
    path: Path

    @property
    def text(self) -> str:
        """The file as it is, with its comments."""
        return self.path.read_text(encoding="utf-8")

    @property
    def summary(self) -> str:
        """The comment at the top up to its first bracket or the end of its first sentence."""
        lines = self.text.splitlines()
        end = next((number for number, line in enumerate(lines) if not line.startswith("#")), len(lines))
        comment = " ".join(line.lstrip("# ") for line in lines[:end])
        return re.split(r" \(|\.(?: |$)", comment, maxsplit=1)[0]


def recipes(kinds: Sequence[str] = KINDS) -> list[Recipe]:
    """All recipes of these kinds, in the order of the kinds, then by name."""
    folder = _folder()
    return [Recipe(path.stem, kind, path) for kind in kinds for path in sorted((folder / kind).glob("*.yml"))]


def recipe_named(name: str) -> Recipe:
    """The recipe of that name, of any kind. Raises ConfigError."""
    known = {recipe.name: recipe for recipe in recipes()}
    if name not in known:
        raise ConfigError(f"There is no recipe {name!r} (see `ocrbatch config list`){did_you_mean(name, known)}")
    return known[name]


def load_recipe(given: Path, kinds: Sequence[str] = TRAINING) -> dict[str, Any]:
    """What the file ``given`` holds or, where there is none, the recipe of that name. Raises ConfigError.

    A folder hides no recipe: runs are often called after what they were made from.
    """
    values = load_yaml(_found(given, kinds))
    return values if "run" in kinds else well_shaped(values, str(given))


def well_shaped(values: dict[str, Any], where: str = "") -> dict[str, Any]:
    """The values of a recipe to train by, as they are: what is looked into before a schema sees it can be. Raises
    ConfigError; ``where`` goes before the key."""
    for path, (kind, called) in _SHAPES.items():
        found: Any = values
        for key in path.split("."):
            found = found.get(key) if isinstance(found, Mapping) else None
        if found is not None and not isinstance(found, kind):
            raise ConfigError(f"{where}{'.' * bool(where)}{path}: should be {called}, not {shown(found)}.")
    return values


def _found(given: Path, kinds: Sequence[str]) -> Path:
    if os.path.lexists(given) and not given.is_dir():
        return given
    known = {recipe.name: recipe.path for recipe in recipes(kinds)}
    if str(given) in known:
        return known[str(given)]
    uses = " or ".join(f"`{'run' if kind == 'run' else f'train {kind}'}`" for kind in kinds)
    raise ConfigError(
        f"{str(given)!r} is neither a file nor the name of a recipe for {uses} (see `ocrbatch config list`)"
        f"{did_you_mean(given.stem, known)}"
    )


def _folder() -> Path:
    """A wheel carries the recipes inside the package; in a checkout they lie in configs/ beside it."""
    package = Path(__file__).parents[1]
    inside = package / "recipes"
    return inside if inside.is_dir() else package.parent / "configs"
