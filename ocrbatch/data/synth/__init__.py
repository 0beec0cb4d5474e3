"""Rendered text: lines and pages with their labels."""
