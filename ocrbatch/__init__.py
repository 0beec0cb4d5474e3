"""ocrbatch: train tiny OCR models and run them over big piles of documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ocrbatch.pipeline.chain import Chain

__version__ = "0.1.0"
__all__ = ["Chain", "__version__"]


def __getattr__(name: str) -> Any:
    if name == "Chain":  # on demand, so that importing the package costs nothing
        from ocrbatch.pipeline.chain import Chain

        return Chain
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
