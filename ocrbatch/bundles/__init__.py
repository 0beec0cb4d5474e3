"""Bundles: the one thing that training makes and running needs."""

from __future__ import annotations
