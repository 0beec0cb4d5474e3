"""OCRmyPDF's interface of an OCR engine, on top of the models of ocrbatch, which are imported when a page comes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ocrmypdf import OcrElement, OcrEngine, OrientationConfidence

from ocrbatch import __version__

_SURE = 100.0  # of --rotate-pages-threshold, whose default is 14


class OcrbatchEngine(OcrEngine):
    """Finds and reads text with the bundles that the options name. Called in worker threads or processes, one page at a
    time each; the models are loaded once a process."""

    @staticmethod
    def version() -> str:
        """Of ocrbatch."""
        return __version__

    @staticmethod
    def creator_tag(options: Any) -> str:  # noqa: ARG004
        """How the PDF's metadata name the engine."""
        return f"ocrbatch {__version__}"

    def __str__(self) -> str:
        return f"ocrbatch {__version__}"

    @staticmethod
    def languages(options: Any) -> set[str]:  # noqa: ARG004
        """None: a bundle has characters, not languages, so that any ``--language`` is accepted and changes nothing."""
        return set()

    @staticmethod
    def get_orientation(input_file: Path, options: Any) -> OrientationConfidence:
        """Degrees that the page has to be turned counterclockwise by to lie upright, for ``--rotate-pages``."""
        from ocrbatch_ocrmypdf.reading import quarters_of

        quarters = quarters_of(input_file, options)
        return OrientationConfidence(angle=90 * (quarters or 0), confidence=0.0 if quarters is None else _SURE)

    @staticmethod
    def get_deskew(input_file: Path, options: Any) -> float:
        """Degrees that the page has to be turned counter-clockwise by for its lines to be level."""
        from ocrbatch_ocrmypdf.reading import skew_of

        return skew_of(input_file, options)

    @staticmethod
    def supports_generate_ocr() -> bool:
        """Whether :meth:`generate_ocr` is there."""
        return True

    @staticmethod
    def generate_ocr(input_file: Path, options: Any, page_number: int = 0) -> tuple[OcrElement, str]:
        """The page's blocks, lines and words, and its text. Raises InputFileError."""
        from ocrbatch_ocrmypdf.reading import read
        from ocrbatch_ocrmypdf.tree import tree_of

        page = read(input_file, options)
        return tree_of(page.layout, page.dpi, page_number), page.text

    @staticmethod
    def generate_hocr(input_file: Path, output_hocr: Path, output_text: Path, options: Any) -> None:
        """Write the page as hOCR and as text. Raises InputFileError."""
        from ocrbatch.outputs.hocr import hocr
        from ocrbatch_ocrmypdf.reading import read

        page = read(input_file, options)
        output_hocr.write_bytes(hocr(page.layout))
        output_text.write_text(page.text, encoding="utf-8")

    @staticmethod
    def generate_pdf(input_file: Path, output_pdf: Path, output_text: Path, options: Any) -> None:
        """Write a PDF page with nothing but invisible text, and the text: ``--pdf-renderer sandwich``. Raises
        InputFileError."""
        import io

        from ocrbatch.outputs.searchable_pdf import SearchablePdf
        from ocrbatch_ocrmypdf.reading import read
        from ocrbatch_ocrmypdf.sandwich import make_graftable

        page = read(input_file, options)
        with SearchablePdf(io.BytesIO()) as document:
            document.add_text(page.layout, page.dpi)
            document.save(output_pdf)
        make_graftable(output_pdf)
        output_text.write_text(page.text, encoding="utf-8")
