"""ocrbatch: train tiny OCR models and run them over big piles of documents."""

__version__ = "0.1.0"
