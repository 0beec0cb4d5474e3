"""Entry points to catalogue rows, one plugin at a time, so that none can hurt another."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import pluggy

from ocrbatch.api import ENTRY_POINT_GROUP, PLUGIN_API, Descriptor
from ocrbatch.config.suggest import did_you_mean
from ocrbatch.plugin_system import hookspecs
from ocrbatch.plugin_system.catalogue import DESCRIPTORS, Kind, Row, Status

OWN_DISTRIBUTION = "ocrbatch"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_TARGET = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")


class RefusedError(Exception):
    """Why a plugin is not accepted, as a sentence for its row."""


@dataclass(frozen=True, slots=True)
class Found:
    """An entry point with the distribution that declares it."""

    entry_point: EntryPoint
    distribution: str
    version: str

    def row(self, status: Status, reason: str) -> Row:
        """Row of a plugin of which no descriptor is known."""
        name = self.entry_point.name
        return Row(name, name, None, self.distribution, self.version, status, reason)


def find_plugins() -> list[Found]:
    """Declared plugins: our own distribution first, then by entry-point name."""
    found = [_with_distribution(point) for point in entry_points(group=ENTRY_POINT_GROUP)]
    return sorted(found, key=lambda f: (f.distribution != OWN_DISTRIBUTION, f.entry_point.name, f.distribution))


def load_rows(found: Sequence[Found], blocked: Callable[[str], str]) -> tuple[Row, ...]:
    """Rows of all plugins. ``blocked`` gives the reason why an entry point must not be imported, or an empty string."""
    uses = Counter(f.entry_point.name for f in found)
    rows: list[Row] = []
    for plugin in found:
        name = plugin.entry_point.name
        if reason := blocked(name):
            rows.append(plugin.row("blocked", reason))
        elif uses[name] > 1 and plugin.distribution != OWN_DISTRIBUTION:
            rows.append(plugin.row("conflict", _shared_entry_point(plugin, found)))
        else:
            rows.extend(_load(plugin))
    return tuple(_mark_conflicts(rows))


def _with_distribution(point: EntryPoint) -> Found:
    if point.dist is None:
        return Found(point, "unknown", "unknown")
    metadata = point.dist.metadata
    return Found(point, metadata["Name"] or "unknown", metadata["Version"] or "unknown")


def _shared_entry_point(plugin: Found, found: Sequence[Found]) -> str:
    name = plugin.entry_point.name
    others = [f"{f.distribution} {f.version}" for f in found if f is not plugin and f.entry_point.name == name]
    return f"the entry point {name!r} is declared by {' and '.join(others)} too, uninstall one of them"


def _load(plugin: Found) -> list[Row]:
    try:
        with redirect_stdout(sys.stderr):  # what a plugin prints must not end up in our own output
            descriptors = _descriptors(plugin.entry_point)
    except RefusedError as refusal:
        return [plugin.row("failed", str(refusal))]
    except (Exception, SystemExit) as error:
        return [plugin.row("failed", " ".join(f"{type(error).__name__}: {error}".split()))]
    rows = [_row(plugin, kind, descriptor) for kind, descriptor in descriptors]
    return rows or [plugin.row("ok", "offers nothing on this machine")]


def _descriptors(point: EntryPoint) -> list[tuple[Kind, Descriptor]]:
    """Import a plugin and ask it for its descriptors, in a manager of its own."""
    plugin = point.load()
    manager = pluggy.PluginManager("ocrbatch")
    manager.add_hookspecs(hookspecs)
    _register(manager, plugin, point.name)
    return [(kind, d) for kind in Kind for d in _ask(getattr(manager.hook, kind.hook), kind)]


def _register(manager: pluggy.PluginManager, plugin: Any, name: str) -> None:
    try:
        manager.register(plugin, name)
    except pluggy.PluginValidationError as error:
        raise RefusedError(" ".join(str(error).split())) from error
    hooks = manager.get_hookcallers(plugin) or []
    if not hooks:
        raise RefusedError("it has no function marked with ocrbatch.api.hookimpl")
    try:
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        unknown = next(hook.name for hook in hooks if not hook.has_spec())
        raise RefusedError(f"unknown hook {unknown!r}{did_you_mean(unknown, [k.hook for k in Kind])}") from error
    if any(impl.wrapper or impl.hookwrapper for hook in hooks for impl in hook.get_hookimpls()):
        raise RefusedError("it registers a hook wrapper, which is not allowed on registration hooks")


def _ask(hook: pluggy.HookCaller, kind: Kind) -> list[Descriptor]:
    """What the one registered plugin answers to a hook, checked."""
    wanted = DESCRIPTORS[kind]
    descriptors: list[Descriptor] = []
    for implementation in hook.get_hookimpls():
        answer = implementation.function()  # not through pluggy, which drops None: the sign of a forgotten return
        if not isinstance(answer, Iterable):
            raise RefusedError(f"{hook.name}() returned {type(answer).__name__}, not an iterable of descriptors")
        for item in answer:
            if type(item) is not wanted:
                given = f"{hook.name}() returned an object of type {type(item).__name__}"
                raise RefusedError(f"{given} where a {wanted.__name__} is due")
            _check_fields(item)
            descriptors.append(item)
    return descriptors


def _check_fields(descriptor: Descriptor) -> None:
    if not isinstance(descriptor.name, str) or not _NAME.fullmatch(descriptor.name):
        raise RefusedError(f"{descriptor.name!r} is no name: use letters, digits, '-', '_' and '.'")
    for field, target in targets(descriptor).items():
        if not isinstance(target, str) or not _TARGET.fullmatch(target):
            raise RefusedError(
                f"{field} of {descriptor.name!r} is {target!r}, not of the form 'package.module:attribute'"
            )


def targets(descriptor: Descriptor) -> dict[str, str]:
    """The dotted names of a descriptor by field, in order."""
    fields = ("config", "model", "training", "codec", "factory")
    return {field: getattr(descriptor, field) for field in fields if hasattr(descriptor, field)}


def _row(plugin: Found, kind: Kind, descriptor: Descriptor) -> Row:
    status: Status = "ok"
    reason = ""
    if descriptor.api != PLUGIN_API:
        status = "failed"
        reason = f"it was written for plugin API {descriptor.api}, this ocrbatch has {PLUGIN_API}"
    point = plugin.entry_point.name
    return Row(point, descriptor.name, kind, plugin.distribution, plugin.version, status, reason, descriptor)


def _mark_conflicts(rows: Sequence[Row]) -> list[Row]:
    """Disable names that two plugins of a kind offer, naming both providers."""
    return [_conflicting(row, rows) if row.status == "ok" and row.kind else row for row in rows]


def _conflicting(row: Row, rows: Sequence[Row]) -> Row:
    same = [r for r in rows if r is not row and r.status == "ok" and (r.kind, r.name) == (row.kind, row.name)]
    if not same:
        return row
    others = " and ".join(f"{r.provider} (entry point {r.entry_point})" for r in same)
    reason = f"{others} offers a {row.kind} {row.name!r} too, disable one with --disable-plugin"
    return replace(row, status="conflict", reason=reason)
