"""Pictures of pages that are no picture files of their own: pages of PDFs and of TIFFs with several."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2

from ocrbatch.data.images import Reading, probe, read_page, stamp
from ocrbatch.errors import InputError, OutputError


@dataclass(frozen=True, slots=True)
class PageWriter:
    """Writes pages as PNG files into ``folder``; PDFs are drawn at ``dpi``."""

    folder: Path
    dpi: int = 200

    def __call__(self, path: Path, page: int, size: tuple[int, int]) -> Path:
        """The file of one page, counted from 0. Raises InputError when it cannot be read or is not of ``size``
        (height, width), and OutputError."""
        document = probe(path, *stamp(path))
        pixels, _ = read_page(document, page, Reading(dpi=self.dpi))
        if pixels.shape[:2] != size:
            (height, width), (wanted_height, wanted_width) = pixels.shape[:2], size
            raise InputError(
                f"{path}, page {page + 1} has {width} x {height} pixels at {self.dpi} dpi, but {wanted_width} x "
                f"{wanted_height} in the results: give the --dpi of that run."
            )
        target = self.folder / f"{path.stem[:100]}-{document.sha256[:8]}.page{page + 1:04d}.png"
        _, data = cv2.imencode(".png", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data.tobytes())
        except OSError as error:
            raise OutputError(f"Cannot write the page {target}: {error.strerror}.") from error
        return target
