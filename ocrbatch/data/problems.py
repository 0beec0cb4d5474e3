"""Why a file or a page cannot be read. The class names are the ``error_kind`` of results."""

from __future__ import annotations

from ocrbatch.errors import InputError


class PageError(InputError):
    """Base of what ends a page."""


class MissingFile(PageError):  # noqa: N818 - these names stand in results
    """Nothing there, no permission, or no regular file."""


class EmptyFile(PageError):  # noqa: N818
    """No bytes at all."""


class ChangedFile(PageError):  # noqa: N818
    """The file is not the one that was listed."""


class UnknownFormat(PageError):  # noqa: N818
    """No picture or PDF."""


class DamagedFile(PageError):  # noqa: N818
    """The decoder gave up."""


class EncryptedFile(PageError):  # noqa: N818
    """A PDF that asks for a password."""


class PixelLimit(PageError):  # noqa: N818
    """More pixels than allowed."""
