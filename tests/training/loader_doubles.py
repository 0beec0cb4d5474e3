"""A source of batches that can fail, in a module of its own so that spawned workers can import it."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np

from ocrbatch.errors import InputError
from ocrbatch.training.samples import Batch


@dataclass(frozen=True)
class Numbers:
    """Batches that say which step and process they are from; one step may fail, another may kill its worker; a
    diary is kept of the steps prepared."""

    bad: int = -1
    deadly: int = -1
    odd: int = -1
    diary: str | None = None

    def __call__(self, step: int) -> Batch:
        if self.diary is not None:
            with open(self.diary, "a") as file:  # noqa: PTH123
                file.write(f"{step}\n")
        if step == self.bad:
            raise InputError("x.png is no picture")
        if step == self.odd:
            raise RuntimeError("surprise")
        if step == self.deadly:
            os._exit(9)
        return Batch({"image": np.array([step, os.getpid()])}, (f"{step}",))
