"""Rendered text: lines and pages to train on, with their labels."""

from __future__ import annotations
