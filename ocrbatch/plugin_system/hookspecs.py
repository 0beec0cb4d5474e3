"""The hooks of plugin API 1. Each is called once, in the main process, while the host loads.

Every hook returns an iterable of descriptors from :mod:`ocrbatch.api`; an empty one means "nothing on this machine".
Hooks take no arguments and must be cheap: a descriptor names what to import, it does not import it. The order of hooks
and of what they return means nothing: algorithms are chosen by name. Hook wrappers are refused.
"""

from __future__ import annotations

from collections.abc import Iterable

import pluggy

from ocrbatch.api import BackbonePlugin, DetectorPlugin, EnginePlugin, PostprocessorPlugin, RecognizerPlugin

hookspec = pluggy.HookspecMarker("ocrbatch")


@hookspec
def ocrbatch_backbones() -> Iterable[BackbonePlugin]:  # type: ignore[empty-body]
    """Feature extractors that detectors and recognizers are built on.

    .. versionadded:: 0.1
    """


@hookspec
def ocrbatch_detectors() -> Iterable[DetectorPlugin]:  # type: ignore[empty-body]
    """Algorithms that find text on a page.

    .. versionadded:: 0.1
    """


@hookspec
def ocrbatch_recognizers() -> Iterable[RecognizerPlugin]:  # type: ignore[empty-body]
    """Algorithms that read one line of text.

    .. versionadded:: 0.1
    """


@hookspec
def ocrbatch_postprocessors() -> Iterable[PostprocessorPlugin]:  # type: ignore[empty-body]
    """Steps over the regions of one page after recognition.

    .. versionadded:: 0.1
    """


@hookspec
def ocrbatch_engines() -> Iterable[EnginePlugin]:  # type: ignore[empty-body]
    """Runtimes that execute an exported graph.

    .. versionadded:: 0.1
    """
