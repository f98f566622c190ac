"""Work of the screen's thread in pieces, so that no frame waits for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from time import perf_counter
from typing import Any

from kivy.clock import Clock

SLICE_SECONDS = 0.0012
"""So long the pieces of one frame may take; to lay them out takes up to three times as long."""

NEXT_FRAME = object()
"""Yielded by a piece whose outcome has to be laid out before the next piece is begun."""

_NO_MORE = object()


class Gradually:
    """Goes through an iterator whose every step is a piece of work, from the next frame on."""

    def __init__(self, steps: Iterator[Any]) -> None:
        self._steps = steps
        self._event = Clock.schedule_interval(self._some, 0)
        self.done = False

    def add(self, steps: Iterator[Any], first: bool = False) -> None:
        """More of them, after those that are left, or before."""
        self._steps = chain(steps, self._steps) if first else chain(self._steps, steps)
        if self.done:
            self.done = False
            self._event()

    def finish(self) -> None:
        """All that is left, at once."""
        if not self.done:
            for _ in self._steps:
                pass
            self._end()

    def step(self) -> None:
        """One of them, before the next frame."""
        if next(self._steps, _NO_MORE) is _NO_MORE:
            self._end()

    def taken(self) -> Iterator[Any]:
        """What is left, to be gone through by the caller instead."""
        steps = self._steps
        self._end()
        return steps

    def stop(self) -> None:
        """Leaves the rest undone."""
        self._end()

    def _some(self, _: float) -> None:
        end = perf_counter() + SLICE_SECONDS
        while not self.done:
            step = next(self._steps, _NO_MORE)
            if step is _NO_MORE:
                self._end()
            if step is NEXT_FRAME or perf_counter() >= end:
                return

    def _end(self) -> None:
        self.done = True
        self._event.cancel()
        self._steps = iter(())
