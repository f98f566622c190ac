"""Time, for a recorder that plays a file: the real one, or one that a test moves by hand."""

from __future__ import annotations

import threading
import time
from typing import Protocol


class Clock(Protocol):
    """Seconds that pass, and a way to wait for a moment."""

    def now(self) -> float:
        """Seconds since some moment."""

    def wait_until(self, moment: float, given_up: threading.Event) -> None:
        """Returns at the moment, or soon after `given_up` is set and `wake` was called."""

    def wake(self) -> None:
        """Makes those who wait look again whether they are given up."""


class RealClock:
    """The time of the world."""

    def __init__(self) -> None:
        self._changed = threading.Condition()

    def now(self) -> float:
        return time.monotonic()

    def wait_until(self, moment: float, given_up: threading.Event) -> None:
        with self._changed:
            while not given_up.is_set() and (left := moment - self.now()) > 0:
                self._changed.wait(left)

    def wake(self) -> None:
        with self._changed:
            self._changed.notify_all()


class ManualClock:
    """Stands still until `advance`; then everything that is due happens."""

    def __init__(self) -> None:
        self._now = 0.0
        self._changed = threading.Condition()

    def now(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        """Moves on; a FileRecorder then plays the sound of that time, in its thread."""
        with self._changed:
            self._now += seconds
            self._changed.notify_all()

    def wait_until(self, moment: float, given_up: threading.Event) -> None:
        with self._changed:
            # Binary fractions of a second do not add up to the moment exactly.
            self._changed.wait_for(lambda: given_up.is_set() or self._now >= moment - 1e-9)

    def wake(self) -> None:
        with self._changed:
            self._changed.notify_all()
