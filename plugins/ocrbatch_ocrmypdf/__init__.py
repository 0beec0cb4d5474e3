"""ocrbatch as an OCR engine of OCRmyPDF: ``ocrmypdf --ocr-engine ocrbatch scan.pdf searchable.pdf``."""
