"""One of several parts of a pile of files, each part read by a process of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from ocrbatch.errors import ConfigError

_FORM = re.compile(r"(\d{1,9})/(\d{1,9})")


@dataclass(frozen=True, slots=True)
class Shard:
    """Part ``number``, from 1, of ``of`` parts.

    A file belongs to the part that the SHA-256 of its name (as results call it) says: its first 8 bytes as a big-endian
    number, modulo ``of``, plus 1. So it does not depend on other files.
    """

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """``"2/4"`` as the second of four parts. Raises ConfigError."""
        match = _FORM.fullmatch(text.strip())
        if match is None:
            raise ConfigError(f"A shard is written as NUMBER/OF, such as 1/4 to 4/4, not {text!r}.")
        number, of = int(match[1]), int(match[2])
        if not 1 <= number <= of:
            raise ConfigError(f"There is no shard {text}: they count from 1/{max(of, 1)} to {max(of, 1)}/{max(of, 1)}.")
        return cls(number, of)

    def takes(self, source: str) -> bool:
        """Whether the file belongs to this part."""
        return int.from_bytes(sha256(source.encode()).digest()[:8]) % self.of == self.number - 1

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


@dataclass(slots=True)
class Roll:
    """Calls the roll of a whole listing while a shard takes its own files of it: ``files`` counts them all and
    ``digest`` changes with any name and with their order."""

    shard: Shard
    files: int = 0
    _hash: Any = field(default_factory=sha256)

    def takes(self, source: str) -> bool:
        """Whether the next file of the listing belongs to the shard."""
        self.files += 1
        name = source.encode()
        self._hash.update(len(name).to_bytes(8) + name)
        return self.shard.takes(source)

    @property
    def digest(self) -> str:
        """Hexadecimal digest of all files so far."""
        return str(self._hash.hexdigest())
