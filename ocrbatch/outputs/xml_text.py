"""What the XML formats have in common."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, indent, tostring

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, production 2


def clean(text: str) -> str:
    """``text`` with U+FFFD for the characters that XML cannot hold, such as control characters and lone surrogates."""
    return _NO_XML.sub("\ufffd", text)


def around(root: Element, inside: Element, doctype: str = "") -> tuple[bytes, bytes]:
    """The document before and after what is to stand in ``inside``, behind the children that it has. The tree is
    changed on the way."""
    inside.append(Element("pages"))
    head, tail = to_bytes(root, doctype).split(b"<pages />")
    return head, tail


def fragment(element: Element, level: int) -> bytes:
    """An element in UTF-8, indented as one of that ``level`` is."""
    indent(element, " ", level)
    return tostring(element, encoding="unicode").encode()


def to_bytes(root: Element, doctype: str = "") -> bytes:
    """The document as UTF-8 with its declaration. The tree is indented on the way."""
    indent(root, " ")
    body = tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{doctype}{body}\n'.encode()
