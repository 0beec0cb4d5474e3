"""Which pictures OpenCV decodes to the very pixels that Pillow does, at a fraction of the time for small ones."""

from __future__ import annotations

_JPEG, _JPEG_END = b"\xff\xd8", b"\xff\xd9"
_FRAMES = (0xC0, 0xC1, 0xC2)  # Huffman-coded: sequential and progressive
_SCAN = 0xDA
_SILENT = frozenset((0xC4, 0xDB, 0xDD, 0xFE, 0xE0, *range(0xE2, 0xF0)))
"""Segments that leave the pixels as they are. APP1, which may turn a picture, is none of them."""

_PNG, _PNG_END = b"\x89PNG\r\n\x1a\n", b"\x00\x00\x00\x00IEND\xaeB`\x82"
_QUIET = frozenset(
    (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"bKGD", b"cHRM", b"gAMA", b"hIST", b"iCCP", b"pHYs", b"sBIT", b"sRGB",
     b"tEXt", b"tIME")
)  # fmt: skip
"""Chunks of PNG that neither turn nor animate a picture nor make it transparent."""
_GRAY, _COLOURS, _PALETTE = 0, 2, 3


def is_plain(data: bytes) -> bool:
    """Whether a file's content is a whole JPEG or PNG of at most 8 bits, gray or in colours, opaque and upright."""
    try:
        if data.startswith(_JPEG):
            return data.endswith(_JPEG_END) and _is_plain_jpeg(data)
        return data.startswith(_PNG) and data.endswith(_PNG_END) and _is_plain_png(data)
    except IndexError:  # a header that leads past the end
        return False


def _is_plain_jpeg(data: bytes) -> bool:
    """Looks at the segments up to the first scan: layout by ITU-T T.81, annex B."""
    at, plain = len(_JPEG), False
    while data[at] == 0xFF and data[at + 1] != _SCAN:
        if data[at + 1] in _FRAMES:
            plain = data[at + 4] == 8 and data[at + 9] in (1, 3)  # bits, components
        elif data[at + 1] not in _SILENT:
            return False
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return plain and data[at] == 0xFF


def _is_plain_png(data: bytes) -> bool:
    """Looks at all chunks: layout by the W3C's PNG specification, section 5."""
    depth, kind, interlaced = data[24], data[25], data[28]
    if depth > 8 or kind not in (_GRAY, _COLOURS, _PALETTE) or interlaced:
        return False
    at = len(_PNG)
    while at < len(data):
        name = data[at + 4 : at + 8]
        if name not in _QUIET or (name == b"tEXt" and data.startswith(b"Raw profile", at + 8)):  # that may hold EXIF
            return False
        at += 12 + int.from_bytes(data[at : at + 4])
    return at == len(data)
