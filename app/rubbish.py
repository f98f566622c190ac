"""When Python's collector looks for what is no longer used: while nobody waits for the screen.

Every widget refers to itself, so that a screen that was left is freed by the collector alone; some
ten thousands of objects, for which it holds everything up longer than a frame takes. The young are
looked through as ever, in a few milliseconds.
"""

from __future__ import annotations

import gc
from typing import Any, Callable

from kivy.clock import Clock
from kivy.core.window import Window

QUIET_SECONDS = 1.5
"""It is idle if nothing was touched or shown for so long."""

AT_LATEST = 200
"""Collections of the young after which all is looked through even so: some thirty screens."""


class Rubbish:
    """From `start` to `stop`.

    busy: whether something moves on the screen even though nobody touches it.
    """

    def __init__(self, busy: Callable[[], bool]) -> None:
        self._busy = busy
        self._before = gc.get_threshold()
        self._soon = Clock.create_trigger(self._collect, QUIET_SECONDS)
        self._left = False

    def start(self) -> None:
        """The collector waits from now on."""
        gc.set_threshold(*self._before[:2], AT_LATEST)
        Window.bind(on_touch_down=self._touched, on_touch_move=self._touched)
        Window.bind(on_key_down=self._touched)

    def stop(self) -> None:
        """As it was before."""
        gc.set_threshold(*self._before)
        self._soon.cancel()
        Window.unbind(on_touch_down=self._touched, on_touch_move=self._touched)
        Window.unbind(on_key_down=self._touched)

    def more(self) -> None:
        """Widgets were left to it."""
        self._left = True
        self._wait()

    def _touched(self, *_: Any) -> bool:
        if self._left:
            self._wait()
        return False

    def _wait(self) -> None:
        self._soon.cancel()
        self._soon()

    def _collect(self, _: float) -> None:
        if self._busy():
            self._soon()
        else:
            self._left = False
            gc.collect()
