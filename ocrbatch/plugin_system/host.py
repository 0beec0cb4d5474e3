"""The plugin host: built once by whoever starts the program, then handed down. It is a frozen value and pickles."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar, overload

from ocrbatch.api import (
    BackbonePlugin,
    Descriptor,
    DetectorPlugin,
    EnginePlugin,
    PostprocessorPlugin,
    RecognizerPlugin,
)
from ocrbatch.config.suggest import did_you_mean
from ocrbatch.errors import OcrbatchError, PluginError
from ocrbatch.plugin_system.catalogue import Kind, Row
from ocrbatch.plugin_system.loading import find_plugins, load_rows, targets

if TYPE_CHECKING:
    from ocrbatch.config.schema import DetectorConfig, PluginConfig, RecognizerConfig

DISABLE_VARIABLE = "OCRBATCH_DISABLE_PLUGINS"
ALLOW_VARIABLE = "OCRBATCH_LOAD_PLUGINS"

D = TypeVar("D", bound=Descriptor)


@dataclass(frozen=True, slots=True)
class Host:
    """All installed plugins as ``rows``; the methods look them up by name and raise PluginError."""

    rows: tuple[Row, ...]

    @classmethod
    def load(
        cls,
        *,
        disable: Collection[str] = (),
        allow: Collection[str] | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> Host:
        """Import the installed plugins but for the blocked ones, which are never imported.

        ``disable`` and ``allow`` name entry points; the variables OCRBATCH_DISABLE_PLUGINS and OCRBATCH_LOAD_PLUGINS of
        ``environ`` (the process's own when None) hold further names, separated by commas or spaces. An allow-list
        blocks all that it does not name. Raises PluginError when ``disable`` or ``allow`` names no installed plugin.
        """
        environ = os.environ if environ is None else environ
        found = find_plugins()
        _refuse_unknown([*disable, *(allow or ())], [plugin.entry_point.name for plugin in found])
        return cls(load_rows(found, _blocker(disable, allow, environ)))

    def backbone(self, name: str) -> BackbonePlugin:
        """The backbone of that name."""
        return self._find(Kind.BACKBONE, name, BackbonePlugin)

    def detector(self, name: str) -> DetectorPlugin:
        """The detector of that name."""
        return self._find(Kind.DETECTOR, name, DetectorPlugin)

    def recognizer(self, name: str) -> RecognizerPlugin:
        """The recognizer of that name."""
        return self._find(Kind.RECOGNIZER, name, RecognizerPlugin)

    def postprocessor(self, name: str) -> PostprocessorPlugin:
        """The postprocessor of that name."""
        return self._find(Kind.POSTPROCESSOR, name, PostprocessorPlugin)

    def engine(self, name: str) -> EnginePlugin:
        """The engine of that name."""
        return self._find(Kind.ENGINE, name, EnginePlugin)

    def names(self, kind: Kind) -> list[str]:
        """Sorted names of the usable plugins of a kind."""
        return sorted(row.name for row in self.rows if row.kind is kind and row.status == "ok")

    def unusable(self) -> list[Row]:
        """Rows that are failed or in conflict."""
        return [row for row in self.rows if row.status in ("failed", "conflict")]

    def resolve(self, target: str) -> Any:
        """What ``"package.module:attribute"`` names. Raises PluginError, naming the plugin, when it is not there."""
        module, _, attributes = target.partition(":")
        try:
            value = import_module(module)
            for attribute in attributes.split("."):
                value = getattr(value, attribute)
        except OcrbatchError:
            raise
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
            raise PluginError(f"{self._whose(target)} names {target!r}, which cannot be used: {problem}.") from error
        return value

    @overload
    def config(self, descriptor: DetectorPlugin, options: Mapping[str, Any], where: str = "") -> DetectorConfig: ...
    @overload
    def config(self, descriptor: RecognizerPlugin, options: Mapping[str, Any], where: str = "") -> RecognizerConfig: ...
    @overload
    def config(self, descriptor: Descriptor, options: Mapping[str, Any], where: str = "") -> PluginConfig: ...
    def config(self, descriptor: Descriptor, options: Mapping[str, Any], where: str = "") -> PluginConfig:
        """``options`` as an instance of the plugin's schema, defaults filled in.

        ``where`` goes before each key in messages (the plugin's name when empty). Raises ConfigError with a sentence
        per problem, PluginError when the schema cannot be used.
        """
        from ocrbatch.config.values import validate

        return validate(self.schema(descriptor), options, where or descriptor.name)

    def schema(self, descriptor: Descriptor) -> type[PluginConfig]:
        """The plugin's configuration class. Raises PluginError."""
        from ocrbatch.config.schema import DetectorConfig, PluginConfig, RecognizerConfig

        bases = {DetectorPlugin: DetectorConfig, RecognizerPlugin: RecognizerConfig}
        base = bases.get(type(descriptor), PluginConfig)
        schema = self.resolve(descriptor.config)
        if not (isinstance(schema, type) and issubclass(schema, base)):
            whose = self._whose(descriptor.config)
            raise PluginError(f"{whose} names {descriptor.config!r} as its schema, which is no {base.__name__} class.")
        return schema

    def provider(self, descriptor: Descriptor) -> tuple[str, str]:
        """Distribution and version that a descriptor came from."""
        row = next(row for row in self.rows if row.descriptor == descriptor)
        return row.distribution, row.version

    def _find(self, kind: Kind, name: str, of_type: type[D]) -> D:
        rows = [row for row in self.rows if row.kind is kind and row.name == name]
        for row in rows:
            if row.status == "ok" and isinstance(row.descriptor, of_type):
                return row.descriptor
        if rows:
            row = rows[0]
            raise PluginError(f"The {kind} {name!r} of {row.provider} cannot be used: {row.reason}.")
        raise PluginError(self._not_found(kind, name))

    def _not_found(self, kind: Kind, name: str) -> str:
        if not self.rows:
            return "No plugin is installed, not even the built-in ones: install ocrbatch with `pip install -e .` first."
        known = self.names(kind)
        hint = did_you_mean(name, known)
        sentence = f"There is no {kind} {name!r}{hint} Known: {', '.join(known) or 'none'}."
        for row in self._not_loaded(name):
            sentence += f" The plugin {row.entry_point!r} of {row.provider} is {row.status}: {row.reason}."
        return sentence

    def _not_loaded(self, name: str) -> list[Row]:
        """Plugins that did not load, those first whose entry point speaks of ``name`` (``det_db`` of ``db``)."""
        rows = [row for row in self.rows if row.kind is None and row.status != "ok"]
        alike = [row for row in rows if _plain(row.entry_point).endswith(_plain(name))]
        return alike or [row for row in rows if row.status != "blocked"]

    def _whose(self, target: str) -> str:
        for row in self.rows:
            if row.descriptor and target in targets(row.descriptor).values():
                return f"The {row.kind} {row.name!r} of {row.provider}"
        return "The configuration"


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _refuse_unknown(names: Collection[str], known: Collection[str]) -> None:
    for name in names:
        if name not in known:
            raise PluginError(f"No installed plugin has the entry point {name!r}{did_you_mean(name, known)}")


def _blocker(
    disable: Collection[str], allow: Collection[str] | None, environ: Mapping[str, str]
) -> Callable[[str], str]:
    """Function from an entry point's name to why it is blocked, or an empty string."""
    disabled_there = _split(environ.get(DISABLE_VARIABLE, ""))
    allowed_there = _split(environ[ALLOW_VARIABLE]) if ALLOW_VARIABLE in environ else None

    def reason(name: str) -> str:
        if name in disable:
            return "disabled by --disable-plugin"
        if name in disabled_there:
            return f"disabled by {DISABLE_VARIABLE}"
        if allow is not None and name not in allow:
            return "not in the allow-list"
        if allowed_there is not None and name not in allowed_there:
            return f"not listed in {ALLOW_VARIABLE}"
        return ""

    return reason


def _split(text: str) -> list[str]:
    return re.split(r"[\s,]+", text.strip(" ,\t\n")) if text.strip(" ,\t\n") else []
