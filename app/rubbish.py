"""When Python's collector looks for what is no longer used: when a screen was left.

Every widget refers to itself, so that a screen that was left is freed by the collector alone,
which holds everything up the longer, the more there is. So it looks in a frame of its own, when one
screen was left and hardly anything of the next one is there: that takes a part of a frame.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

from app.gradual import NEXT_FRAME

AT_LATEST = 200
"""Collections of the young after which all is looked through even so: some thirty screens."""

ROWS = 10
"""Of a list, that may be dropped before they are looked for."""


class Rubbish:
    """From `start` to `stop`; the young are looked through as ever."""

    def __init__(self) -> None:
        self._before = gc.get_threshold()
        self._rows = 0

    def start(self) -> None:
        """The collector waits from now on."""
        gc.set_threshold(*self._before[:2], AT_LATEST)

    def stop(self) -> None:
        """As it was before."""
        gc.set_threshold(*self._before)

    def removal(self) -> Iterator[Any]:
        """A step of what `Gradually` does, which takes a frame."""
        self._collect()
        yield NEXT_FRAME

    def dropped(self, rows: int) -> bool:
        """So many rows of a list are no longer used; whether this took the frame's time."""
        self._rows += rows
        if self._rows < ROWS:
            return False
        self._collect()
        return True

    def _collect(self) -> None:
        self._rows = 0
        gc.collect()
