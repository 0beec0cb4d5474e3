"""Reference pages must name what the code has: no key too many, none forgotten."""

from __future__ import annotations

import re
from pathlib import Path

from ocrbatch.bundles.format import FORMAT, FORMAT_VERSION, GRAPH, INFO, LEXICON, WEIGHTS, BundleInfo
from ocrbatch.charset import load_charset
from ocrbatch.config.schema import ModelSpec

DOCS = Path(__file__).parents[2] / "docs"


def first_column(text: str) -> list[str]:
    return re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)


def test_bundle_format_lists_every_file_and_key() -> None:
    files, _, keys = (DOCS / "bundle-format.md").read_text(encoding="utf-8").partition("## bundle.json")
    assert set(first_column(files)) == {INFO, GRAPH, WEIGHTS, LEXICON}
    assert set(first_column(keys)) == {*BundleInfo.model_fields, "checksum"}
    assert f"`{FORMAT}`" in keys
    assert f"format version {FORMAT_VERSION}." in keys
    assert all(f"`{name}`" in keys for name in ModelSpec.model_fields)


def test_the_model_card_counts_characters_and_names_recipes() -> None:
    card = (DOCS / "models.md").read_text(encoding="utf-8")
    recipes = re.findall(r"`(configs/\S+\.yml)`", card)
    assert len(recipes) == 2
    for recipe in recipes:
        assert (DOCS.parent / recipe).is_file()
    assert f"| any | {len(load_charset('latin'))}: " in card
