"""All that a plugin needs to register itself.

A plugin is a distribution with an entry point in the group ``ocrbatch.plugins`` that names a module. Functions of that
module marked with ``hookimpl`` return descriptors: small frozen records that name, as ``"package.module:attribute"``,
what to import when the algorithm is asked for. This module imports nothing heavy, and neither should a plugin module.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pluggy

PLUGIN_API = 1
"""Major version of the plugin contract. Descriptors state the one they were written for."""

ENTRY_POINT_GROUP = "ocrbatch.plugins"

hookimpl = pluggy.HookimplMarker("ocrbatch")

Task = Literal["det", "rec"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptor:
    """What every kind of plugin states about itself.

    ``name`` is what users write, ``summary`` one line for lists, ``config`` the dotted name of a
    :class:`ocrbatch.config.schema.PluginConfig` class, ``api`` the value of :data:`PLUGIN_API` it was written for (no
    default on purpose: an old plugin must not claim the newest).
    """

    name: str
    summary: str
    config: str
    api: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BackbonePlugin(Descriptor):
    """A feature extractor; ``model`` names a :class:`ocrbatch.contracts.BuildBackbone`."""

    model: str
    tasks: tuple[Task, ...] = ("det", "rec")


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorPlugin(Descriptor):
    """A text detector.

    ``model`` names a :class:`ocrbatch.contracts.BuildDetector`, ``training`` a
    :class:`ocrbatch.contracts.BuildDetectorTraining`, ``codec`` a :class:`ocrbatch.contracts.BuildDetectorCodec`
    (numpy only: ``run`` imports it without keras).
    """

    model: str
    training: str
    codec: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecognizerPlugin(Descriptor):
    """A text recognizer.

    ``model`` names a :class:`ocrbatch.contracts.BuildRecognizer`, ``training`` a
    :class:`ocrbatch.contracts.BuildRecognizerTraining`, ``codec`` a
    :class:`ocrbatch.contracts.BuildRecognizerCodec` (numpy only: ``run`` imports it without keras).
    """

    model: str
    training: str
    codec: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PostprocessorPlugin(Descriptor):
    """A step after recognition; ``factory`` names a :class:`ocrbatch.contracts.BuildPostprocessor`."""

    factory: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EnginePlugin(Descriptor):
    """What executes an exported graph; ``factory`` names a :class:`ocrbatch.contracts.BuildEngine`."""

    factory: str
