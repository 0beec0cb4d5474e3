"""Postprocessors for text: which regions count, and in what order they are read."""

from __future__ import annotations

from ocrbatch.api import PostprocessorPlugin, hookimpl


@hookimpl
def ocrbatch_postprocessors() -> tuple[PostprocessorPlugin, ...]:
    """score_filter and reading_order."""
    return (
        PostprocessorPlugin(
            name="score_filter",
            summary="Marks regions with a low score as not kept; they stay in the results",
            config="ocrbatch_post_text.config:ScoreFilterConfig",
            factory="ocrbatch_post_text.score_filter:ScoreFilter",
            api=1,
        ),
        PostprocessorPlugin(
            name="reading_order",
            summary="Groups regions into lines, blocks and columns and numbers them in reading order",
            config="ocrbatch_post_text.config:ReadingOrderConfig",
            factory="ocrbatch_post_text.reading_order:ReadingOrder",
            api=1,
        ),
    )
