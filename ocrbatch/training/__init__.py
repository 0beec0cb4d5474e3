"""One trainer for detectors and recognizers."""

from __future__ import annotations
