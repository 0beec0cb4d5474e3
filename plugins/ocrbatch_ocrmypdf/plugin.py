"""What OCRmyPDF loads, by its entry-point group ``ocrmypdf``, in every start: nothing heavy, and nothing but hooks.

The hooks are those of OCRmyPDF 17. Under an older one, whose hooks have other arguments, this plugin has none.
"""

from __future__ import annotations

from ocrmypdf.pluginspec import OcrEngine

if hasattr(OcrEngine, "generate_ocr"):
    from ocrbatch_ocrmypdf.hooks import add_options, check_options, get_ocr_engine, register_options

    __all__ = ["add_options", "check_options", "get_ocr_engine", "register_options"]
